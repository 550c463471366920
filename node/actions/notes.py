"""Sightings: what was seen here of a log, said in a note of our own; and what notes say of one.

Whoever may see an attribute may say that he saw it. What he said stays here; our note about that
log tells the others how often it was seen on which day, and of nobody here (D5). Reading merges the
notes that the reader may see into what he sees of the log: counts for everybody; by country for the
staff of the node that the log comes from, and of the hub.
"""

import hmac
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta
from uuid import UUID

import structlog

from node.actions.caller import Caller
from node.actions.errors import BadInputError, ConflictError, NotFoundError
from node.actions.gate import gate_of
from node.actions.own import as_bad_input, check_submitter
from node.actions.readable import Readable, find_readable, readable
from node.actions.sealing import (
    Birth,
    Version,
    first_version,
    fresh_uuid,
    next_version,
    read_own,
    told_time,
    until_settled,
    write_version,
)
from node.actions.stored import opened
from node.node import Node
from node.storage import audit
from node.storage.dirt import mark_dirty
from node.storage.entries import seen_values
from node.storage.errors import StoredPackageError
from node.storage.logs import best_holding, find_log, set_published
from node.storage.notes import (
    SightingCount,
    SightingRow,
    add_sightings,
    counts_of,
    known_sightings,
    notes_about,
    told_by,
)
from node.storage.store import Unit
from policies.label import Label
from policies.printable import printable
from sharing.notes import SEEN, TYPES, Note, Sighting, cut_note, read_note
from sharing.slots import Names, diff
from sharing.slots_read import read_log
from sharing.view import Seen

MOST = 1000  # sightings in one submission
MOST_TOLD_A_DAY = 10_000  # times that one organisation tells of an attribute and a day
_OLDEST = timedelta(days=365)
_SKEW = timedelta(minutes=5)  # of the clocks of who tells it
_MEMBERS = frozenset({"id", "value", "origin", "event", "attribute", "type", "day", "count"})
_LogKey = tuple[str, str]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SightingsTaken:
    """How many sightings were new, and how many attributes they were about."""

    added: int
    attributes: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Told:
    """One sighting as submitted: of one attribute, or (`value`) of all that have the value."""

    place: str
    id: str
    type: str
    day: str
    count: int
    origin: str = ""
    event: str = ""
    attribute: str = ""
    value: str = ""


def sight(node: Node, caller: Caller, given: object) -> SightingsTaken:
    """Take sightings: a list of objects.

    Each names an attribute (`origin`, `event`, `attribute`) or a `value`; `type` is `seen`,
    `false_positive` or `expired`, `day` (in UTC) is today, `count` 1 unless they are given. With an
    `id` (uuid) the same sighting again counts once. An organisation tells at most `MOST_TOLD_A_DAY`
    times of an attribute and a day, and of no day longer ago than a year.

    Raises:
        NotAllowedError: the caller only reads.
        BadInputError: names the member at fault.
        NotFoundError: there is no such attribute that the caller may see.
        ConflictError: his organisation has told enough of an attribute and a day; nothing is kept.
    """
    check_submitter(caller)
    told = _read(node, given)
    with node.store.read() as unit:
        rows = [row for each in told for row in _rows(node, unit, caller, each)]
        logs = sorted({(row.origin, row.event) for row in rows})
        for log in logs:
            _fresh(unit, caller, log, rows)
    added = sum(
        until_settled(lambda: _keep(node, caller, log, rows))  # noqa: B023  called at once
        for log in logs
    )
    return SightingsTaken(added, len({(r.event, r.attribute) for r in rows}), is_new=added > 0)


def sightings_of(node: Node, unit: Unit, caller: Caller, seen: Readable) -> tuple[Seen, ...]:
    """Give what the notes that the caller may see say about a log, as far as he sees the log."""
    shown = read_log(seen.holding, seen.projection.masks).labels
    latest = (node.clock().astimezone(UTC) + _SKEW).date().isoformat()  # a foreign note says more
    by_country = caller.is_staff and (seen.log.origin == node.org or node.settings.role == "hub")
    found: dict[tuple[str, str], Seen] = {}
    for key in notes_about(unit.connection, [(seen.log.origin, seen.log.event)]):
        country = _country(node, key[0]) if by_country else None
        for one in _said(node, unit, caller, key):
            if one.attribute in shown and one.day <= latest:
                known = found.get((one.attribute, one.type)) or Seen(one.attribute, one.type)
                found[one.attribute, one.type] = _counted(known, one, country)
    return tuple(found[key] for key in sorted(found))


