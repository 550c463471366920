"""Every text and number of an event or a report, with what it stands in.

All that travels is walked, whatever it is called: `places.toml` says only how to read what is no
plain text. A place has a path to show (`attributes/<uuid>/comment`) and a kind
(`attribute/comment`) that stays the same when its thing is made anew. Neither repeats a value.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import orjson

from sharing.event import Attribute, Event, Json, Members, Object, Relation, ReportText
from sharing.incidents.fields import FIELDS, SHAPES, Field
from sharing.incidents.indicator import Indicator
from sharing.patients.find import find, says_nothing, tells
from sharing.patients.finding import Where

_DEEPEST = 32
_LONGEST_LABEL = 80
_SPELLED = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_SMALL = re.compile(r"[a-z]+(?:_[a-z]+)*")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-z]{1,8}")
_OF_NO_NAME = re.compile(r"[^a-z0-9]")
_BETWEEN_WORDS = re.compile(r"[_-]+|(?<=[a-z])(?=[A-Z])")
_PROSE = frozenset({"email_subject"})
_WRITTEN = ("text", "int", "decimal", "percent")  # numbers too: a count is no number of a person
_KINDS = {Attribute: "attribute", Object: "object", Relation: "relation", ReportText: "report"}
_READ_ANYWAY = frozenset({Where.TEXT, Where.CONTACT, Where.INDICATOR, Where.MACHINE})


class Place(NamedTuple):
    """A text, where it stands, what that is, and what a text in JSON is called there."""

    path: str
    kind: str
    text: str
    where: Where
    label: str = ""


def _table(name: str) -> Mapping[str, Where]:
    text = files("sharing.patients").joinpath("places.toml").read_text(encoding="utf-8")
    return {
        each: Where(where) for where, names in tomllib.loads(text)[name].items() for each in names
    }


_BY_LEAF = _table("leaves")
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
    """Every text and number of an event, its head first, in the order of its parts."""
    yield from _Walk().thing("", "event", event)


def leaves_of(slots: Iterable[bytes], known: frozenset[str]) -> Iterator[Place]:
    """What stands in the slots of a log besides what is `known`: a reader takes up but what he
    understands, and all of it is kept and passed on.
    """
    walk = _Walk()
    for slot in slots:
        for place in walk.json("slot", "slot", orjson.loads(slot), Where.TEXT):
            if place.text not in known:
                yield place


@cache
def _leaves(kind: str, thing: type) -> tuple[tuple[str, str, Where], ...]:
    """The fields of a part: name, kind of place, and what a text there stands in."""
    names = (each.name for each in fields(thing))
    return tuple((n, f"{kind}/{n}", _BY_LEAF.get(f"{kind}/{n}", Where.TEXT)) for n in names)


class _Walk:
    """Goes through one document; remembers how its members' names may be shown and read."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: dict[str, tuple[bool, str]] = {}

    def thing(self, path: str, kind: str, thing: object) -> Iterator[Place]:
        """Every leaf of a part, by the fields of its class: one added tomorrow is read as text."""
        for name, place, where in _leaves(kind, type(thing)):
            value = getattr(thing, name)
            if not value or value is True:
                continue
            at = f"{path}/{name}" if path else name
            if type(value) is str:
                if type(thing) is Attribute and name == "value":
                    yield from _value(at, thing)
                elif where not in _READ_ANYWAY or not says_nothing(value, where):
                    yield Place(at, place, value, where)
            elif isinstance(value, tuple | frozenset):
                for n, each in enumerate(value):
                    yield from self._any(f"{at}/{_step(each, n)}", place, each)
            else:
                yield from self._any(at, place, value)

    def _any(self, path: str, kind: str, value: object) -> Iterator[Place]:
        if is_dataclass(value):
            yield from self.thing(path, _KINDS.get(type(value), kind), value)
        elif isinstance(value, Mapping):
            yield from self.json(path, kind, dict(value), Where.TEXT)
        elif not isinstance(value, datetime):
            yield from self.json(path, kind, value, Where.TEXT)

    def json(
        self, path: str, kind: str, value: object, where: Where, label: str = "", depth: int = 0
    ) -> Iterator[Place]:
        """Every leaf of JSON that nobody here knows; its names are texts as well."""
        if isinstance(value, bool) or value is None:
            return
        if isinstance(value, dict | list) and depth == _DEEPEST:
            value = orjson.dumps(value).decode()
        match value:
            case str():
                if where not in _READ_ANYWAY or label or not says_nothing(value, where):
                    yield Place(path, kind, value, where, label)
            case int() | float():
                counted = Where.TEXT if where is Where.MACHINE else where
                yield from self.json(path, kind, _digits(value), counted, label)
            case dict():
                for n, (name, inner) in enumerate(value.items()):
                    shown, called = self._name(name)
                    step = name if shown else f"#{n}"
                    if not shown or not _SMALL.fullmatch(name):
                        text = name.replace("_", " ")
                        yield Place(f"{path}/{step}", f"{kind}/name", text, Where.TEXT)
                    at = (f"{path}/{step}", f"{kind}/{step}")
                    both = f"{label} {called}".strip()[-_LONGEST_LABEL:]
                    yield from self.json(*at, inner, _by_name(name), both, depth + 1)
            case list():
                for n, inner in enumerate(value):
                    yield from self.json(f"{path}/{n}", kind, inner, where, label, depth + 1)
            case _:
                raise TypeError(f"{kind}: nobody reads {type(value).__name__}")

    def _name(self, name: str) -> tuple[bool, str]:
        """Whether a member's name may be shown, and what it says of its value, if it tells."""
        known = self._names.get(name)
        if known is None:
            spelled = bool(_SPELLED.fullmatch(name))
            words = _BETWEEN_WORDS.sub(" ", name) if spelled else ""
            known = (spelled and not find(words), words if tells(words) else "")
            self._names[name] = known
        return known


