"""MISP's event JSON: documents read into events, and a reader's view written back.

Outwards a label becomes MISP's distribution (CLEAR 3, GREEN 1, stricter 0) and one tlp tag on the
event and on whatever differs from it (decisions.md D9).
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime

import orjson

from policies.label import Label
from policies.tlp import Tlp, is_tlp_tag, read_tlp
from sharing.event import Attribute, Json, Object, Relation, ReportText, Tag
from sharing.formats.misp_event import Distribution, MispEvent, read_event
from sharing.formats.misp_groups import Words
from sharing.formats.misp_members import BadMispError, JsonObject
from sharing.view import View

__all__ = ["BadMispError", "Distribution", "MispEvent", "read_misp", "write_misp"]

# U+FDD0..FDEF, U+FFFE and U+FFFF, spelled out or escaped: no I-JSON text may hold them.
_NONCHARACTER = re.compile(
    rb"\\u(?:fd[de][0-9a-f]|fff[ef])|\xef\xbf[\xbe\xbf]|\xef\xb7[\x90-\xaf]", re.IGNORECASE
)
COARSE = 'fise:precision="twin"'
"""The tag of an attribute whose value is but a coarse twin's: MISP has no member for it."""
_ALL, _HERE, _OWN, _INHERIT = "3", "1", "0", "5"


def read_misp(
    raw: bytes,
    *,
    name: str,
    fresh: Callable[[], str] | None = None,
    now: datetime | None = None,
    choices: bool = False,
) -> list[MispEvent]:
    """Return the events of a MISP document: one event, a `response`, a list, or a bare event.

    With `fresh` and `now` uuids and times may be missing, as in an event somebody drafts; with
    `choices` its author may say how attributes are cut (`choices.py`).

    Raises:
        BadMispError: names the document and line, column and byte of broken JSON, or the place of
            a member that is missing, wrong or there twice.
    """
    found: dict[str, MispEvent] = {}
    for given, *around in _events(_parse(raw, name), name):
        read = read_event(given, around=around, fresh=fresh, now=now, choices=choices)
        if read.event.uuid in found:
            raise BadMispError(name, given.path, f"Event {read.event.uuid} is there twice")
        found[read.event.uuid] = read
    return list(found.values())


def _parse(raw: bytes, name: str) -> object:
    try:
        document: object = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        offset = len(error.doc[: error.pos].encode("utf-8", "surrogatepass"))
        where = f"line {error.lineno}, column {error.colno}, byte {offset}"
        raise BadMispError(name, where, f"is no whole JSON: {error.msg}") from error
    if _NONCHARACTER.search(raw):
        raise BadMispError(name, "", "holds a Unicode noncharacter, which nobody could seal")
    return document


def _events(document: object, name: str) -> Iterator[list[JsonObject]]:
    """The event objects of a document, each with its path, and with what it is wrapped in."""
    path, around = "", list[JsonObject]()
    if isinstance(document, dict) and "response" in document:
        around = [JsonObject(name, path, document)]
        document, path = document["response"], "response"
    if not isinstance(document, list):
        yield _event_in(JsonObject(name, path, document)) + around
        return
    if not document:
        raise BadMispError(name, path, "holds no event")
    for n, item in enumerate(document):
        yield _event_in(JsonObject(name, f"{path}[{n}]", item)) + around


def _event_in(holder: JsonObject) -> list[JsonObject]:
    """An event, and what it is wrapped in, if at all."""
    inside = holder.object("Event")
    if inside is not None:
        return [inside, holder]
    if "info" in holder:
        return [holder]
    has = ", ".join(f"`{each}`" for each in holder.names()[:5]) or "nothing"
    why = "is no MISP event: it has neither `Event` nor `response`, nor a bare event's `info`"
    raise BadMispError(holder.document, holder.path, f"{why}; it has {has}")


def write_misp(view: View, words: Words | None = None) -> dict[str, Json]:
    """Return the event of a view as MISP writes one; numbers are text, as MISP has them.

    `words` are for its source's own people: they read back what they said of how far it goes. For
    anybody else the labels say it. Members that describe an instance's copy (numeric ids, locks)
    are the door's to add.
    """
    return {"Event": _Writer(view, words or Words()).event()}


def distribution_of(label: Label) -> str:
    """How far another MISP may spread what has this label, at most.

    A MISP knows neither named recipients nor embargoes: what has them goes no further than it.
    """
    if label.only or label.until is not None or label.tlp > Tlp.GREEN:
        return _OWN
    return _ALL if label.tlp == Tlp.CLEAR and label.relay else _HERE


