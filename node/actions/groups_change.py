"""Making, changing and ending sharing groups: operators' acts, which re-label what is for them.

The source chose the group, so an operator's change of its members is the ground on which others get
what is for it, or no longer get it (D11): each log's ground and the audit chain name the group and
its version. All logs change in the unit that changes the group, or none does. An ended group stays
ended: who is to have something again is a new decision, and a new group.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from node.actions.caller import Caller
from node.actions.errors import BadInputError, ConflictError, NotAllowedError, NotFoundError
from node.actions.groups import Federation, GroupShown, known_group, shown
from node.actions.groups_met import check_group, described_row
from node.actions.own import check_operator
from node.actions.sealing import (
    OvertakenError,
    OwnLog,
    Version,
    fresh_uuid,
    next_version,
    read_own,
    told_time,
    until_settled,
    write_version,
)
from node.actions.stored import open_holding
from node.actions.towards import Target, find_target
from node.node import Node
from node.storage import audit
from node.storage.groups import (
    GroupRow,
    MemberRow,
    count_events,
    events_for,
    find_group,
    lock_groups,
    next_number,
    put_group,
    spreads_of,
)
from node.storage.store import Unit
from policies.printable import printable
from sharing.formats.misp_groups import Group
from sharing.formats.misp_members import is_uuid
from sharing.project import project
from sharing.regroup import Turn, regroup
from sharing.seal.records import Kind
from sharing.slots import Names

_WORDS = frozenset({"name", "releasability", "members", "roaming", "servers", "shows_members"})
_MEMBER = frozenset({"org", "name", "extend", "via"})
_SIDE = frozenset({Kind.LABEL, Kind.ADDRESSEE})
_LONGEST = 200
_MOST = 1000


@dataclass(frozen=True, slots=True)
class GroupChanged:
    """A group after an act; `relabelled` counts the events that were sealed anew for it."""

    group: GroupShown
    relabelled: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class PartyTurn:
    """What a change of a group means for one party, in events of this node."""

    party: str
    name: str
    newly: int
    taken: int
    changed: int


@dataclass(frozen=True, slots=True)
class GroupForeseen:
    """What a change would do, if it were made now: `events` would be sealed anew."""

    group: GroupShown
    events: int
    parties: tuple[PartyTurn, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The same in words."""
        return tuple(
            f"{n} event{'' if n == 1 else 's'} {what} {each.name}"
            for each in self.parties
            for n, what in (
                (each.newly, "newly to"),
                (each.taken, "taken from"),
                (each.changed, "with more or less for"),
            )
            if n
        )


@dataclass(frozen=True, slots=True)
class _Plan:
    """A change worked out: the row before and after it, and the versions it takes."""

    before: GroupRow | None
    after: GroupRow
    events: tuple[str, ...]
    versions: tuple[tuple[OwnLog, Version], ...]
    shown: GroupShown
    parties: frozenset[str]


def create_group(node: Node, caller: Caller, body: Mapping[str, object]) -> GroupChanged:
    """Make a group: `name`, and if need be `group` (its uuid), `members` and what else it has.

    Raises:
        NotAllowedError: the caller is no operator.
        BadInputError: names the member at fault.
        PatientDataError: its words hold patient data that nobody released.
        ConflictError: a group of that uuid is there.
    """
    check_operator(caller, "make sharing groups")
    words = dict(body)
    group = _uuid("group", words.pop("group")) if words.get("group") else fresh_uuid(node)
    words.pop("group", None)
    if "name" not in words:
        raise BadInputError("name", "is missing")
    new = _said(node, caller, group, words)

    def plan(unit: Unit) -> _Plan:
        if find_group(unit.connection, group) is not None:
            raise ConflictError(f"sharing group {group} is there already")
        return _plan(node, unit, caller, None, new)

    return _act(node, caller, plan, "group.create")


def change_group(
    node: Node, caller: Caller, group: str, body: Mapping[str, object]
) -> GroupChanged:
    """Change what the body names of a group, and re-label what is for it; the rest stays.

    The same again reaches whoever has come within reach since.

    Raises:
        NotAllowedError, NotFoundError, BadInputError, PatientDataError: as their words say.
        ConflictError: it has ended, or others keep changing the same events.
    """
    check_operator(caller, "change sharing groups")
    _said(node, caller, group, body)
    return _act(
        node, caller, lambda unit: _changed(node, unit, caller, group, body), "group.change"
    )


def end_group(node: Node, caller: Caller, group: str) -> GroupChanged:
    """End a group: what is for it goes to nobody any more, and is taken back from its members.

    Raises:
        NotAllowedError, NotFoundError, ConflictError: as their words say.
    """
    check_operator(caller, "end sharing groups")

    def plan(unit: Unit) -> _Plan:
        before = known_group(unit, caller, group)
        return _plan(node, unit, caller, before, replace(before, active=False))

    return _act(node, caller, plan, "group.end")


