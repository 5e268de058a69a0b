"""How long to wait before trying again: longer each time, up to a bound, and never all lines at the same moment."""

FIRST_MS = 1000.0
LONGEST_MS = 300_000.0


def backoff_ms(failure_count: int, chance: float, wished_ms: float | None = None) -> float:
    """Exponential back-off with jitter over its upper half.

    Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015 ("equal jitter").

    Args:
        failure_count: failures in a row, 1 for the first.
        chance: from 0 to 1, drawn anew each time.
        wished_ms: how long the hub asked to be left alone, None where it did not; never cut short, but for a bound.
    """
    longest_ms = min(LONGEST_MS, FIRST_MS * 2.0 ** min(failure_count - 1, 30))
    waited_ms = longest_ms * (0.5 + 0.5 * chance)
    return waited_ms if wished_ms is None else max(waited_ms, min(wished_ms, LONGEST_MS))
