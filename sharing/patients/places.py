"""Every text of an event or a report, with what it stands in.

A place has a path to show (`attributes/<uuid>/comment`) and a kind (`attribute/comment`) that stays
the same when its thing is made anew. Neither repeats a value.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

from sharing.event import Attribute, Event, Json, Members, Object, Tag
from sharing.incidents.fields import FIELDS, SHAPES
from sharing.incidents.indicator import Indicator
from sharing.patients.finding import Where

_DEEPEST = 32
_SPELLED = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_OF_NO_NAME = re.compile(r"[^a-z0-9]")
_PROSE = frozenset({"email_subject"})


@dataclass(frozen=True, slots=True)
class Place:
    """A text, where it stands, and what that is."""

    path: str
    kind: str
    text: str
    where: Where


def _table(name: str) -> Mapping[str, Where]:
    text = files("sharing.patients").joinpath("places.toml").read_text(encoding="utf-8")
    return {
        each: Where(where) for where, names in tomllib.loads(text)[name].items() for each in names
    }


_BY_TYPE = _table("types")
_BY_NAME = _table("names")
_BY_FIELD = _table("fields")


def where_of(kind: str, category: str, relation: str | None, *, to_ids: bool) -> Where:
    """What the value of a MISP attribute of a type stands in, by its relation in an object too.

    The recipient of a mail is a victim, unless machines are to look for him or the mail is the
    attacker's own way out (`Network activity`).
    """
    named = _by_name(relation) if relation else Where.TEXT
    if named is not Where.TEXT and named is not Where.MACHINE:
        return named
    if kind in {"email-dst", "email-dst-display-name"}:
        attackers = to_ids or category == "Network activity"
        return Where.INDICATOR if attackers else Where.VICTIM_EMAIL
    return _BY_TYPE.get(kind, Where.TEXT)


def _by_name(name: str) -> Where:
    return _BY_NAME.get(_OF_NO_NAME.sub("", name.lower()), Where.TEXT)


# ── Events ───────────────────────────────────────────────────────────────────────────────────────


def places_of_event(event: Event) -> Iterator[Place]:
    """Every text of an event, its head first, in the order of its parts."""
    yield Place("info", "event/info", event.info, Where.TEXT)
    yield from _tags("tags", "event/tag", event.tags)
    yield from _members("orgc", "event/orgc", event.orgc or {})
    yield from _members("extra", "event/extra", event.extra)
    yield from _listed("galaxies", "event/galaxy", event.galaxies)
    for attribute in event.attributes:
        yield from _attribute(f"attributes/{attribute.uuid}", attribute)
    for thing in event.objects:
        yield from _object(f"objects/{thing.uuid}", thing)
    for relation in event.relations:
        path = f"relations/{relation.uuid}"
        yield Place(f"{path}/comment", "relation/comment", relation.comment, Where.TEXT)
        yield from _members(f"{path}/extra", "relation/extra", relation.extra)
    for report in event.reports:
        path = f"reports/{report.uuid}"
        yield Place(f"{path}/name", "report/name", report.name, Where.TEXT)
        yield Place(f"{path}/content", "report/content", report.content or "", Where.TEXT)
        yield from _tags(f"{path}/tags", "report/tag", report.tags)
        yield from _members(f"{path}/extra", "report/extra", report.extra)


def _attribute(path: str, each: Attribute) -> Iterator[Place]:
    if each.value:
        where = where_of(each.type, each.category, each.object_relation, to_ids=each.to_ids)
        yield Place(f"{path}/value", f"attribute/value/{each.type}", each.value, where)
    if each.twin is not None:
        yield Place(f"{path}/twin", "attribute/twin", each.twin.value, Where.INDICATOR)
    if each.comment:
        yield Place(f"{path}/comment", "attribute/comment", each.comment, Where.TEXT)
    if each.tags:
        yield from _tags(f"{path}/tags", "attribute/tag", each.tags)
    if each.context:
        yield from _members(f"{path}/context", "attribute/context", each.context)
    if each.extra:
        yield from _members(f"{path}/extra", "attribute/extra", each.extra)
    if each.galaxies:
        yield from _listed(f"{path}/galaxies", "attribute/galaxy", each.galaxies)


def _object(path: str, each: Object) -> Iterator[Place]:
    yield Place(f"{path}/name", "object/name", each.name, Where.TEXT)
    yield Place(f"{path}/comment", "object/comment", each.comment, Where.TEXT)
    yield from _tags(f"{path}/tags", "object/tag", each.tags)
    yield from _members(f"{path}/extra", "object/extra", each.extra)
    for attribute in each.attributes:
        yield from _attribute(f"{path}/attributes/{attribute.uuid}", attribute)


def _tags(path: str, kind: str, tags: Iterable[Tag]) -> Iterator[Place]:
    for n, tag in enumerate(tags):
        yield Place(f"{path}/{n}", kind, tag.name, Where.TEXT)
        yield from _members(f"{path}/{n}/extra", kind, tag.extra)


def _listed(path: str, kind: str, items: Iterable[Members]) -> Iterator[Place]:
    for n, item in enumerate(items):
        yield from _members(f"{path}/{n}", kind, item)


def _members(path: str, kind: str, members: Members) -> Iterator[Place]:
    """Every text of an object that nobody here knows; its names are texts as well."""
    yield from _json(path, kind, dict(members), Where.TEXT, 0)


def _json(path: str, kind: str, value: Json, where: Where, depth: int) -> Iterator[Place]:
    match value:
        case str():
            yield Place(path, kind, value, where)
        case dict() if depth < _DEEPEST:
            for n, (name, inner) in enumerate(value.items()):
                step = name if _SPELLED.fullmatch(name) else f"#{n}"
                if step != name:
                    yield Place(f"{path}/{step}", f"{kind}/name", name, Where.TEXT)
                yield from _json(
                    f"{path}/{step}", f"{kind}/{step}", inner, _by_name(name), depth + 1
                )
        case list() if depth < _DEEPEST:
            for n, inner in enumerate(value):
                yield from _json(f"{path}/{n}", kind, inner, where, depth + 1)
        case _:
            return


# ── Reports ──────────────────────────────────────────────────────────────────────────────────────


def places_of_fields(values: Members) -> Iterator[Place]:
    """Every text of a report's fields, by what the table of fields says each holds."""
    for name, value in values.items():
        if row := FIELDS.get(name):
            yield from _field(name, row.type, row.values, value)
    unknown = {name: value for name, value in values.items() if name not in FIELDS}
    yield from _members("fields", "field", unknown)


