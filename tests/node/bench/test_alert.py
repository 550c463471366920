"""The bench of alerts runs: a served node, streams over sockets, peers beside it."""

from pathlib import Path

import pytest

import node
from node.bench import alert


@pytest.mark.loopback
def test_every_stream_is_told_and_each_way_of_peers_has_its_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(node.__file__).parents[1]))
    rows = alert.run((3,), peers=2, alerts=2)
    assert [row["streams"] for row in rows] == ["3", "3"]
    assert all(float(row["p50, ms"]) <= float(row["most, ms"]) for row in rows)
