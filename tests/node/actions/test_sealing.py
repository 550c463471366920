"""Doing again what others overtook."""

import pytest

from node.actions import sealing
from node.actions.errors import ConflictError
from node.actions.sealing import OvertakenError, until_settled


def always_overtaken() -> None:
    raise OvertakenError("log was changed meanwhile")


def test_who_is_overtaken_waits_longer_each_time_and_not_as_long_as_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[list[float]] = []
    for _ in range(20):
        slept.append([])
        monkeypatch.setattr(sealing, "sleep", slept[-1].append)
        with pytest.raises(ConflictError):
            until_settled(always_overtaken)
    assert {len(waits) for waits in slept} == {sealing._TRIES - 1}
    for number, waits in enumerate(zip(*slept, strict=True), 1):
        assert len(set(waits)) > 1
        assert 0 <= min(waits) <= max(waits) < 0.01 * 2**number


def test_who_is_no_longer_overtaken_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(sealing, "sleep", slept.append)
    tries = iter([OvertakenError("once"), None])

    def act() -> str:
        fault = next(tries)
        if fault is not None:
            raise fault
        return "done"

    assert until_settled(act) == "done"
    assert len(slept) == 1
    assert until_settled(lambda: "at once") == "at once"
    assert len(slept) == 1
