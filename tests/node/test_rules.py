"""The rulebook in force is data of the node: there from the first start, alike for every process."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from node.node import Node, open_node
from node.rules import PROGRAM
from node.storage import audit
from node.storage.rulebooks import list_rulebooks
from node.storage.tables import rulebook
from policies.errors import BadRulebookError
from policies.rulebook import shipped
from tests.node.federation.ruling import NATIONAL, TIGHTER, put_in_force
from tests.node.nodes import HandClock, make_node


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = make_node(tmp_path, HandClock())
    yield made
    made.close()


def reopen(node: Node) -> Node:
    return replace(open_node(node.settings), clock=node.clock, wall=node.wall)


def spoil(node: Node, **values: str) -> None:
    """Change the row as another program would have left it."""
    with node.store.write() as unit:
        unit.connection.execute(update(rulebook).values(values))


def test_at_the_first_start_the_shipped_rulebook_of_the_settings_is_in_force(node: Node) -> None:
    assert node.judge.rulebook.digest == shipped("national").digest
    assert node.judge.rulebook.version == "1"
    with node.store.read() as unit:
        (row,) = list_rulebooks(unit.connection)
        assert [line.action for line in audit.latest(unit.connection, 9)][-1] == "rulebook.apply"
    assert (row.author, row.text, row.place) == (PROGRAM, NATIONAL, 1)


def test_another_name_in_the_settings_changes_nothing_after_the_first_start(node: Node) -> None:
    other = reopen(replace(node, settings=node.settings.model_copy(update={"rulebook": "closed"})))
    assert other.judge.rulebook.digest == shipped("national").digest
    other.close()


def test_what_one_process_applies_every_other_takes_up(node: Node) -> None:
    other = reopen(node)
    judge = other.judge
    assert other.judge is judge  # with its memory
    put_in_force(node, TIGHTER)
    assert other.judge.rulebook.digest == node.judge.rulebook.digest
    assert other.judge.rulebook.version == "2"
    other.close()


def test_a_piece_of_work_keeps_to_one_rulebook(node: Node) -> None:
    pinned = node.pinned()
    put_in_force(node, TIGHTER)
    assert pinned.judge.rulebook.version == "1"
    assert node.pinned().judge.rulebook.version == "2"


def test_a_program_with_another_floor_puts_the_same_text_in_force_as_another_rulebook(
    node: Node,
) -> None:
    spoil(node, digest="0" * 64)
    other = reopen(node)
    assert (other.judge.rulebook.version, other.judge.rulebook.text) == ("2", NATIONAL)
    again = reopen(node)
    with node.store.read() as unit:
        newest, _ = list_rulebooks(unit.connection)
    assert (newest.author, newest.base, newest.digest) == (PROGRAM, 1, shipped("national").digest)
    assert newest.why == "the program's floor has changed"
    other.close()
    again.close()


def test_a_node_whose_rulebook_the_program_cannot_read_does_not_start(node: Node) -> None:
    spoil(node, text=NATIONAL.replace("resource.tlp", "resource.colour"))
    with pytest.raises(BadRulebookError, match="colour"):
        reopen(node)
