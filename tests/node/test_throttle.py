from datetime import timedelta

from node.throttle import Throttle
from tests.node.nodes import START


def test_the_first_failures_are_free_then_waits_double() -> None:
    throttle, waits = Throttle(), []
    for _ in range(6):
        waits.append(throttle.wait("k", 3, START).total_seconds())
        throttle.failed("k", START)
    assert waits == [0, 0, 0, 1, 2, 4]


def test_a_wait_passes_with_time_and_never_grows_past_fifteen_minutes() -> None:
    throttle = Throttle()
    for _ in range(100):
        throttle.failed("k", START)
    assert throttle.wait("k", 3, START) == timedelta(minutes=15)
    assert throttle.wait("k", 3, START + timedelta(minutes=14)) == timedelta(minutes=1)
    assert throttle.wait("k", 3, START + timedelta(minutes=16)) == timedelta()


def test_keys_do_not_touch_each_other_and_forgiving_clears_one() -> None:
    throttle = Throttle()
    for _ in range(9):
        throttle.failed("a", START)
        throttle.failed("b", START)
    throttle.forgive("a")
    assert throttle.wait("a", 3, START) == timedelta()
    assert throttle.wait("b", 3, START) > timedelta()
    assert throttle.wait("c", 3, START) == timedelta()


def test_old_failures_do_not_count() -> None:
    throttle = Throttle()
    for _ in range(9):
        throttle.failed("k", START)
    throttle.failed("k", START + timedelta(hours=1))
    assert throttle.wait("k", 3, START + timedelta(hours=1)) == timedelta()


def test_memory_is_bounded_and_drops_the_oldest() -> None:
    throttle = Throttle()
    for number in range(10_001):
        throttle.failed(str(number), START)
    assert throttle.wait("0", 1, START) == timedelta()
    assert throttle.wait("1", 1, START) > timedelta()
