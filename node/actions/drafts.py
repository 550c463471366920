"""From what somebody typed or brought to an event of ours, ready to be written.

Who submits an event is its source and stands in it as its creator. A hospital's event that says no
colour is AMBER+STRICT (D13); the node's own staff must choose one. A uuid that tells of the machine
or minute it was made on is replaced in what a hospital submits, and so is one that a log has which
the caller may not see (D4).
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

import orjson

from node.actions.caller import Caller
from node.actions.errors import BadInputError, ConflictError, NotAllowedError
from node.actions.sealing import Birth, OwnLog, Version, first_version, fresh_uuid, read_own
from node.node import Node
from node.storage.logs import find_log
from node.storage.people import Org
from policies.label import Label
from policies.tlp import Pap, Tlp, read_pap, read_tlp
from sharing.event import (
    NOBODY,
    Attribute,
    Audience,
    Draft,
    Event,
    read_marks,
)
from sharing.formats.misp import BadMispError, MispEvent, read_misp
from sharing.slots import Names, cut_event, diff
from sharing.slots_read import read_log

_BODY = frozenset({"Event", "tlp", "pap", "addressees", "only", "publish"})
_TELLING = frozenset({1, 6, 7})  # versions of uuid that hold an address or an instant
_UNVERIFIED = "unverified-origin"


@dataclass(frozen=True, slots=True)
class Typed:
    """A draft from the API: with the digest of what was sent, so that sending it twice is seen."""

    draft: Draft
    content: str
    publish: bool


def read_body(node: Node, caller: Caller, home: Org, body: Mapping[str, object]) -> Typed:
    """Give the draft that a submission holds: `Event` as MISP has it, its colour, whom it names.

    Raises:
        BadInputError: names the member at fault.
        NotAllowedError: somebody else than an operator wants it published at once.
    """
    if unknown := sorted(set(body) - _BODY):
        raise BadInputError(unknown[0], "is no member of a submission")
    publish = _flag(body, "publish")
    if publish and caller.role != "operator":
        raise NotAllowedError("only an operator publishes")
    event = _event(node, body.get("Event"))
    named, only = _addressees(node, body.get("addressees")), _flag(body, "only")
    if only and not named:
        raise BadInputError("addressees", "name nobody, so that `only` would keep it from all")
    intake = Label(_tlp(caller, body.get("tlp"), event), _pap(body.get("pap")), only=only)
    draft = event.draft(intake=intake, own_org=node.org, source=caller.org)
    if named and draft.audience:
        raise BadInputError("addressees", "its distribution names an audience already")
    whole = replace(draft.event, orgc={"uuid": home.org, "name": home.name})
    if not caller.is_staff:
        whole = without_telling_uuids(whole, lambda: fresh_uuid(node))
    label = replace(draft.label, categories=draft.label.categories - {_UNVERIFIED})
    return Typed(
        replace(
            draft,
            event=whole,
            label=label,
            audience=draft.audience or named,
            at_least=Tlp.CLEAR,  # the source may say of a part that it goes further than the whole
        ),
        hashlib.sha256(orjson.dumps(dict(body), option=orjson.OPT_SORT_KEYS)).hexdigest(),
        publish,
    )


def read_attributes(node: Node, own: OwnLog, given: object, label: Label) -> tuple[Attribute, ...]:
    """Give the attributes a caller wants added to an event under this label.

    One that came without a uuid and is there already (type, category, value) is left out.

    Raises:
        BadInputError: names the member at fault.
    """
    event = _event(node, {"uuid": own.row.event, "info": "-", "Attribute": given})
    read = event.draft(intake=label, own_org=node.org, source=own.row.source or node.org)
    known = {_what(each) for each in read_log(own.holding).event.attributes}
    named = {str(each.get("uuid")).lower() for each in given} if isinstance(given, list) else set()
    return tuple(
        each for each in read.event.attributes if each.uuid in named or _what(each) not in known
    )


def make_event(
    node: Node, caller: Caller, draft: Draft, *, published: bool, content: str | None = None
) -> Version | OwnLog:
    """Give the first version of a new event; or the log as it is, if it is there and says the same.

    Raises:
        ConflictError: an event of that uuid is there and says something else, or was recalled.
    """
    uuid = draft.event.uuid
    with node.store.read() as unit:
        row = find_log(unit.connection, node.org, uuid)
        own = read_own(unit, node.org, uuid)
    if row is not None and not (caller.is_staff or row.source == caller.org):
        draft = replace(draft, event=replace(draft.event, uuid=fresh_uuid(node)))
        row = None
    if row is None:
        return _new_event(node, draft, published=published, content=content)
    if own is None or row.report is not None or row.type != "event":
        raise ConflictError(f"the uuid {uuid} is taken: by a recalled event, or by an incident")
    records = cut_event(draft, Names.of(own.holding, lambda: fresh_uuid(node)))
    change = diff(own.holding, records)
    is_same = content is not None and row.ground.get("content") == content
    if is_same or not (change.append or change.void):
        return own
    raise ConflictError(f"event {uuid} is there and says something else; add attributes to it")


def without_telling_uuids(event: Event, fresh: Callable[[], str]) -> Event:
    """Give the event with random uuids instead of those that tell where or when they were made."""
    renamed: dict[str, str] = {}

    def name(uuid: str) -> str:
        if UUID(uuid).version not in _TELLING:
            return uuid
        return renamed.setdefault(uuid, fresh())

    def attributes(given: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
        return tuple(replace(each, uuid=name(each.uuid)) for each in given)

    return replace(
        event,
        uuid=name(event.uuid),
        attributes=attributes(event.attributes),
        objects=tuple(
            replace(each, uuid=name(each.uuid), attributes=attributes(each.attributes))
            for each in event.objects
        ),
        reports=tuple(replace(each, uuid=name(each.uuid)) for each in event.reports),
        relations=tuple(
            replace(
                each,
                uuid=name(each.uuid),
                object_uuid=name(each.object_uuid),
                referenced_uuid=name(each.referenced_uuid),
            )
            for each in event.relations
        ),
    )


def _new_event(node: Node, draft: Draft, *, published: bool, content: str | None) -> Version:
    records = cut_event(draft, Names.of(None, lambda: fresh_uuid(node)))
    ground: dict[str, object] = {"act": "own"}  # its source chose its labels itself (D11)
    if content is not None:
        ground["content"] = content
    birth = Birth("event", draft.event.uuid, draft.source, ground, published=published)
    return first_version(node, birth, records, node.clock())


def _event(node: Node, given: object) -> MispEvent:
    try:
        raw = orjson.dumps({"Event": given})
        (event,) = read_misp(
            raw, name="submission", fresh=lambda: fresh_uuid(node), now=node.clock()
        )
    except BadMispError as error:
        raise BadInputError(error.where or "Event", error.why) from error
    return event


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
        if one not in members and one not in communities:
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
