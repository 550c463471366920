"""What peers signed, at the shell: recalls followed, refusals shown and taken out."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from federation.receipt import name_of_item
from node.actions.errors import BadInputError, NotFoundError
from node.actions.sealing import read_own
from node.commands.shown import opened
from node.storage.quarantine import QuarantineRow, add_quarantine
from node.storage.receipts import (
    DueReceipt,
    GivenItem,
    GotReceipt,
    Waiting,
    add_due,
    add_got,
    add_items,
    put_off,
    settle,
)
from sharing.seal.records import Kind
from tests.node.nodes import ORG, START
from tests.node.test_cli import Shell, shell
from tests.node.test_cli_holds import event

__all__ = ["event", "shell"]

PEER = "1a6f1f3e-0002-4000-8000-00000000be02"
ITEM = name_of_item(b"{}")


def test_how_far_a_recall_is_can_be_asked_at_the_shell(shell: Shell, event: str) -> None:
    nothing = "nothing of it was taken back from anybody"
    assert shell("recall", ORG, event, "--status").strip() == nothing
    with pytest.raises(BadInputError, match="reason"):
        shell("recall", ORG, event)
    one = ("recall", ORG, event, "--reason", "error", "--attribute")
    with pytest.raises(BadInputError, match="no attribute of this event"):
        shell(*one, PEER)
    with opened(shell.data) as node, node.store.read() as unit:
        own = read_own(unit, ORG, event)
    assert own is not None
    uuid = next(iter(own.holding.things[Kind.ATTRIBUTE]))
    assert shell(*one, uuid).strip() == f"1 attributes of event {event}: recalled"
    with pytest.raises(NotFoundError):
        shell("recall", ORG, PEER, "--status")


def test_what_a_peer_refused_is_listed_and_its_word_printed(shell: Shell, event: str) -> None:
    given = GivenItem(PEER, ITEM, 1, ORG, event, "PUT", 0, 1)
    got = GotReceipt(
        PEER, ITEM, "refused", ORG, event, 0, 1, 7, "not-addressed", 0, 0, START, START, b"{word}"
    )
    with opened(shell.data) as node, node.store.write() as unit:
        add_items(unit.connection, [given])
        assert add_got(unit.connection, got)
    told = f"refused event {event} version 0.1: not-addressed (check 7), 2026-01-27 07:40:00Z"
    assert told in shell("peer", "list")
    assert shell("peer", "receipt", "1").strip() == "{word}"
    with pytest.raises(NotFoundError):
        shell("peer", "receipt", "2")


def test_the_quarantine_says_how_far_our_refusal_is(shell: Shell, event: str) -> None:
    refused = QuarantineRow(PEER, 7, PEER, event, 7, "not-addressed: x", b"{}", b"", START)
    owed = DueReceipt(PEER, ITEM, "refused", PEER, event, "PUT", 0, 1, 0, 0, b"{}", START)
    sent = Waiting(PEER, ITEM, "refused", b"{}")
    with opened(shell.data) as node, node.store.write() as unit:
        assert add_quarantine(unit.connection, refused)
    assert shell("quarantine", "list").rstrip().endswith("-")
    acts: list[tuple[Callable[[Connection], object], str]] = [
        (lambda conn: add_due(conn, owed), "refusal due"),
        (lambda conn: put_off(conn, PEER, 2, until=START), "refusal not taken after 2 tries"),
        (lambda conn: settle(conn, sent, taken=True, at=START), "refusal taken 2026-01-27"),
    ]
    for act, words in acts:
        with opened(shell.data) as node, node.store.write() as unit:
            act(unit.connection)
        assert words in shell("quarantine", "list")
