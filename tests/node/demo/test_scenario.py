"""The scenario file: whole, sound, and the same table as the design's."""

import csv
from importlib.resources import files
from pathlib import Path

import pytest

from node.demo.errors import ScenarioError
from node.demo.scenario import NOBODY, Check, read_scenario, shipped_scenario

SCENARIO = shipped_scenario()
TABLE = [row for row in SCENARIO.rows if row.is_table]
HOLDS = ("if approved", "two roles", "on order", "order/consent", "on request")


def designed(shared_data: Path) -> list[list[str]]:
    text = (shared_data / "demo_visibility.csv").read_text(encoding="utf-8")
    return list(csv.reader(text.splitlines()))


def test_every_row_and_column_of_the_design_is_in_the_file(shared_data: Path) -> None:
    rows = designed(shared_data)
    assert [column.title for column in SCENARIO.columns] == rows[0][1:]
    assert [row.datum for row in TABLE] == [row[0] for row in rows[1:]]


def test_the_design_says_absent_where_the_file_does(shared_data: Path) -> None:
    rows = designed(shared_data)
    for row, told in zip(TABLE, rows[1:], strict=True):
        for column, text in zip(SCENARIO.columns, told[1:], strict=True):
            cell = row.cells[column.key][-1]
            if cell.check is not Check.LATER:
                absent = text == "-" or text.startswith("agg")
                assert (cell.check is Check.ABSENT) == absent, (row.datum, column.title, text)


def test_only_the_public_is_left_for_later() -> None:
    for row in SCENARIO.rows:
        for key, cells in row.cells.items():
            is_later = key == "public"
            assert all((cell.check is Check.LATER) == is_later for cell in cells), (row.datum, key)


def test_every_hold_of_the_design_is_looked_at_before_and_after_its_release(
    shared_data: Path,
) -> None:
    found = 0
    for row, told in zip(TABLE, designed(shared_data)[1:], strict=True):
        for column, text in zip(SCENARIO.columns, told[1:], strict=True):
            cells = row.cells[column.key]
            if any(word in text for word in HOLDS):
                found += 1
                assert len(cells) > 1, (row.datum, column.title)
            if len(cells) > 1:
                *before, after = (cell.check for cell in cells)
                assert set(before) == {Check.ABSENT}, (row.datum, column.title)
                assert after is not Check.ABSENT, (row.datum, column.title)
                assert sorted(cells, key=lambda cell: cell.at) == list(cells)
    assert found == 8


def test_what_is_taken_back_is_looked_at_before_and_after_by_all_who_had_it_from_others() -> None:
    [row] = [row for row in SCENARIO.rows if row.part == "indicators" and not row.is_table]
    for key in ("fr-other", "be-node", "be-hospital", "de-node", "de-hospital", "hub"):
        assert [cell.check for cell in row.cells[key]] == [Check.EQUALS, Check.ABSENT], key


def test_two_persons_in_different_roles_sign_whatever_takes_two() -> None:
    signed: dict[tuple[str, tuple[str, ...], str], set[str]] = {}
    for step in SCENARIO.steps:
        if step.act == "sign":
            key = (step.incident, step.to, step.reference)
            signed.setdefault(key, set()).add(SCENARIO.person(step.by).role)
    assert len(signed) == 5
    assert all(roles == {"operator", "analyst"} for roles in signed.values())


def test_every_canary_is_typed_in_somewhere() -> None:
    typed = "\n".join(
        [*(str(step.body) for step in SCENARIO.steps), *(org.name for org in SCENARIO.orgs)]
    )
    for texts in SCENARIO.canaries.values():
        for text in texts:
            assert text in typed


def test_what_is_nobodys_is_typed_only_where_it_is_refused() -> None:
    for text in SCENARIO.canaries[NOBODY]:
        steps = [step for step in SCENARIO.steps if text in str(step.body)]
        assert {step.act for step in steps} == {"refused"}
        assert all(step.finds for step in steps)


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ('by = "claire"', 'by = "clara"', "clara"),
        ('node = "be"\norg = "be-hospital"', 'node = "bx"\norg = "be-hospital"', "bx"),
        ('to = ["fr-police"]', 'to = ["fr-polise"]', "fr-polise"),
        ('files = "fr-police"', 'files = "fr-polise"', "fr-polise"),
        ('incident = "INC-FR-02"\nexact', 'incident = "INC-FR-20"\nexact', "INC-FR-20"),
        ('"absent"]', '"gone"]', "gone"),
        ('fr-other = ["', 'fr-oter = ["', "fr-oter"),
        ("[[row]]", "[[row", "line"),
    ],
)
def test_a_slip_in_the_file_is_told_by_name(before: str, after: str, named: str) -> None:
    text = files("node.demo").joinpath("cassiopee.toml").read_text(encoding="utf-8")
    assert before in text
    with pytest.raises(ScenarioError, match=named):
        read_scenario(text.replace(before, after, 1))
