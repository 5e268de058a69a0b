"""Published statistics as pure functions of a period's record: value, interval, coverage, method; no clock, no file."""