def _field(name: str, kind: str, values: str, value: Json) -> Iterator[Place]:
    items = value if isinstance(value, list) else [value]
    several = isinstance(value, list)
    for n, item in enumerate(items):
        path = f"fields/{name}/{n}" if several else f"fields/{name}"
        if isinstance(item, str):
            yield Place(path, f"field/{name}", item, _where_of_field(name, kind))
        elif isinstance(item, dict):
            shape = {key.rstrip("!"): spec for key, spec in SHAPES.get(values[1:], {}).items()}
            for key, inner in item.items():
                if isinstance(inner, str):
                    where = _where_of_field(f"{name}.{key}", shape.get(key, ("text", ""))[0])
                    yield Place(f"{path}/{key}", f"field/{name}/{key}", inner, where)


def _where_of_field(name: str, kind: str) -> Where:
    if name in _BY_FIELD:
        return _BY_FIELD[name]
    if kind.startswith("text"):
        return Where.TEXT
    return Where.INDICATOR if kind.startswith("string") else Where.MACHINE


def places_of_indicators(indicators: Iterable[Indicator]) -> Iterator[Place]:
    """The values of a report's indicators and what is said of them.

    An address of a victim may stand here: its role keeps it at home.
    """
    for each in indicators:
        path = f"indicators/{each.uuid}"
        where = Where.TEXT if each.type in _PROSE else Where.INDICATOR
        yield Place(f"{path}/value", f"indicator/value/{each.type}", each.value, where)
        context = each.facts.get("context")
        if isinstance(context, dict):
            yield from _members(f"{path}/context", "indicator/context", context)