class _Writer:
    """Writes one view; knows the labels of its things, and perhaps what their source said."""

    def __init__(self, view: View, words: Words) -> None:
        self._view = view
        self._words = words
        self._whole = view.label

    def event(self) -> dict[str, Json]:
        event = self._view.event
        inside: dict[str, list[Json]] = {}
        for relation in event.relations:
            inside.setdefault(relation.object_uuid, []).append(_relation(relation))
        attributes = sum(len(each.attributes) for each in event.objects) + len(event.attributes)
        return {
            "uuid": event.uuid,
            "info": event.info,
            "date": event.date,
            "threat_level_id": str(event.threat_level_id),
            "analysis": str(event.analysis),
            "timestamp": str(event.timestamp),
            "published": self._view.published,
            **self._spread(event.uuid, distribution_of(self._whole)),
            "attribute_count": str(attributes),
            **({"Orgc": dict(event.orgc)} if event.orgc else {}),
            **event.extra,
            "Tag": self._tags(event.tags, self._whole, always=True),
            "Galaxy": [dict(each) for each in event.galaxies],
            "Attribute": [self._attribute(each) for each in event.attributes],
            "Object": [self._object(each, inside.get(each.uuid, [])) for each in event.objects],
            "EventReport": [self._report(each) for each in event.reports],
        }

    def _attribute(self, attribute: Attribute) -> Json:
        label = self._label(attribute.uuid)
        coarse: list[Json] = [{"name": COARSE}] if attribute.precision == "twin" else []
        return {
            "uuid": attribute.uuid,
            "type": attribute.type,
            "category": attribute.category,
            "value": attribute.value or "",
            **({"data": attribute.data} if attribute.data is not None else {}),
            "to_ids": attribute.to_ids,
            "timestamp": str(attribute.timestamp),
            "comment": attribute.comment,
            "first_seen": attribute.first_seen,
            "last_seen": attribute.last_seen,
            "deleted": attribute.deleted,
            "object_relation": attribute.object_relation,
            **self._spread(attribute.uuid, self._distribution(label)),
            **attribute.extra,
            "Tag": self._tags(attribute.tags, label) + coarse,
            "Galaxy": [dict(each) for each in attribute.galaxies],
        }

    def _object(self, thing: Object, references: list[Json]) -> Json:
        label = self._label(thing.uuid)
        return {
            "uuid": thing.uuid,
            "name": thing.name,
            "timestamp": str(thing.timestamp),
            "comment": thing.comment,
            "first_seen": thing.first_seen,
            "last_seen": thing.last_seen,
            "deleted": thing.deleted,
            **self._spread(thing.uuid, self._distribution(label)),
            **thing.extra,
            **({"Tag": tags} if (tags := self._tags(thing.tags, label)) else {}),
            "ObjectReference": references,
            "Attribute": [self._attribute(each) for each in thing.attributes],
        }

    def _report(self, report: ReportText) -> Json:
        label = self._label(report.uuid)
        return {
            "uuid": report.uuid,
            "name": report.name,
            "content": report.content or "",
            "timestamp": str(report.timestamp),
            "deleted": report.deleted,
            **self._spread(report.uuid, self._distribution(label)),
            **report.extra,
            **({"Tag": tags} if (tags := self._tags(report.tags, label)) else {}),
        }

    def _label(self, uuid: str) -> Label:
        return self._view.labels.get(uuid, self._whole)

    def _distribution(self, label: Label) -> str:
        level = distribution_of(label)
        return _INHERIT if level == distribution_of(self._whole) else level

    def _spread(self, uuid: str, level: str) -> dict[str, Json]:
        """How far a thing goes: as its source said it, else as its label allows."""
        return self._words.of(uuid) or {"distribution": level}

    def _tags(self, tags: tuple[Tag, ...], label: Label, *, always: bool = False) -> list[Json]:
        """The tags, of the tlp ones only that which says the label, or which nobody can read."""
        kept = [tag for tag in tags if _says(tag, label)]
        spoken = any(is_tlp_tag(tag.name) and read_tlp(tag.name) for tag in kept)
        written: list[Json] = [{**tag.extra, "name": tag.name} for tag in kept]
        if not spoken and (always or label.tlp != self._whole.tlp):
            written.append({"name": label.tlp.tag})
        return written


def _says(tag: Tag, label: Label) -> bool:
    if not is_tlp_tag(tag.name):
        return True
    tlp = read_tlp(tag.name)
    return tlp is None or tlp == label.tlp


def _relation(relation: Relation) -> Json:
    return {
        "uuid": relation.uuid,
        "object_uuid": relation.object_uuid,
        "referenced_uuid": relation.referenced_uuid,
        "relationship_type": relation.relationship_type,
        "timestamp": str(relation.timestamp),
        "comment": relation.comment,
        "deleted": relation.deleted,
        **relation.extra,
    }
