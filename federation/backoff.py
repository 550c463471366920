"""When to ask a silent or failing peer again. Never gives up: the longest wait is 15 minutes.

Full jitter: a uniform share of an exponentially growing ceiling, so that 27 peers that lost the
same hub do not come back in the same second. Chance is an argument.
"""

BASE_S = 1.0
CAP_S = 15 * 60.0
DOWN_AFTER = 5  # failures in a row; from then on the operator sees the peer as down


def wait_s(failures: int, chance: float, retry_after_s: float | None = None) -> float:
    """Seconds to wait after so many failures in a row; `chance` is uniform in [0, 1).

    A peer's Retry-After is honoured up to the cap: no peer may silence us for longer than that.
    """
    ceiling_s = min(CAP_S, BASE_S * 2.0 ** min(failures, 32)) if failures > 0 else 0.0
    return min(CAP_S, max(chance * ceiling_s, retry_after_s or 0.0))


def is_down(failures: int) -> bool:
    """Whether to show the peer as down; we keep asking all the same."""
    return failures >= DOWN_AFTER
