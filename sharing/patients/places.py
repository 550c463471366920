"""Every text and number of an event or a report, with what it stands in.

All that travels is walked, whatever it is called: `places.toml` says only how to read what is no
plain text. A place has a path to show (`attributes/<uuid>/comment`) and a kind
(`attribute/comment`) that stays the same when its thing is made anew. Neither repeats a value.
"""

import re
import tomllib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from operator import attrgetter
from typing import NamedTuple

import orjson

from sharing.event import Attribute, Event, Json, Members, Object, Relation, ReportText
from sharing.incidents.fields import FIELDS, SHAPES, Field
from sharing.incidents.indicator import Indicator
from sharing.patients.find import find, says_nothing, tells
from sharing.patients.finding import Where
from sharing.slots_read import LogRead

_DEEPEST = 32
_ELEVEN_DIGITS = 10**10
_LONGEST_LABEL = 80
_SPELLED = re.compile(r"(?!.*\d{6})[A-Za-z][A-Za-z0-9_-]{0,39}")
_SMALL = re.compile(r"[a-z]+(?:_[a-z]+)*")
_UUID_CHARS = 36
_OF_NO_NAME = re.compile(r"[^a-z0-9]")
_BETWEEN_WORDS = re.compile(r"[_-]+|(?<=[a-z])(?=[A-Z])")
_PROSE = frozenset({"email_subject"})
_WRITTEN = ("text", "int", "decimal", "percent")  # numbers too: a count is no number of a person
_KINDS = {Attribute: "attribute", Object: "object", Relation: "relation", ReportText: "report"}
_Getter = Callable[[object], tuple[object, ...]]
_WORDS = frozenset({Where.TEXT, Where.CONTACT, Where.INDICATOR, Where.MACHINE})
_PERSONS = frozenset(Where) - _WORDS - {Where.FILE}


class _Name(NamedTuple):
    """Whether a member's name may be shown, what it tells of its value, whether it says no more."""

    shown: bool
    label: str
    plain: bool


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
    if named in _PERSONS:
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


def places_of_log(log: LogRead, slots: Iterable[bytes]) -> Iterator[Place]:
    """What was read of a log, and whatever else stands in its slots.

    A reader takes up but what he understands; all of it is kept and passed on.
    """
    walk = _Walk()
    read = [*walk.thing("", "event", log.event)]
    for slot_type in sorted({kind for field in log.fields for kind in field.values}):
        held = (field for field in log.fields if slot_type in field.values)
        values = {field.name: field.values[slot_type][0] for field in held}
        read += places_of_fields(values)
    yield from read
    walk.know(place.text for place in read)
    for slot in slots:
        value = orjson.loads(slot)
        if walk.is_news(value):
            yield from walk.json("slot", "slot", value, Where.TEXT)


@cache
def _leaves(kind: str, thing: type) -> tuple[tuple[tuple[str, str, Where], ...], _Getter]:
    """The fields of a part (name, kind of place, what a text there stands in), and all at once."""
    names = [each.name for each in fields(thing)]
    rows = tuple((n, f"{kind}/{n}", _BY_LEAF.get(f"{kind}/{n}", Where.TEXT)) for n in names)
    return rows, attrgetter(*names, "__class__")


