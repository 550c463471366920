"""The rulebook in force: data of the node, alike for its server, its commands and its jobs.

Whoever asks gets what was applied last, by whichever process: the number in force is read every
time, the judge over its text is made once and remembers its verdicts. A piece of work that asks
more than once keeps to one answer (`Node.pinned`).
"""

from datetime import datetime

from node.storage import audit
from node.storage.feed import mark_all_dirty
from node.storage.rulebooks import (
    RulebookRow,
    add_rulebook,
    find_in_force,
    lock_rules,
    next_number,
    next_place,
    number_in_force,
)
from node.storage.store import Store
from policies.decide import Judge
from policies.rulebook import Rulebook, read_rulebook, shipped

PROGRAM = "program"  # the author of what nobody proposed


class Rules:
    """Gives the judge over the rulebook in force; safe to share between threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: tuple[int, Judge] | None = None

    def __call__(self) -> Judge:
        """Give the judge of this moment.

        Raises:
            BadRulebookError: the text in force is none to this program.
        """
        with self._store.read() as unit:
            kept = self._kept
            if kept is not None and kept[0] == number_in_force(unit.connection):
                return kept[1]
            row = find_in_force(unit.connection)
        if row is None:
            raise LookupError("no rulebook is in force: the node was not opened")
        judge = Judge(read_row(row))
        self._kept = row.number, judge
        return judge


def read_row(row: RulebookRow) -> Rulebook:
    """Give the rulebook of a row; its version is its number."""
    return read_rulebook(row.text, name=row.name, version=str(row.number))


def open_rules(store: Store, first: str, at: datetime) -> Rules:
    """Give the rules of a node that starts: at its first start the shipped rulebook `first`.

    A rulebook is digested with the program's floor. Where a newer program has another floor, the
    same text is another rulebook, and stands in the history as one.

    Raises:
        BadRulebookError: none of that name is shipped, or this program cannot read the text in
            force; the program that could must apply one that both can read.
    """
    with store.read() as unit:
        row = find_in_force(unit.connection)
    if row is None or read_row(row).digest != row.digest:
        _note_program(store, first, at)
    return Rules(store)


def _note_program(store: Store, first: str, at: datetime) -> None:
    with store.write() as unit:
        conn = unit.connection
        lock_rules(conn)
        row = find_in_force(conn)
        read = shipped(first) if row is None else read_row(row)
        if row is not None and read.digest == row.digest:
            return  # another process was first
        why = "the first start" if row is None else "the program's floor has changed"
        number = next_number(conn)
        new = RulebookRow(
            number=number,
            name=read.name,
            digest=read.digest,
            text=read.text,
            author=PROGRAM,
            why=why,
            proposed_at=at,
            base=None if row is None else row.number,
            widens=False,
            foreseen=(),
            place=next_place(conn),
            decided_at=at,
        )
        add_rulebook(conn, new)
        mark_all_dirty(conn)
        detail = {"number": number, "name": read.name, "digest": read.digest, "why": why}
        audit.append(conn, at, PROGRAM, "rulebook.apply", detail=detail)
