"""The bench of repair measures what it says."""

from node.bench import repair


def test_every_size_has_a_row_for_each_count_of_differences_and_one_for_its_index() -> None:
    rows = repair.run((3_000,))
    assert [row["differ"] for row in rows] == [*repair.DIFFERENCES, "any: its index"]
    assert len({tuple(row) for row in rows}) == 1
    assert rows[0]["questions"] == 1
    costs = [float(row["KiB to find them"]) for row in rows]
    assert costs == sorted(costs)
