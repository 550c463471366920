"""The uuids by which what a hospital submits goes here, in place of those it gave (D4).

An event's is always ours: made of the hospital, the uuid it gave and a secret of the node. So the
same submission finds its event again, and no answer depends on what others have. A part keeps its
uuid, unless that tells of the machine or minute it was made on.
"""

import hmac
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from node.actions.caller import Caller
from node.node import Node
from sharing.event import Attribute, Event

_TELLING = frozenset({1, 6, 7})  # versions of uuid that hold an address or an instant


def known_as(node: Node, caller: Caller, event: str) -> tuple[str, ...]:
    """Give the uuids an event that the caller names may have here, the one he says first."""
    return (event,) if caller.is_staff else (event, _alias(node, "event", caller.org, event))


def part_alias(node: Node, org: str, uuid: str) -> str:
    """Give the uuid a part of an event goes by, that the organisation gave this one."""
    is_telling = UUID(uuid).version in _TELLING
    return _alias(node, "part", org, uuid) if is_telling else uuid


def under_aliases(node: Node, org: str, event: Event) -> Event:
    """Give the event the organisation submits, with it and its parts under their uuids here."""
    whole = _alias(node, "event", org, event.uuid)

    def name(uuid: str) -> str:
        return whole if uuid == event.uuid else part_alias(node, org, uuid)

    return replace(
        event,
        uuid=whole,
        attributes=_attributes(event.attributes, name),
        objects=tuple(
            replace(each, uuid=name(each.uuid), attributes=_attributes(each.attributes, name))
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


def _attributes(given: tuple[Attribute, ...], name: Callable[[str], str]) -> tuple[Attribute, ...]:
    return tuple(replace(each, uuid=name(each.uuid)) for each in given)


def _alias(node: Node, what: str, org: str, uuid: str) -> str:
    digest = hmac.digest(node.keys.pseudonym, f"{what}|{org}|{uuid}".encode(), "sha256")
    return str(UUID(bytes=digest[:16], version=4))