def foresee_group(
    node: Node, caller: Caller, group: str, body: Mapping[str, object], *, ends: bool = False
) -> GroupForeseen:
    """Say what a change of a group would give to whom, and take from whom, before it is made.

    Raises:
        NotAllowedError, NotFoundError, BadInputError, ConflictError: as their words say.
    """
    check_operator(caller, "change sharing groups")
    node = node.pinned()
    with node.store.read() as unit:
        if ends:
            before = known_group(unit, caller, group)
            plan = _plan(node, unit, caller, before, replace(before, active=False))
        else:
            plan = _changed(node, unit, caller, group, body)
        turns = [_turn_of(node, unit, plan, party) for party in sorted(plan.parties)]
    told = tuple(each for each in turns if each and (each.newly or each.taken or each.changed))
    return GroupForeseen(plan.shown, len(plan.versions), told)


def _said(node: Node, caller: Caller, group: str, body: Mapping[str, object]) -> GroupRow:
    """Give what a body says, as a group that has nothing else; its words are looked through."""
    row = _with(described_row(node, caller, Group("", uuid=group, roaming=True)), body)
    check_group(node, caller, row)
    return row


def _changed(
    node: Node, unit: Unit, caller: Caller, group: str, body: Mapping[str, object]
) -> _Plan:
    before = known_group(unit, caller, group)
    if not before.active:
        raise ConflictError("this sharing group has ended; make another one")
    return _plan(node, unit, caller, before, _with(before, body))


def _plan(
    node: Node, unit: Unit, caller: Caller, before: GroupRow | None, after: GroupRow
) -> _Plan:
    """Work a change out: nothing is written, and each version is sealed but kept nowhere."""
    conn, federation = unit.connection, Federation(node, unit)
    members = (replace(m, name=m.name or federation.name_of(m.org)) for m in after.members)
    after = replace(after, members=tuple(sorted(members, key=lambda each: (each.name, each.org))))
    reach = federation.reach(after)
    known = frozenset() if before is None else frozenset(before.reached)
    was = frozenset() if before is None else frozenset(federation.reach(before)) | known
    after = replace(after, reached=tuple(sorted(reach)))
    if after != before:
        after = replace(after, version=after.version + 1, changed_at=node.clock())
    turn = Turn(after.group, reach, frozenset(reach) - known)
    events, versions = events_for(conn, after.group), list[tuple[OwnLog, Version]]()
    for event in events:
        own = read_own(unit, node.org, event)
        version = None if own is None else _version(node, unit, own, turn, after)
        if own is not None and version is not None:
            versions.append((own, version))
    counted = count_events(conn).get(after.group, 0)
    told = shown(federation, caller, after, counted)
    return _Plan(before, after, events, tuple(versions), told, was.union(reach))


def _version(node: Node, unit: Unit, own: OwnLog, turn: Turn, row: GroupRow) -> Version | None:
    spreads = spreads_of(unit.connection, own.row.event)
    names = Names.of(own.holding, lambda: fresh_uuid(node))
    change = regroup(own.holding, names, spreads, turn)
    groups = own.row.ground.get("groups")
    rests_on = {**(groups if isinstance(groups, Mapping) else {}), row.group: row.version}
    ground = {**own.row.ground, "groups": rests_on}
    sealed_at = told_time(node, own.row.source or node.org)
    return next_version(node, own, change, sealed_at, ground=ground)


def _act(node: Node, caller: Caller, plan: Callable[[Unit], _Plan], action: str) -> GroupChanged:
    def once() -> GroupChanged:
        with node.store.read() as unit:
            planned = plan(unit)
        if planned.after == planned.before and not planned.versions:
            return GroupChanged(planned.shown, 0, is_new=False)
        _check_is_person(node, caller, planned)
        with node.store.write() as unit:
            return _write(node, unit, caller, planned, action)

    return until_settled(once)


def _check_is_person(node: Node, caller: Caller, plan: _Plan) -> None:
    """Refuse that a token lets more parties have what hospitals brought."""
    known = () if plan.before is None else plan.before.reached
    is_wider = not set(known).issuperset(plan.after.reached)
    of_others = any(own.row.source not in {None, node.org} for own, _ in plan.versions)
    if is_wider and of_others and caller.is_token:
        raise NotAllowedError("a person lets others have what hospitals brought: sign in")


