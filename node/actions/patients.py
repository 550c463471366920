"""Patient data at every door: what comes in is looked through before anything of it is stored.

What holds some is refused whole, with the place, the characters and the reason of each finding,
and never with the text. Where it is a false alarm a person says so, in a signed word about the id
of one finding; then exactly that text passes in exactly that kind of place, for the submitters of
that person's organisation, or for everybody if an operator said it.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from node.actions.caller import Caller
from node.actions.errors import BadInputError, ConflictError, NotAllowedError, check_said
from node.actions.evidence import find_refused
from node.actions.own import check_operator
from node.node import Node
from node.storage import audit
from node.storage.patients import (
    PatientReleaseRow,
    add_patient_release,
    patient_releases,
    released_among,
)
from node.storage.peers import begin_anew
from node.storage.store import Unit
from sharing.event import Attribute, Event, Object, Relation, ReportText
from sharing.incidents.indicator import read_indicator
from sharing.incidents.report import Report
from sharing.incidents.values import BadValueError
from sharing.patients.check import (
    MOST,
    Checked,
    Found,
    check_event,
    check_log,
    check_report,
    check_text,
)
from sharing.patients.find import find
from sharing.patients.release import PatientRelease, make_patient_release
from sharing.seal.holding import Holding
from sharing.seal.package import load_holding
from sharing.seal.records import Kind
from sharing.slots_read import read_log

CHECK = 8
"""The number of this check among those on arrival (decisions.md D33)."""
SHOWN = 500

_ID = re.compile(r"[0-9a-f]{32}")
_TOLD = 5  # findings named in a reason of quarantine
_ANY_TIME = datetime(1970, 1, 2, tzinfo=UTC)
_MAY_RELEASE = frozenset({"hospital", "operator"})

Look = Callable[[Collection[str]], Checked]
_Part = Attribute | Object | Relation | ReportText


class PatientDataError(BadInputError):
    """What was submitted holds patient data; `findings` say where and why, never what.

    `whole` is false where there were more than are told.
    """

    def __init__(self, findings: Iterable[Found], *, whole: bool) -> None:
        self.findings = tuple(findings)
        self.whole = whole
        (field, why), *others = ((each.path, _why(each)) for each in self.findings)
        if not whole:
            others.append(("", f"there is more: only {MOST} findings are told"))
        super().__init__(field, why, others)


@dataclass(frozen=True, slots=True)
class Released:
    """What a release came to: the ids that pass from now on, and how many of them were new."""

    findings: tuple[str, ...]
    new: int


# ── At the doors ─────────────────────────────────────────────────────────────────────────────────


def check_typed(
    node: Node, caller: Caller, event: Event, made: Collection[str] = (), *, within: str = ""
) -> tuple[Found, ...]:
    """Let an event pass that somebody brings; gives what of it a person has released.

    Parts whose uuid was `made` here are told by their number in the list, from 1; `within` is put
    before every path.

    Raises:
        PatientDataError: it holds patient data that nobody released.
    """

    def look(released: Collection[str]) -> Checked:
        return check_event(event, key=node.keys.patients, released=released)

    def path_of(path: str) -> str:
        steps = (numbers.get(step, step) for step in path.split("/"))
        return "/".join([within, *steps] if within else steps)

    numbers = {uuid: number for uuid, number in _numbers(event) if uuid in made}
    return _refuse(node, {caller.org, node.org}, look, path_of)


def check_stage(
    node: Node, caller: Caller, report: Report, words: Mapping[str, object]
) -> tuple[Found, ...]:
    """Let a report pass as it stands after the stage that said `words`.

    Raises:
        PatientDataError: it holds patient data that nobody released; places are told as they were
            typed (`affected_services[0].workaround`, `indicators[2].value`).
    """

    def look(released: Collection[str]) -> Checked:
        return check_report(report, key=node.keys.patients, released=released)

    def path_of(path: str) -> str:
        first, *steps = path.split("/")
        if first == "indicators":
            steps = [first, typed.get(steps[0], steps[0]), *steps[1:]]
        return steps[0] + "".join(f"[{s}]" if s.isdecimal() else f".{s}" for s in steps[1:])

    typed = _typed_indicators(report, words)
    return _refuse(node, {caller.org, node.org}, look, path_of)


def check_words(node: Node, caller: Caller, *, within: str = "", **texts: str) -> None:
    """Let texts pass that a person typed beside an act and that may leave with it.

    `within` is put before every place.

    Raises:
        PatientDataError: one of them holds patient data that nobody released.
    """
    for name, text in texts.items():

        def look(released: Collection[str], name: str = name, text: str = text) -> Checked:
            return check_text(name, text, key=node.keys.patients, released=released)

        _refuse(node, {caller.org, node.org}, look, lambda path: within + path)


def patient_data_in(node: Node, holding: Holding, held: Holding | None = None) -> str | None:
    """Say where a peer's disclosed texts hold patient data, in words without them; None: nowhere.

    Only what an operator of this node released passes. `held` is what a delta led on
    from.
    """
    masks = _news(holding, held)
    try:
        _refuse(node, {node.org}, lambda released: _look_through(node, holding, masks, released))
    except PatientDataError as error:
        told = [f"{each.path} ({each.finding.kind})" for each in error.findings[:_TOLD]]
        more = len(error.findings) - len(told)
        rest = [f"{more} more"] if error.whole and more else ["more"] if more else []
        return f"patients: {'; '.join([*told, *rest])}"
    return None


def noted(passed: Collection[Found]) -> Mapping[str, object]:
    """Give what the audit says of released findings that something was taken with."""
    if not passed:
        return {}
    return {
        "released": [
            {"finding": each.id, "kind": each.finding.kind, "place": each.place} for each in passed
        ]
    }


# ── A person's word ──────────────────────────────────────────────────────────────────────────────


def release_findings(
    node: Node, caller: Caller, findings: Collection[str], reason: str
) -> Released:
    """Say of findings, by the ids a refusal named, that they are no patient data; signed and kept.

    Raises:
        NotAllowedError: the caller comes with a token, or neither reports nor operates here.
        BadInputError: no id, one that is none, no reason, or one that holds patient data itself.
    """
    rows = _rows(node, caller, findings, reason)
    with node.store.write() as unit:
        new = _keep(node, unit, caller, rows)
    return Released(tuple(row.finding for row in rows), new)


def release_refused(node: Node, caller: Caller, number: int, reason: str) -> Released:
    """Release all findings of what a peer sent and check 8 refused; then its feed is read anew.

    The feed is read from its start, so that the item comes as it is now or not at all.

    Raises:
        NotAllowedError: the caller is no operator, or comes with a token.
        NotFoundError: nothing of that number was refused.
        ConflictError: it was refused for another reason, or is too large to have been kept.
        BadInputError: no reason is given, or one that holds patient data itself.
    """
    check_operator(caller, "release what a peer sent")
    row = find_refused(node, number)
    if row.check != CHECK:
        raise ConflictError(f"check {row.check} refused it, and nobody releases that")
    if not row.raw:
        raise ConflictError("it was too large to be kept: release its findings at its source")
    holding = load_holding(row.raw)
    rows = _rows(node, caller, _all_in(node, holding), reason)
    with node.store.write() as unit:
        new = _keep(node, unit, caller, rows, row.origin, row.event)
        begin_anew(unit.connection, row.src)
    return Released(tuple(row.finding for row in rows), new)


def list_releases(node: Node, caller: Caller) -> tuple[PatientReleaseRow, ...]:
    """Give the newest releases: all of them for staff, one's own organisation's for others."""
    with node.store.read() as unit:
        org = None if caller.is_staff else caller.org
        return patient_releases(unit.connection, org, limit=SHOWN)


def _rows(
    node: Node, caller: Caller, findings: Collection[str], reason: str
) -> tuple[PatientReleaseRow, ...]:
    """Sign a word for each finding; all that can be wrong with them is told first."""
    if caller.role not in _MAY_RELEASE:
        raise NotAllowedError("reporters and operators release what is no patient data")
    if caller.is_token:
        raise NotAllowedError("a person releases this: sign in at the console, a token is nobody")
    ids = tuple(dict.fromkeys(findings))
    if not ids:
        raise BadInputError("findings", "name at least one, by its id")
    if odd := [n for n, each in enumerate(ids) if not _ID.fullmatch(each)]:
        raise BadInputError(f"findings[{odd[0]}]", "is no id of a finding")
    reason = reason.strip()
    check_said("reason", reason)
    if found := find(reason):
        raise BadInputError("reason", f"{found[0].sentence}; say it without")
    now = node.clock()

    def signed(finding: str) -> PatientReleaseRow:
        said = PatientRelease(
            node.org, caller.org, finding, caller.name, caller.role, reason, iat=now
        )
        return PatientReleaseRow(
            finding=finding,
            org=caller.org,
            person=caller.name,
            role=caller.role,
            reason=reason,
            envelope=make_patient_release(said, node.signers),
            released_at=now,
        )

    return tuple(map(signed, ids))


def _keep(
    node: Node,
    unit: Unit,
    caller: Caller,
    rows: Iterable[PatientReleaseRow],
    origin: str | None = None,
    event: str | None = None,
) -> int:
    """Keep the words that are new, with one line for them; the reason stands in the words alone."""
    new = [row for row in rows if add_patient_release(unit.connection, row)]
    if new:
        acts = {row.finding: sha256(row.envelope).hexdigest() for row in new}
        audit.append(
            unit.connection,
            node.clock(),
            caller.name,
            "patients.release",
            origin,
            event,
            {"org": caller.org, "findings": acts},
        )
    return len(new)


# ── Looking ──────────────────────────────────────────────────────────────────────────────────────


def _refuse(
    node: Node, orgs: Collection[str], look: Look, path_of: Callable[[str], str] = str
) -> tuple[Found, ...]:
    """Give what was released for these organisations; the database is asked only after a finding.

    A look tells of so many findings at most: what is released among them makes room for others.
    """
    released: frozenset[str] = frozenset()
    checked = look(released)
    while checked.found:
        with node.store.read() as unit:
            more = released_among(unit.connection, [one.id for one in checked.found], orgs)
        if not more:
            break
        released |= more
        checked = look(released)
    if checked.found:
        found = (replace(one, path=path_of(one.path)) for one in checked.found)
        raise PatientDataError(found, whole=checked.whole)
    return checked.released


def _news(holding: Holding, held: Holding | None) -> Mapping[int, int]:
    """What of a holding is to be looked through; of one that a delta led to, what was appended.

    The rest was when it came. Attributes alone can be read without the rest; where anything else
    was appended, all is looked through.
    """
    if held is None:
        return holding.masks
    new = {at: mask for at, mask in holding.masks.items() if at >= held.statement.size}
    are_attributes = all(holding.records[at].header.kind == Kind.ATTRIBUTE for at in new)
    return new if are_attributes else holding.masks


def _look_through(
    node: Node, holding: Holding, masks: Mapping[int, int], released: Collection[str]
) -> Checked:
    """Look through these places of what is disclosed to us, whether or not we can read them."""
    slots = (slot for at in masks for slot in holding.records[at].slots if slot)
    return check_log(read_log(holding, masks), slots, key=node.keys.patients, released=released)


def _all_in(node: Node, holding: Holding) -> tuple[str, ...]:
    """Every finding in a holding, however many."""
    found: dict[str, None] = {}
    while checked := _look_through(node, holding, holding.masks, found.keys()).found:
        found |= dict.fromkeys(one.id for one in checked)
    return tuple(found)


def _numbers(event: Event) -> Iterable[tuple[str, str]]:
    """Each part's uuid with its number in its list, from 1."""
    inside = (thing.attributes for thing in event.objects)
    lists: tuple[Iterable[_Part], ...] = (
        *(event.attributes, event.objects, event.relations, event.reports),
        *inside,
    )
    for parts in lists:
        yield from ((part.uuid, str(n)) for n, part in enumerate(parts, start=1))


def _typed_indicators(report: Report, words: Mapping[str, object]) -> Mapping[str, str]:
    """Which place of the typed list each indicator of a report has, by uuid."""
    given = words.get("indicators")
    by_value = {(each.type, each.value): each.uuid for each in report.indicators}
    places: dict[str, str] = {}
    for n, item in enumerate(given if isinstance(given, list | tuple) else ()):
        try:
            read = read_indicator(item, uuid="", at=_ANY_TIME)
        except BadValueError:  # it was refused before
            continue
        uuid = read.uuid or by_value.get((read.type, read.value), "")
        places[uuid] = str(n)
    return places


def _why(each: Found) -> str:
    span = f"characters {each.finding.start + 1} to {each.finding.end}"
    return f"{span}: {each.finding.sentence} (finding {each.id})"
