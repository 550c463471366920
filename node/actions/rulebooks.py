"""The rulebook in force: proposed, looked at, approved, applied; and the history of all of them.

Whatever lets anybody have more needs a second operator, who sees what the first one saw; what only
takes back is applied at once. A proposal rests on the rulebook that was in force when it was made:
where another has taken its place, what was foreseen is no longer true, and it must be made anew.

Applying is one unit: the rulebook takes its place, every log that it touches is dirty, those first
from which something is taken back, and what it does not touch stands under it (D22). From that
moment no page and no reader goes by the old one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from node.actions.caller import Caller
from node.actions.errors import (
    ConflictError,
    NotAllowedError,
    NotFoundError,
    check_said,
)
from node.actions.foresee import Foreseen, foresee
from node.actions.own import check_operator
from node.actions.patients import check_words
from node.actions.rulebook_text import PolicyShown, check_rules, policies_of
from node.actions.touched import Turn, change_for_peers
from node.node import Node
from node.rules import read_row
from node.storage import audit
from node.storage.classes import all_classes
from node.storage.feed import mark_classes, rule_anew
from node.storage.rulebooks import (
    RulebookRow,
    add_rulebook,
    decide_rulebook,
    find_in_force,
    find_rulebook,
    list_rulebooks,
    lock_rules,
    next_number,
    next_place,
)
from node.storage.store import Unit
from policies.decide import Judge
from policies.errors import BadRulebookError
from policies.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class RulebookShown:
    """A rulebook in the history; `number` is its version, as peers see it.

    `state`: in force, replaced, waiting (for another operator), overtaken (another was put in force
    before it was approved) or rejected. `foreseen` is what its author was told would change.
    `decided_by` approved it or turned it down, with `note`; None: it needed nobody.
    """

    number: int
    name: str
    digest: str
    state: str
    widens: bool
    author: str
    why: str
    proposed_at: datetime
    foreseen: tuple[str, ...]
    decided_by: str | None
    decided_at: datetime | None
    note: str


@dataclass(frozen=True, slots=True)
class RulebookRead:
    """A rulebook with its text and policies, the node's own ones first."""

    about: RulebookShown
    text: str
    policies: tuple[PolicyShown, ...]


@dataclass(frozen=True, slots=True)
class Proposed:
    """A rulebook as it stands after an act; `is_new` False: the act changed nothing."""

    about: RulebookShown
    is_new: bool


def list_rules(node: Node, caller: Caller) -> tuple[RulebookShown, ...]:
    """Give every rulebook that was ever proposed here, newest first.

    Raises:
        NotAllowedError: the caller is not staff of this node.
    """
    _check_staff(caller)
    return kept_rules(node)


def kept_rules(node: Node) -> tuple[RulebookShown, ...]:
    """Give the same where the shell vouches for who asks."""
    with node.store.read() as unit:
        rows, force = list_rulebooks(unit.connection), find_in_force(unit.connection)
    return tuple(_shown(row, force) for row in rows)


def read_rules(node: Node, caller: Caller, number: int | None = None) -> RulebookRead:
    """Give one of them; without a number the one in force.

    Raises:
        NotAllowedError: the caller is not staff of this node.
        NotFoundError: there is none of this number.
    """
    _check_staff(caller)
    return find_rules(node, number)


def find_rules(node: Node, number: int | None = None) -> RulebookRead:
    """Give the same where the shell vouches for who asks.

    Raises:
        NotFoundError: there is none of this number.
    """
    with node.store.read() as unit:
        force = find_in_force(unit.connection)
        row = force if number is None else find_rulebook(unit.connection, number)
    if row is None:
        raise NotFoundError("rulebook")
    try:
        policies = policies_of(read_row(row))
    except BadRulebookError:
        policies = ()  # a program of earlier days could read it
    return RulebookRead(_shown(row, force), row.text, policies)