def follow(node: Node, about: _LogKey) -> _LogKey | None:
    """Let our note about a log be as strict as that is now, go where it goes, and end with it.

    Whoever marks a log dirty marks the notes about it, and the projector asks for this before it
    projects them. A note that cannot be cut anew (damage, or more labels than a log has room for)
    stays at home: whatever a peer sent, it holds up nothing else. While nothing may be sealed,
    nothing leaves either. Gives the note if others kept changing it meanwhile: it still says what
    it said by the old labels, so it is not projected until this is asked again.
    """
    key = (node.org, _derived(node, "note", *about))
    try:
        until_settled(lambda: _follow(node, about, key))
    except ConflictError:
        return key
    except (BadInputError, StoredPackageError) as error:
        _log.error("note stays at home", log=key[1], why=str(error))
        with node.store.write() as unit:
            _publish(unit, key, goes=False)
    return None


def _publish(unit: Unit, key: _LogKey, *, goes: bool) -> None:
    note = find_log(unit.connection, *key)
    if note is not None and note.published != goes:
        set_published(unit.connection, *key, published=goes)
        mark_dirty(unit.connection, [key])


def _follow(node: Node, about: _LogKey, key: _LogKey) -> None:
    with node.store.read() as unit:
        goes, labels = _about(unit, about)
        version = _next_note(node, unit, node.org, about, ()) if labels else None
    with node.store.write() as unit:
        if version is None:
            _publish(unit, key, goes=goes)
        else:
            write_version(unit, version)


def _read(node: Node, given: object) -> list[_Told]:
    if not isinstance(given, list) or not 0 < len(given) <= MOST:
        raise BadInputError("sightings", f"is a list of 1 to {MOST}")
    return [_read_one(node, f"sightings[{n}]", one) for n, one in enumerate(given)]


def _read_one(node: Node, place: str, one: object) -> _Told:
    if not isinstance(one, dict):
        raise BadInputError(place, "is an object")
    if unknown := sorted(set(one) - _MEMBERS):
        raise BadInputError(f"{place}.{printable(unknown[0])}", "is no member of a sighting")
    kind, count = one.get("type", SEEN), one.get("count", 1)
    if kind not in TYPES:
        raise BadInputError(f"{place}.type", f"is one of {', '.join(TYPES)}")
    if type(count) is not int or not 0 < count <= MOST_TOLD_A_DAY:
        raise BadInputError(f"{place}.count", f"is a whole number from 1 to {MOST_TOLD_A_DAY}")
    told = _Told(
        place=place,
        id=_uuid(place, one, "id") if "id" in one else fresh_uuid(node),
        type=str(kind),
        day=_day(node, place, one),
        count=count,
    )
    if "value" in one:
        if not isinstance(one["value"], str) or not one["value"].strip():
            raise BadInputError(f"{place}.value", "is a text")
        return replace(told, value=one["value"])
    return replace(
        told,
        origin=_uuid(place, one, "origin"),
        event=_uuid(place, one, "event"),
        attribute=_uuid(place, one, "attribute"),
    )


def _uuid(place: str, one: Mapping[str, object], name: str) -> str:
    try:
        return str(UUID(str(one[name])))
    except (KeyError, ValueError):
        raise BadInputError(f"{place}.{name}", "is a uuid") from None


def _day(node: Node, place: str, one: Mapping[str, object]) -> str:
    now = node.clock().astimezone(UTC)
    try:
        day = date.fromisoformat(str(one.get("day", now.date())))
    except ValueError:
        raise BadInputError(f"{place}.day", "is a day: 2026-01-27") from None
    if day > (now + _SKEW).date():
        raise BadInputError(f"{place}.day", "lies in the future")
    if day < (now - _OLDEST).date():
        raise BadInputError(f"{place}.day", f"is longer ago than {_OLDEST.days} days")
    return day.isoformat()


def _rows(node: Node, unit: Unit, caller: Caller, told: _Told) -> Iterable[SightingRow]:
    """The attributes that a sighting is about, each once."""
    if told.value:
        gate = gate_of(node, unit, caller, node.clock())
        hits = seen_values(unit.connection, gate, told.value, MOST)
        places = sorted({(hit.origin, hit.event, hit.uuid) for hit in hits})
    else:
        seen = find_readable(node, unit, caller, told.origin, told.event)
        shown = read_log(seen.holding, seen.projection.masks).event
        inside = [each for thing in shown.objects for each in thing.attributes]
        known = {each.uuid for each in (*shown.attributes, *inside)}
        places = [(told.origin, seen.log.event, told.attribute)] if told.attribute in known else []
    if not places:
        raise NotFoundError(f"attribute that you may see ({told.place})")
    for n, (origin, event, attribute) in enumerate(places):
        yield SightingRow(
            org=caller.org,
            id=told.id if n == 0 else _derived(node, "seen", told.id, attribute),
            origin=origin,
            event=event,
            attribute=attribute,
            type=told.type,
            day=told.day,
            count=told.count,
            person=caller.name,
            added_at=node.clock(),
        )


