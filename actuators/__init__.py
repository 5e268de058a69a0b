"""From commands to valves: safety gate, dispatcher, drivers, encoder; decides nothing."""