class _Walk:
    """Goes through one document; remembers what says nothing and how members' names may be used."""

    __slots__ = ("_dull", "_given", "_names")

    def __init__(self) -> None:
        self._dull: dict[str, bool] = {}
        self._given: set[str] = set()
        self._names: dict[str, _Name] = {}

    def thing(self, path: str, kind: str, thing: Hashable) -> Iterator[Place]:
        """Every leaf of a part, by the fields of its class: one added tomorrow is read as text."""
        leaves, values_of = _leaves(kind, type(thing))
        for (name, place, where), value in zip(leaves, values_of(thing), strict=False):
            if not value or value is True or (type(value) is int and _is_short(value)):
                continue
            at = f"{path}/{name}" if path else name
            if type(value) is str:
                if place == "attribute/value" and isinstance(thing, Attribute):
                    yield self._value(at, thing)
                elif not self._is_dull(value):
                    yield Place(at, place, value, where)
            elif type(value) is tuple or type(value) is frozenset:
                for n, each in enumerate(value):
                    yield from self._part(f"{at}/{self._step(each, n)}", place, each)
            else:
                yield from self._part(at, place, value)

    def _value(self, path: str, each: Attribute) -> Place:
        """The value of an attribute, by its type and by its relation in an object."""
        relation = each.object_relation or ""
        where = where_of(each.type, each.category, relation, to_ids=each.to_ids)
        kind = f"attribute/value/{each.type}" if each.type in _BY_TYPE else "attribute/value"
        label = self._name(relation).label if relation else ""
        return Place(path, kind, each.value or "", where, label)

    def _part(self, path: str, kind: str, part: object) -> Iterator[Place]:
        if (own := _KINDS.get(type(part))) or is_dataclass(part):
            return self.thing(path, own or kind, part)
        if isinstance(part, datetime):
            return iter(())
        return self.json(path, kind, dict(part) if isinstance(part, Mapping) else part, Where.TEXT)

    def _step(self, part: object, n: int) -> str:
        """How a part is named in a path: by its uuid, if it is one."""
        uuid = getattr(part, "uuid", None)
        if (
            type(uuid) is str
            and (len(uuid) == _UUID_CHARS or uuid.isalnum())
            and self._is_dull(uuid)
        ):
            return uuid
        return str(n)

    def _is_dull(self, text: str) -> bool:
        """Whether a text says nothing in whatever words stand; most come more than once."""
        dull = self._dull.get(text)
        if dull is None:
            dull = self._dull[text] = says_nothing(text)
        return dull

    def know(self, texts: Iterable[str]) -> None:
        """Texts that were given already."""
        self._given.update(texts)

    def is_news(self, value: Json, label: str = "") -> bool:
        """Whether anything in JSON is still to be given."""
        if isinstance(value, str):
            return value not in self._given and (bool(label) or not self._is_dull(value))
        if isinstance(value, dict):
            for name, inner in value.items():
                called = self._names.get(name) or self._name(name)
                if not called.plain or self.is_news(inner, called.label or label):
                    return True
        elif isinstance(value, list):
            return any(self.is_news(inner, label) for inner in value)
        elif value is not None and not isinstance(value, bool):
            return bool(label) or not _is_short(value)
        return False

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
                dull = where in _WORDS and not label and self._is_dull(value)
                if not dull and value not in self._given:
                    yield Place(path, kind, value, where, label)
            case int() | float():
                counted = Where.TEXT if where is Where.MACHINE else where
                yield from self.json(path, kind, _digits(value), counted, label)
            case dict():
                yield from self._members(path, kind, value, label, depth + 1)
            case list():
                for n, inner in enumerate(value):
                    yield from self.json(f"{path}/{n}", kind, inner, where, label, depth + 1)
            case _:
                raise TypeError(f"{kind}: nobody reads {type(value).__name__}")

    def _members(
        self, path: str, kind: str, members: Members, label: str, depth: int
    ) -> Iterator[Place]:
        for n, (name, inner) in enumerate(members.items()):
            called = self._name(name)
            step = name if called.shown else f"#{n}"
            if not called.plain:
                text = name.replace("_", " ")
                yield Place(f"{path}/{step}", f"{kind}/name", text, Where.TEXT)
            within = f"{label} {called.label}".strip()[-_LONGEST_LABEL:]
            place = (f"{path}/{step}", f"{kind}/{step}")
            yield from self.json(*place, inner, _by_name(name), within, depth)

    def _name(self, name: str) -> _Name:
        known = self._names.get(name)
        if known is None:
            spelled = bool(_SPELLED.fullmatch(name))
            words = _BETWEEN_WORDS.sub(" ", name) if spelled else ""
            label = words if tells(words) else ""
            known = _Name(spelled and not find(words), label, bool(_SMALL.fullmatch(name)))
            self._names[name] = known
        return known


def _is_short(number: float) -> bool:
    """Whether a number has fewer digits than any that is a person's by itself."""
    return -_ELEVEN_DIGITS < number < _ELEVEN_DIGITS


def _digits(number: float) -> str:
    """A number as its digits; 4.4e10 has eleven."""
    return str(int(number) if float(number).is_integer() else number)


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
            for key in (key for key in item if key in shape):
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
