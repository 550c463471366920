from hypothesis import given
from hypothesis import strategies as st

from federation.backoff import BASE_S, CAP_S, is_down, wait_s

chances = st.floats(0, 1, exclude_max=True)


@given(st.integers(0, 10_000), chances, st.none() | st.floats(0, 1e9))
def test_no_wait_is_longer_than_fifteen_minutes(
    failures: int, chance: float, after: float | None
) -> None:
    assert 0 <= wait_s(failures, chance, after) <= CAP_S


@given(chances)
def test_the_first_retry_comes_within_two_seconds(chance: float) -> None:
    assert wait_s(1, chance) <= 2 * BASE_S


def test_success_waits_for_nothing_but_what_the_peer_asked() -> None:
    assert wait_s(0, 0.9) == 0
    assert wait_s(0, 0.9, 30) == 30


def test_the_ceiling_doubles_until_the_cap() -> None:
    almost = [wait_s(failures, 0.999999) for failures in range(1, 12)]
    assert almost == sorted(almost)
    assert almost[9] > CAP_S * 0.99


def test_a_failing_peer_is_down_after_five_times_and_still_asked() -> None:
    assert [is_down(n) for n in (4, 5, 500)] == [False, True, True]
    assert wait_s(500, 0.5) < CAP_S
