"""The bench of policies measures what it says."""

from node.bench.policy import federation, run


def test_every_row_holds_a_figure_against_its_base() -> None:
    rows = run(20)
    assert len(rows) == 3 + 4
    assert len({tuple(row) for row in rows}) == 1
    assert all(float(row["base"]) > 0 and float(row["figure"]) > 0 for row in rows)
    assert rows[0]["ratio"] == 1


def test_a_federation_is_twenty_seven_countries_and_a_hub() -> None:
    parties = federation()
    assert len({party.org for party in parties}) == 28
    assert len({party.country for party in parties if party.kind == "node"}) == 27
    assert [party.kind for party in parties].count("hub") == 1