def _keep(node: Node, caller: Caller, about: _LogKey, rows: Sequence[SightingRow]) -> int:
    """Keep what is new about a log, and say it in the next version of our note; gives how many."""
    with node.store.read() as unit:
        fresh = _fresh(unit, caller, about, rows)
        if not fresh:
            return 0
        version = _next_note(node, unit, caller.org, about, fresh)
    with node.store.write() as unit:
        add_sightings(unit.connection, fresh)
        if version is not None:
            write_version(unit, version)
        detail = {"sightings": len(fresh)}
        audit.append(unit.connection, node.clock(), caller.name, "sighting.add", *about, detail)
    return len(fresh)


def _fresh(
    unit: Unit, caller: Caller, about: _LogKey, rows: Sequence[SightingRow]
) -> list[SightingRow]:
    """Give what is new about a log, if the caller's organisation may still tell all of it."""
    known = known_sightings(unit.connection, caller.org, {row.id for row in rows})
    fresh = {
        row.id: row for row in rows if (row.origin, row.event) == about and row.id not in known
    }
    times = Counter(told_by(unit.connection, caller.org, about))
    for row in fresh.values():
        times[row.attribute, row.day] += row.count
        if times[row.attribute, row.day] > MOST_TOLD_A_DAY:
            raise ConflictError(
                f"attribute {row.attribute}, {row.day}: an organisation tells at most "
                f"{MOST_TOLD_A_DAY} times of one attribute and day, false alarms counted in"
            )
    return list(fresh.values())


def _next_note(
    node: Node, unit: Unit, org: str, about: _LogKey, fresh: Sequence[SightingRow]
) -> Version | None:
    """Give the next version of our note about a log, if it says anything else than before."""
    goes, labels = _about(unit, about)
    if not labels:
        raise NotFoundError("event")
    counts = {(one.attribute, one.type, one.day): one for one in counts_of(unit.connection, about)}
    for row in fresh:
        place = (row.attribute, row.type, row.day)
        before = counts.get(place)
        counts[place] = SightingCount(*place, row.count + (before.count if before else 0))
    note = Note(
        about,
        tuple(
            Sighting(one.attribute, one.type, one.day, one.count)
            for _, one in sorted(counts.items())
            if one.attribute in labels
        ),
    )
    uuid = _derived(node, "note", *about)
    own = read_own(unit, node.org, uuid)
    names = Names.of(None if own is None else own.holding, lambda: fresh_uuid(node))

    def uuid_of(one: Sighting) -> str:
        return _derived(node, "sighting", *about, one.attribute, one.type, one.day)

    with as_bad_input("sightings"):
        records = cut_note(note, uuid, labels, names, uuid_of)
        at = told_time(node, org)
        if own is not None:
            version = next_version(node, own, diff(own.holding, records), at)
            return version and replace(version, log=replace(version.log, published=goes))
        birth = Birth("note", uuid, node.org, {"act": "own"}, published=goes)
        return first_version(node, birth, records, at)


def _about(unit: Unit, about: _LogKey) -> tuple[bool, Mapping[str, Label]]:
    """Whether a log may leave as this node holds it, and the labels of all of it; none: nothing."""
    log, best = find_log(unit.connection, *about), best_holding(unit.connection, *about)
    if log is None or best is None:
        return False, {}
    is_newest = (best.epoch, best.seq) >= log.version
    with opened(best) as holding:
        return log.published and not log.is_recalled and is_newest, read_log(holding).labels


def _said(node: Node, unit: Unit, caller: Caller, key: _LogKey) -> tuple[Sighting, ...]:
    """What the caller may read of a note."""
    log, best = find_log(unit.connection, *key), best_holding(unit.connection, *key)
    if log is None or best is None or log.type != "note":
        return ()
    seen = readable(node, caller, log, best)
    note = read_note(seen.holding, seen.projection.masks)
    return () if note is None else note.sightings


def _counted(seen: Seen, one: Sighting, country: str | None) -> Seen:
    by = dict(seen.by_country)
    if country is not None:
        by[country] = by.get(country, 0) + one.count
    return replace(seen, count=seen.count + one.count, last=max(seen.last, one.day), by_country=by)


def _country(node: Node, org: str) -> str:
    if org == node.org:
        return node.me.country
    return next((peer.party.country for peer in node.peers if peer.org == org), "")


def _derived(node: Node, what: str, *parts: str) -> str:
    """A uuid that this node alone can derive: the same for the same, and telling nothing of it."""
    digest = hmac.digest(node.keys.pseudonym, "|".join((what, *parts)).encode(), "sha256")
    return str(UUID(bytes=digest[:16], version=4))
