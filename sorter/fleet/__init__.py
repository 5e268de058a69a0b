"""From the line to its hub: the outbox, which sends what the store holds; decides nothing and holds nothing up."""
