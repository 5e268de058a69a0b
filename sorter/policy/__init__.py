"""Pure policy: evidence, decision, schedule, ledger, mode; the instant is always an argument."""