def _value(path: str, each: Attribute) -> Iterator[Place]:
    """The value of an attribute, by its type and by its relation in an object."""
    where = where_of(each.type, each.category, each.object_relation, to_ids=each.to_ids)
    label = _BETWEEN_WORDS.sub(" ", each.object_relation or "")[:_LONGEST_LABEL]
    kind = f"attribute/value/{each.type}" if each.type in _BY_TYPE else "attribute/value"
    yield Place(path, kind, each.value or "", where, label if label and tells(label) else "")


def _step(each: object, n: int) -> str:
    """How a part is named in a path: by its uuid, if it is one."""
    uuid = getattr(each, "uuid", "")
    return uuid if _UUID.fullmatch(uuid) else str(n)


def _digits(number: float) -> str:
    """A number as its digits; 4.4e10 has eleven."""
    whole = isinstance(number, float) and number.is_integer()
    return str(int(number) if whole else number)


# ── Reports ──────────────────────────────────────────────────────────────────────────────────────


def places_of_fields(values: Members) -> Iterator[Place]:
    """Every text of a report's fields, by what the table of fields says each holds."""
    walk = _Walk()
    for name, value in values.items():
        if row := FIELDS.get(name):
            yield from _field(walk, row, value)
    unknown: Json = {name: value for name, value in values.items() if name not in FIELDS}
    yield from walk.json("fields", "field", unknown, Where.TEXT)


def _field(walk: _Walk, row: Field, value: Json) -> Iterator[Place]:
    shape = {key.rstrip("!"): kind for key, (kind, _) in SHAPES.get(row.values[1:], {}).items()}
    for n, item in enumerate(value if isinstance(value, list) else [value]):
        path = f"fields/{row.name}/{n}" if isinstance(value, list) else f"fields/{row.name}"
        kind, rest = f"field/{row.name}", item
        if isinstance(item, dict):
            rest = {key: inner for key, inner in item.items() if key not in shape}
            for key in item.keys() & shape.keys():
                where = _where_of_field(f"{row.name}.{key}", shape[key])
                yield from walk.json(f"{path}/{key}", f"{kind}/{key}", item[key], where)
        yield from walk.json(path, kind, rest, _where_of_field(row.name, row.type))


def _where_of_field(name: str, kind: str) -> Where:
    if name in _BY_FIELD:
        return _BY_FIELD[name]
    if kind.startswith(_WRITTEN):
        return Where.TEXT
    return Where.INDICATOR if kind.startswith("string") else Where.MACHINE


def places_of_indicators(indicators: Iterable[Indicator]) -> Iterator[Place]:
    """The values of a report's indicators and what is said of them.

    An address of a victim may stand here: its role keeps it at home.
    """
    walk = _Walk()
    for each in indicators:
        path = f"indicators/{each.uuid}"
        where = Where.TEXT if each.type in _PROSE else Where.INDICATOR
        yield Place(f"{path}/value", f"indicator/value/{each.type}", each.value, where)
        yield from walk.json(path, "indicator", dict(each.facts), Where.TEXT)
