"""From what somebody typed or brought to an event of ours, ready to be written.

Who submits an event is its source and stands in it as its creator. A hospital's event that says no
colour is AMBER+STRICT (D13); the node's own staff must choose one. What a hospital submits goes
under uuids of ours (`aliases.py`), tells the hour and not the minute, and names it to nobody else.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import orjson

from node.actions.caller import Caller
from node.actions.errors import BadInputError, ConflictError, NotAllowedError
from node.actions.groups_met import Met
from node.actions.patients import check_typed
from node.actions.sealing import (
    Birth,
    OwnLog,
    Version,
    first_version,
    fresh_uuid,
    next_version,
    read_own,
    told_time,
)
from node.actions.untold import untold, untold_attributes
from node.node import Node
from node.storage.groups import GroupRow
from node.storage.logs import find_log
from node.storage.people import Org
from policies.label import Label
from policies.printable import printable
from policies.tlp import Pap, Tlp, read_pap, read_tlp
from sharing.event import (
    NOBODY,
    Attribute,
    Audience,
    Draft,
    read_marks,
)
from sharing.formats.misp import BadMispError, MispEvent, read_misp
from sharing.patients.check import Found
from sharing.seal.records import Kind
from sharing.slots import Names, cut_event, diff
from sharing.slots_read import read_log

_BODY = frozenset({"Event", "tlp", "pap", "addressees", "only", "publish"})
_UNVERIFIED = "unverified-origin"


@dataclass(frozen=True, slots=True)
class Added:
    """Attributes that somebody adds; `passed` and `adopted` as a whole event has them."""

    attributes: tuple[Attribute, ...]
    passed: tuple[Found, ...]
    adopted: tuple[GroupRow, ...]


@dataclass(frozen=True, slots=True)
class Typed:
    """A draft from the API: with the digest of what was sent, so that sending it twice is seen.

    `passed` are the findings of patient data that a person released, `adopted` the sharing groups
    that become ours with it.
    """

    draft: Draft
    content: str
    publish: bool
    passed: tuple[Found, ...]
    adopted: tuple[GroupRow, ...]


def read_body(node: Node, caller: Caller, home: Org, body: Mapping[str, object]) -> Typed:
    """Give the draft that a submission holds: `Event` as MISP has it, its colour, whom it names.

    Raises:
        BadInputError: names the member at fault, or the places that hold patient data.
        NotAllowedError: somebody else than an operator wants it published at once.
    """
    if unknown := sorted(set(body) - _BODY):
        raise BadInputError(printable(unknown[0]), "is no member of a submission")
    publish = _flag(body, "publish")
    if publish and caller.role != "operator":
        raise NotAllowedError("only an operator publishes")
    content = _content(body)
    given = body.get("Event")
    if not caller.is_staff:
        given = _named(given, content)
    event, made = _event(node, given, told_time(node, caller.org))
    named, only = _addressees(node, body.get("addressees")), _flag(body, "only")
    if only and not named:
        raise BadInputError("addressees", "name nobody, so that `only` would keep it from all")
    intake = Label(_tlp(caller, body.get("tlp"), event), _pap(body.get("pap")), only=only)
    met = Met(node, caller, by_number=True)
    draft = event.draft(
        intake=intake,
        own_org=node.org,
        source=caller.org,
        creator=caller.org,  # who submits it made it, whatever it claims
        reach=met,
    )
    passed = check_typed(node, caller, draft.event, made)
    met.check()
    _refuse_noted(draft)
    if named and draft.audience:
        raise BadInputError("addressees", "its distribution names an audience already")
    whole = replace(draft.event, orgc={"uuid": home.org, "name": home.name})
    label = replace(draft.label, categories=draft.label.categories - {_UNVERIFIED})
    draft = replace(
        draft,
        event=whole,
        label=label,
        audience=draft.audience or named,
        at_least=Tlp.CLEAR,  # the source may say of a part that it goes further than the whole
    )
    adopted = tuple(met.adopted.values())
    return Typed(untold(node, caller, draft), content, publish, passed, adopted)


def _refuse_noted(draft: Draft) -> None:
    """Tell whoever is there to hear it that what he names reaches nobody.

    Raises:
        BadInputError: a level or a sharing group is none of those he may choose from.
    """
    if draft.notes:
        raise BadInputError("Event", "; ".join(draft.notes))


def read_attributes(node: Node, caller: Caller, own: OwnLog, given: object, label: Label) -> Added:
    """Give the attributes a caller wants added to an event under this label.

    One that came without a uuid and is there already (type, category, value) is left out.

    Raises:
        BadInputError: names the member at fault, or the places that hold patient data.
    """
    source = own.row.source or node.org
    body = {"uuid": own.row.event, "info": "-", "Attribute": given}
    event, made = _event(node, body, told_time(node, source))
    met = Met(node, caller, by_number=True)
    read = event.draft(intake=label, own_org=node.org, source=source, reach=met)
    passed = check_typed(node, caller, read.event, made)
    met.check()
    _refuse_noted(read)
    known = {_what(each) for each in read_log(own.holding).event.attributes}
    named = {str(each.get("uuid")).lower() for each in given} if isinstance(given, list) else set()
    added = [
        each for each in read.event.attributes if each.uuid in named or _what(each) not in known
    ]
    if source != node.org:
        added = untold_attributes(node, source, added)
    _refuse_taken(own, added)
    return Added(tuple(added), passed, tuple(met.adopted.values()))


def _refuse_taken(own: OwnLog, added: Iterable[Attribute]) -> None:
    """Refuse an attribute under the uuid of the event, or of another sort of part of it."""
    things = own.holding.things.items()
    taken = {uuid for kind, uuids in things if kind != Kind.ATTRIBUTE for uuid in uuids}
    for each in added:
        if each.uuid in taken:
            raise BadInputError("Attribute", f"the uuid {each.uuid} is that of another part")


def make_event(
    node: Node,
    draft: Draft,
    *,
    published: bool,
    content: str | None = None,
    anew: bool = False,
) -> Version | OwnLog:
    """Give the first version of a new event; or the log as it is, if it is there and says the same.

    With `anew`, an event that its source has not let go of yet becomes what the draft says: nobody
    else has seen it, so its colour may still be chosen.

    Raises:
        ConflictError: an event of that uuid is there and says something else, or was recalled.
    """
    uuid = draft.event.uuid
    with node.store.read() as unit:
        row = find_log(unit.connection, node.org, uuid)
        own = read_own(unit, node.org, uuid)
    if row is None:
        return _new_event(node, draft, published=published, content=content)
    if own is None or row.report is not None or row.type != "event":
        raise ConflictError(f"the uuid {uuid} is taken: by a recalled event, or by an incident")
    records = cut_event(draft, Names.of(own.holding, lambda: fresh_uuid(node)))
    change = diff(own.holding, records)
    is_same = content is not None and row.ground.get("content") == content
    if is_same or not (change.append or change.void):
        return own
    if anew and not own.row.published and own.row.source == draft.source:
        version = next_version(node, own, change, told_time(node, draft.source))
        return own if version is None else replace(version, spreads=draft.spreads)
    raise ConflictError(f"event {uuid} is there and says something else, or has another colour")


def _new_event(node: Node, draft: Draft, *, published: bool, content: str | None) -> Version:
    records = cut_event(draft, Names.of(None, lambda: fresh_uuid(node)))
    ground: dict[str, object] = {"act": "own"}  # its source chose its labels itself (D11)
    if content is not None:
        ground["content"] = content
    birth = Birth("event", draft.event.uuid, draft.source, ground, published=published)
    version = first_version(node, birth, records, told_time(node, draft.source))
    return replace(version, spreads=draft.spreads)


def _content(body: Mapping[str, object]) -> str:
    """Give the digest of what was sent, whatever the order of its members."""
    digest = hashlib.sha256()
    for name in sorted(body):
        digest.update(_json(name, body[name]))
    return digest.hexdigest()


def _json(name: str, given: object) -> bytes:
    try:
        return orjson.dumps({name: given}, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise BadInputError(name, "is nested too deep, or no JSON can hold it") from error


def _named(given: object, content: str) -> object:
    """Give an event that came without a uuid one made of what was sent: again is the same."""
    if not isinstance(given, Mapping) or "uuid" in given:
        return given
    return {**given, "uuid": str(UUID(bytes=bytes.fromhex(content)[:16], version=4))}


def _event(node: Node, given: object, now: datetime) -> tuple[MispEvent, list[str]]:
    """Give the event as MISP has it, and the uuids made for parts that came without."""
    raw, made = _json("Event", given), list[str]()

    def fresh() -> str:
        made.append(fresh_uuid(node))
        return made[-1]

    try:
        (event,) = read_misp(raw, name="submission", fresh=fresh, now=now, choices=True)
    except BadMispError as error:
        raise BadInputError(error.where or "Event", error.why) from error
    return event, made


def _tlp(caller: Caller, given: object, event: MispEvent) -> Tlp:
    """Give the colour the caller chose: by `tlp`, or by a tag on the event."""
    if given is not None:
        tlp = read_tlp(given) if isinstance(given, str) else None
        if tlp is None:
            raise BadInputError("tlp", "is none of clear, green, amber, amber+strict, red")
        return tlp
    tagged = read_marks(event.event.tags).tlp
    if tagged is None and caller.is_staff:
        raise BadInputError("tlp", "is missing: clear, green, amber, amber+strict or red")
    return tagged or Tlp.AMBER_STRICT


def _pap(given: object) -> Pap:
    if given is None:
        return Pap.CLEAR
    pap = read_pap(given) if isinstance(given, str) else None
    if pap is None:
        raise BadInputError("pap", "is none of clear, green, amber, red")
    return pap


def _addressees(node: Node, given: object) -> Audience:
    """Give the members of the federation, and the communities of members, that are named."""
    if given is None:
        return NOBODY
    if not isinstance(given, list):
        raise BadInputError("addressees", "is no list of uuids")
    members = node.registry.members
    communities = {each for member in members.values() for each in member.communities}
    for n, one in enumerate(given):
        if not isinstance(one, str) or (one not in members and one not in communities):
            raise BadInputError(f"addressees[{n}]", "is no member of the federation")
    named = frozenset(given)
    return Audience(named.intersection(members), named.intersection(communities))


def _what(attribute: Attribute) -> tuple[str, str, str | None]:
    return attribute.type, attribute.category, attribute.value


def _flag(body: Mapping[str, object], name: str) -> bool:
    given = body.get(name, False)
    if not isinstance(given, bool):
        raise BadInputError(name, "is neither true nor false")
    return given