def foresee_rules(node: Node, caller: Caller, text: str, name: str) -> Foreseen:
    """Give what would change if the text took the place of the rulebook in force.

    Raises:
        NotAllowedError: the caller is no operator. BadInputError: the text is no rulebook.
    """
    check_operator(caller, "see what other rules would change")
    return foresee(node.pinned(), caller, Judge(check_rules(text, name)))


def foresee_proposal(node: Node, caller: Caller, number: int) -> Foreseen:
    """Give what a proposal would change as things stand now.

    Raises:
        NotAllowedError: the caller is no operator. NotFoundError: there is none of this number.
        BadInputError: this program cannot read its text.
    """
    found = read_rules(node, caller, number)
    return foresee_rules(node, caller, found.text, found.about.name)


def propose(node: Node, caller: Caller, text: str, name: str, why: str) -> Proposed:
    """Propose a rulebook; one that only takes back is put in force at once.

    Raises:
        NotAllowedError: the caller is no operator, or it widens and he comes with a token.
        BadInputError: the text is no rulebook, or no reason is given.
        PatientDataError: text, reason or a policy holds patient data that nobody released.
        ConflictError: it is in force already, or another took its place meanwhile.
    """
    check_operator(caller, "propose rules")
    check_said("why", why)
    node = node.pinned()
    turn = Turn(node.judge, Judge(check_rules(text, name)))
    if turn.old.rulebook.digest == turn.new.rulebook.digest:
        raise ConflictError("this rulebook is in force already")
    said = {f"policy {each.id}": each.reason for each in policies_of(turn.new.rulebook)}
    check_words(node, caller, why=why, name=name, text=text, **said)  # in a text it may be escaped
    seen = foresee(node, caller, turn.new)
    if seen.widens:
        _check_person(caller, "proposes")
    with node.store.write() as unit:
        conn = unit.connection
        lock_rules(conn)
        force = _still_in_force(unit, int(turn.old.rulebook.version))
        for row in list_rulebooks(conn):
            if row.digest == seen.digest and _state(row, force) == "waiting":
                return Proposed(_shown(row, force), is_new=False)
        row = _row_of(node, caller, unit, seen, turn.new.rulebook, why)
        add_rulebook(conn, row)
        detail = {"base": row.base, "widens": row.widens, "why": why}
        _note(unit, node, caller, "rulebook.propose", row, detail)
        if not row.widens:
            _put_in_force(unit, node, caller, row, turn, approver=None)
        return Proposed(_shown_now(unit, row.number), is_new=True)


def approve(node: Node, caller: Caller, number: int) -> Proposed:
    """Put in force what another operator proposed.

    Raises:
        NotAllowedError: the caller is no operator, comes with a token, or is its author.
        NotFoundError: no such number.
        ConflictError: it does not wait, or rests on what is no longer in force.
    """
    check_operator(caller, "approve rules")
    node = node.pinned()
    with node.store.read() as unit:
        row = _waiting(unit, number)
        facts = all_classes(unit.connection)
    _check_person(caller, "approves")
    if row.author == caller.name:
        raise NotAllowedError("another operator than the author must approve what widens")
    turn = Turn(node.judge, Judge(check_rules(row.text, row.name)))
    if turn.new.rulebook.digest != row.digest:
        raise ConflictError("this program's floor is another than its author's: propose it anew")
    change_for_peers(node, facts, turn)  # the judges remember: next time it is quick
    with node.store.write() as unit:
        lock_rules(unit.connection)
        _waiting(unit, number)
        _still_in_force(unit, int(turn.old.rulebook.version))
        _note(unit, node, caller, "rulebook.approve", row, {"author": row.author})
        _put_in_force(unit, node, caller, row, turn, approver=caller.name)
        return Proposed(_shown_now(unit, number), is_new=True)


