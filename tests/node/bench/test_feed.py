"""The bench of pulls measures what it says."""

import pytest

from node.bench import feed


def test_every_table_has_a_row_for_each_size_and_brings_what_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "_EVENTS", 2)
    monkeypatch.setattr(feed, "_GROWING", 2)
    monkeypatch.setattr(feed, "_ROUNDS", 1)
    tables = feed.run((10, 30)), feed.grow((1, 5)), feed.catch_up(((7, 3), (20, 1)))
    for rows in tables:
        assert len(rows) == 2
        assert len({tuple(row) for row in rows}) == 1
    stored, grown, caught_up = tables
    assert [row["stored events"] for row in stored] == ["10", "30"]
    assert [row["ratio"] for row in stored][:1] == [1.0]
    assert [row["attributes of the event"] for row in grown] == ["1", "5"]
    assert [row["events"] for row in caught_up] == ["7", "20"]
    for row in (*stored, *grown):
        assert 0 < float(row["at the server"]) < float(row["one more attribute, ms"])
