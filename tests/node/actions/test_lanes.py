"""Lanes: a peer that hangs holds up nobody but itself."""

from threading import Event

import pytest

from node.actions.lanes import Lanes, one_by_one

PATIENCE_S = 10


def test_a_peer_that_hangs_holds_up_nobody_but_itself() -> None:
    lanes, hangs, served = Lanes("test", 2), Event(), Event()
    assert lanes.begin({"slow": lambda: hangs.wait(PATIENCE_S)}) == 1
    assert lanes.begin({"slow": pytest.fail, "quick": served.set}) == 1
    assert served.wait(PATIENCE_S)
    hangs.set()
    lanes.close()


def test_what_a_job_raises_is_raised_at_the_next_turn_and_the_peer_has_its_turn_again() -> None:
    lanes, begun, ended = Lanes("test", 1), Event(), Event()

    def fail() -> None:
        begun.wait(PATIENCE_S)
        raise RuntimeError("a bug")

    lanes.begin({"a": fail})
    lanes.begin({"b": ended.set})
    begun.set()
    assert ended.wait(PATIENCE_S)
    with pytest.raises(RuntimeError, match="a bug"):
        lanes.begin({})
    assert lanes.begin({"a": ended.set}) == 1
    lanes.close()


def test_one_by_one_does_all_before_it_says_how_many() -> None:
    done = list[str]()
    assert one_by_one({"a": lambda: done.append("a"), "b": lambda: done.append("b")}) == 2
    assert done == ["a", "b"]
