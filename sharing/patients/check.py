"""The doors' question: does this event or report hold patient data that nobody has released?

A person may release a false alarm. A release names one finding by an id that covers the kind of
its place, what was found and the whole text: so it dies with the first edit. The id is keyed, since
a text can be so short that its hash would give it away.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from sharing.event import Event, Members
from sharing.incidents.indicator import Indicator
from sharing.incidents.report import Report
from sharing.patients.find import find
from sharing.patients.finding import Finding, Where
from sharing.patients.places import (
    Place,
    places_of_event,
    places_of_fields,
    places_of_indicators,
    places_of_log,
)
from sharing.slots_read import LogRead

MOST = 200
"""Findings told of one document: enough to refuse it and to show a person what for."""
_DOMAIN = b"fisn.patients/1"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Found:
    """A finding in its place; `id` is what a release names. Holds nothing of the text."""

    path: str
    place: str
    finding: Finding
    id: str

    @property
    def sentence(self) -> str:
        """Where and why, in English; characters are counted from one."""
        span = f"characters {self.finding.start + 1} to {self.finding.end}"
        return f"{self.path}, {span}: {self.finding.sentence}"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a document holds: `found` refuses it, `released` a person let pass.

    `whole` is false where more than `MOST` were found and the rest was not looked for.
    """

    found: tuple[Found, ...] = ()
    released: tuple[Found, ...] = ()
    whole: bool = True


def check_event(event: Event, *, key: bytes, released: Collection[str] = ()) -> Checked:
    """Look through every text and number of an event.

    `key` is this node's own, 32 random bytes; ids mean nothing elsewhere. `released` are ids.
    """
    return _check(places_of_event(event), key, released)


def check_log(
    log: LogRead, slots: Iterable[bytes], *, key: bytes, released: Collection[str] = ()
) -> Checked:
    """Look through a log as it came: what was read of it, and what else stands in its slots."""
    return _check(places_of_log(log, slots), key, released)


def check_report(report: Report, *, key: bytes, released: Collection[str] = ()) -> Checked:
    """Look through a report as it stands after a stage: its fields and its indicators."""
    return check_values(report.values, report.indicators, key=key, released=released)


def check_values(
    values: Members,
    indicators: Iterable[Indicator] = (),
    *,
    key: bytes,
    released: Collection[str] = (),
) -> Checked:
    """Look through fields of an incident, as a report or a peer's event holds them."""
    places = [*places_of_fields(values), *places_of_indicators(indicators)]
    return _check(places, key, released)


def check_text(path: str, text: str, *, key: bytes, released: Collection[str] = ()) -> Checked:
    """Look through one text that stands by itself, such as the reason of an act."""
    return _check([Place(path, f"text/{path}", text, Where.TEXT)], key, released)


def release_id(place: Place, finding: Finding, key: bytes) -> str:
    """The name of one finding: 32 hex digits of an HMAC-SHA256 over place, kind, span and text."""
    if len(key) != _KEY_BYTES:
        raise ValueError(f"a key of {len(key)} bytes, not {_KEY_BYTES}")
    span = f"{finding.kind.value} {finding.start} {finding.end}".encode()
    parts = (_DOMAIN, place.kind.encode(), span, place.text.encode("utf-8", "surrogatepass"))
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.new(key, framed, hashlib.sha256).hexdigest()[:32]


def _check(places: Iterable[Place], key: bytes, released: Collection[str]) -> Checked:
    found: list[Found] = []
    passed: list[Found] = []
    for each in _found(places, key):
        if each.id in released:
            passed.append(each)
        elif len(found) == MOST:
            return Checked(tuple(found), tuple(passed), whole=False)
        else:
            found.append(each)
    return Checked(tuple(found), tuple(passed))


def _found(places: Iterable[Place], key: bytes) -> Iterator[Found]:
    seen: dict[tuple[str, Where, str], tuple[Finding, ...]] = {}  # tags and comments come again
    for place in places:
        asked = (place.text, place.where, place.label)
        findings = seen.get(asked)
        if findings is None:
            findings = find(place.text, where=place.where, label=place.label)
            seen[asked] = findings
        for finding in findings:
            yield Found(place.path, place.kind, finding, release_id(place, finding, key))