def _write(node: Node, unit: Unit, caller: Caller, plan: _Plan, action: str) -> GroupChanged:
    conn, after = unit.connection, plan.after
    for _, version in plan.versions:
        write_version(unit, version)
    lock_groups(conn, [after.group])
    if find_group(conn, after.group) != plan.before or events_for(conn, after.group) != plan.events:
        raise OvertakenError(f"sharing group {after.group} was changed meanwhile")
    if plan.before is None:
        after = replace(after, number=next_number(conn))
    put_group(conn, after)
    now, ground = node.clock(), {"group": after.group, "version": after.version}
    known = frozenset(() if plan.before is None else plan.before.reached)
    detail = {
        **ground,
        "name": after.name,
        "active": after.active,
        "members": [{"org": m.org, "via": m.via} for m in after.members],
        "added": sorted(set(after.reached) - known),
        "removed": sorted(known - set(after.reached)),
        "events": len(plan.versions),
    }
    audit.append(conn, now, caller.name, action, detail=detail)
    for own, version in plan.versions:
        told = {**ground, "seal": version.log.seal}
        audit.append(conn, now, caller.name, "event.regroup", node.org, own.row.event, told)
    group = replace(plan.shown, number=after.number)
    return GroupChanged(group, len(plan.versions), is_new=True)


def _turn_of(node: Node, unit: Unit, plan: _Plan, party: str) -> PartyTurn | None:
    """What a party gains and loses; None: it left the federation, and has gone with all it had."""
    newly = taken = changed = 0
    name = party
    for own, version in plan.versions:
        try:
            target = find_target(node, unit, own.row, version.holding, party)
        except NotFoundError:
            return None
        name = target.name
        before = _offered(node, own, None, target)
        after = _offered(node, own, version, target)
        newly += bool(after and not before)
        taken += bool(before and not after)
        changed += bool(before and after and before != after)
    return PartyTurn(party, name, newly, taken, changed)


def _offered(
    node: Node, own: OwnLog, version: Version | None, target: Target
) -> frozenset[tuple[bytes | None, ...]]:
    """What the party may have of a version: its records' disclosed slots."""
    if target.refused:
        return frozenset()
    holding = own.holding if version is None else open_holding(version.holding)
    seen = project(
        holding, target.party, target.standing, node.judge, target.releases, node.clock()
    )
    return frozenset(
        tuple(slot if mask >> n & 1 else None for n, slot in enumerate(holding.records[i].slots))
        for i, mask in seen.masks.items()
        if holding.records[i].header.kind not in _SIDE
    )


def _with(row: GroupRow, body: Mapping[str, object]) -> GroupRow:
    """Give the row with what a body says.

    Raises:
        BadInputError: names the member at fault.
    """
    if unknown := sorted(set(body) - _WORDS):
        raise BadInputError(printable(unknown[0]), "is no member of a sharing group")
    changed: dict[str, Any] = {}
    if "name" in body:
        changed["name"] = _text(body, "name")
        if not changed["name"]:
            raise BadInputError("name", "is empty")
    if "releasability" in body:
        changed["releasability"] = _text(body, "releasability", 4000)
    for flag in ("roaming", "shows_members"):
        if flag in body:
            changed[flag] = _flag(body, flag)
    if "servers" in body:
        changed["servers"] = tuple(_servers(body["servers"]))
    if "members" in body:
        changed["members"] = _members(body["members"])
    return replace(row, **changed)


def _members(given: object) -> tuple[MemberRow, ...]:
    if not isinstance(given, list) or len(given) > _MOST:
        raise BadInputError("members", f"is no list of at most {_MOST} organisations")
    found: dict[str, MemberRow] = {}
    for n, each in enumerate(given):
        at = f"members[{n}]"
        words: Mapping[str, object] = {"org": each} if isinstance(each, str) else _object(at, each)
        if unknown := sorted(set(words) - _MEMBER):
            raise BadInputError(f"{at}.{printable(unknown[0])}", "is no member of a group's member")
        org = _uuid(f"{at}.org", words.get("org"))
        if org in found:
            raise BadInputError(at, "is in the group already")
        via = words.get("via")
        found[org] = MemberRow(
            org=org,
            name=_text(words, "name") if words.get("name") is not None else "",
            extend=_flag(words, "extend") if "extend" in words else False,
            via=None if via in {None, ""} else _uuid(f"{at}.via", via),
        )
    return tuple(found.values())


def _servers(given: object) -> Iterable[str]:
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise BadInputError("servers", "is no list of addresses")
    return dict.fromkeys(each.strip().rstrip("/") for each in given if each.strip())


def _object(at: str, given: object) -> Mapping[str, object]:
    if not isinstance(given, Mapping):
        raise BadInputError(at, "is neither a uuid nor an object with `org`")
    return given


def _text(body: Mapping[str, object], name: str, longest: int = _LONGEST) -> str:
    given = body.get(name)
    if not isinstance(given, str) or len(given) > longest or not given.isprintable():
        raise BadInputError(name, f"is no text on one line of at most {longest} characters")
    return given.strip()


def _flag(body: Mapping[str, object], name: str) -> bool:
    given = body.get(name)
    if not isinstance(given, bool):
        raise BadInputError(name, "is neither true nor false")
    return given


def _uuid(at: str, given: object) -> str:
    text = given.strip().lower() if isinstance(given, str) else ""
    if not is_uuid(text):
        raise BadInputError(at, "is no uuid")
    return text