def reject(node: Node, caller: Caller, number: int, reason: str) -> Proposed:
    """Turn a proposal down; its author may, too.

    Raises:
        NotAllowedError: the caller is no operator. NotFoundError: no such number.
        BadInputError: no reason is given. ConflictError: it was decided before.
        PatientDataError: the reason holds patient data that nobody released.
    """
    check_operator(caller, "reject rules")
    check_said("reason", reason)
    check_words(node, caller, reason=reason)
    with node.store.write() as unit:
        conn = unit.connection
        lock_rules(conn)
        row = find_rulebook(conn, number)
        if row is None:
            raise NotFoundError("rulebook")
        if row.decided_at is not None:
            raise ConflictError(f"rulebook {number} was decided before")
        decide_rulebook(
            conn, number, place=None, by=caller.name, at=node.clock(), note=reason.strip()
        )
        _note(unit, node, caller, "rulebook.reject", row, {"reason": reason.strip()})
        return Proposed(_shown_now(unit, number), is_new=True)


def _put_in_force(
    unit: Unit, node: Node, caller: Caller, row: RulebookRow, turn: Turn, approver: str | None
) -> None:
    """Let the rulebook take its place, with everything that rests on it; the rules are locked."""
    conn = unit.connection
    change = change_for_peers(node, all_classes(conn), turn)
    marked = mark_classes(conn, change.changed, change.lowered)
    rule_anew(conn, turn.old.rulebook.digest, row.digest)
    decide_rulebook(conn, row.number, place=next_place(conn), by=approver, at=node.clock())
    _note(unit, node, caller, "rulebook.apply", row, {"base": row.base, "logs": marked})


def _row_of(
    node: Node, caller: Caller, unit: Unit, seen: Foreseen, rulebook: Rulebook, why: str
) -> RulebookRow:
    return RulebookRow(
        number=next_number(unit.connection),
        name=rulebook.name,
        digest=rulebook.digest,
        text=rulebook.text,
        author=caller.name,
        why=why.strip(),
        proposed_at=node.clock(),
        base=seen.base,
        widens=seen.widens,
        foreseen=seen.sentences,
    )


def _waiting(unit: Unit, number: int) -> RulebookRow:
    row = find_rulebook(unit.connection, number)
    if row is None:
        raise NotFoundError("rulebook")
    state = _state(row, find_in_force(unit.connection))
    if state == "overtaken":
        raise ConflictError(f"rulebook {number} rests on {row.base}, which is no longer in force")
    if state != "waiting":
        raise ConflictError(f"rulebook {number} does not wait: {state}")
    return row


def _still_in_force(unit: Unit, number: int) -> RulebookRow:
    force = find_in_force(unit.connection)
    if force is None or force.number != number:
        raise ConflictError("another rulebook was put in force meanwhile: look at it anew")
    return force


def _shown_now(unit: Unit, number: int) -> RulebookShown:
    row = find_rulebook(unit.connection, number)
    if row is None:  # rows are never deleted
        raise LookupError(f"rulebook {number}")
    return _shown(row, find_in_force(unit.connection))


def _shown(row: RulebookRow, force: RulebookRow | None) -> RulebookShown:
    return RulebookShown(
        number=row.number,
        name=row.name,
        digest=row.digest,
        state=_state(row, force),
        widens=row.widens,
        author=row.author,
        why=row.why,
        proposed_at=row.proposed_at,
        foreseen=row.foreseen,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        note=row.note,
    )


def _state(row: RulebookRow, force: RulebookRow | None) -> str:
    number = None if force is None else force.number
    if row.place is not None:
        return "in force" if row.number == number else "replaced"
    if row.decided_at is not None:
        return "rejected"
    return "waiting" if row.base == number else "overtaken"


def _check_staff(caller: Caller) -> None:
    if not caller.is_staff:
        raise NotAllowedError("only the node's own staff reads its rules")


def _check_person(caller: Caller, does: str) -> None:
    """Two tokens that one program holds are not two operators."""
    if caller.is_token:
        raise NotAllowedError(f"a person {does} what widens: sign in at the console")


def _note(
    unit: Unit,
    node: Node,
    caller: Caller,
    action: str,
    row: RulebookRow,
    more: Mapping[str, object],
) -> None:
    detail = {"number": row.number, "name": row.name, "digest": row.digest, **more}
    audit.append(unit.connection, node.clock(), caller.name, action, detail=detail)
