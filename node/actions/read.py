"""What a caller may read: lists, one event, his reports. Every answer goes through the one gate.

What a caller may not see and what is not there give the same answer. Lists are cut and counted in
SQL over what he may see; an event is projected for him from the holding readers go by. Whoever is
the source of an incident, or staff of its node, reads the report laid over it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from node.actions.caller import Caller
from node.actions.errors import BadInputError, ConflictError, NotFoundError
from node.actions.gate import gate_of, relation_of
from node.actions.incidents import all_dues, submission_of
from node.actions.notes import sightings_of
from node.actions.readable import Readable, find_readable, readable
from node.actions.sealing import taken_from
from node.actions.stored import opened, reporting_damage
from node.node import Node
from node.storage.classes import SlotFacts, all_classes
from node.storage.entries import SeenLog, seen_logs
from node.storage.logs import find_holding, find_log
from node.storage.releases import releases_of
from node.storage.reports import StageRow, reporters_of, stages_of
from node.storage.store import Unit
from policies.decide import Effect
from policies.label import Label
from sharing.incidents.lane import stage_labels
from sharing.project import Standing
from sharing.seal.records import Kind, SlotType
from sharing.view import View, view

_PAGE = 500


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event in a list, as its reader may see it.

    `info` and `tlp` are None where the core is withheld; `attributes` counts those he may see.
    `first_seen_at` is the day alone unless the event is his own.
    """

    origin: str
    event: str
    info: str | None
    tlp: str | None
    own: bool
    published: bool
    incident: bool
    attributes: int
    epoch: int
    seq: int
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, newest first; `next` is where the next page starts, None: there is none."""

    rows: tuple[EventRow, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class StageShown:
    """One submitted stage; `version` counts the stages of its kind."""

    stage: str
    version: int
    submitted_at: datetime
    submitted_by: str
    completeness: int


@dataclass(frozen=True, slots=True)
class DueShown:
    """A due date of a report. `merged`: the notification stood for an early warning never sent."""

    what: str
    due_at: datetime
    met_at: datetime | None
    merged: bool
    late: bool
    overdue: bool


@dataclass(frozen=True, slots=True)
class ReportShown:
    """A report's history and clocks."""

    report_id: str
    org: str
    origin: str
    event: str
    stages: tuple[StageShown, ...]
    due: tuple[DueShown, ...]


def list_events(
    node: Node, caller: Caller, *, after: str | None = None, limit: int = 50
) -> EventPage:
    """Give the events of which the caller may see something, newest first.

    Raises:
        BadInputError: `after` is not where a page of his ended, or `limit` is none.
    """
    if not 1 <= limit <= _PAGE:
        raise BadInputError("limit", f"from 1 to {_PAGE}")
    with node.store.read() as unit:
        gate = gate_of(node, unit, caller, node.clock())
        start = None if after is None else _read_place(after)
        rows = seen_logs(unit.connection, gate, after=start, limit=limit + 1)
        if rows is None:
            raise BadInputError("after", "is not where a page ended")
        facts = all_classes(unit.connection)
    page = rows[:limit]
    more = len(rows) > limit
    return EventPage(
        tuple(
            _row(each, facts[each.info.class_id].label.tlp.word if each.info else None)
            for each in page
        ),
        f"{page[-1].origin}.{page[-1].event}" if more else None,
    )


def read_event(node: Node, caller: Caller, origin: str, event: str) -> View:
    """Give the event as far as the caller may see it.

    Raises:
        NotFoundError: there is none, or nothing of it that he may see.
        StoredPackageError: the bytes that are kept of it are damaged.
    """
    node = node.pinned()
    with reporting_damage(node), node.store.read() as unit:
        seen = find_readable(node, unit, caller, origin, event)
        report = report_over(node, unit, caller, seen)
        sightings = sightings_of(node, unit, caller, seen)
    with reporting_damage(node), opened(seen.best):
        shown = _view(node, caller, seen, report)
        return replace(shown, sightings=sightings, recalled=taken_from(seen.log))


def _view(node: Node, caller: Caller, seen: Readable, report: Readable | None) -> View:
    return view(
        seen.holding,
        seen.projection.masks,
        reader=node.me if caller.is_staff else caller.party,
        own=seen.standing.own,
        report=None if report is None else report.holding,
        report_masks=None if report is None else report.projection.masks,
        withheld=seen.best.withheld,
        published=seen.log.published,
    )


def read_report(node: Node, caller: Caller, report_id: str, org: str | None = None) -> ReportShown:
    """Give the stages and clocks of a report: of the caller's own, or any of this node for staff.

    Raises:
        NotFoundError: there is none of that id that is his.
        ConflictError: several organisations used the id, and `org` does not say whose is meant.
    """
    with node.store.read() as unit:
        stages = _stages(unit, caller, report_id, org)
    now = node.clock()
    due = all_dues(map(submission_of, stages), now)
    return ReportShown(
        report_id=report_id,
        org=stages[0].org,
        origin=node.org,
        event=stages[-1].event,
        stages=tuple(
            StageShown(
                stage=row.stage,
                version=sum(each.stage == row.stage for each in stages[: row.version]),
                submitted_at=row.submitted_at,
                submitted_by=row.submitted_by,
                completeness=row.completeness,
            )
            for row in stages
        ),
        due=tuple(
            DueShown(
                each.what, each.due_at, each.met_at, each.merged, each.is_late, each.is_overdue(now)
            )
            for each in due
        ),
    )


def read_stage_content(
    node: Node, caller: Caller, report_id: str, version: int, org: str | None = None
) -> bytes:
    """Give what was sent as the report's stage number `version`, as JSON; it never changes.

    What the caller may not see is left out, and what waits for a release: that is read in the event
    once it is released.

    Raises:
        NotFoundError: there is no such report that is his, or no such stage of it.
        ConflictError: several organisations used the id, and `org` does not say whose is meant.
    """
    with node.store.read() as unit:
        stages = _stages(unit, caller, report_id, org)
    if not 1 <= version <= len(stages):
        raise NotFoundError("stage")
    return _as_seen(node, caller, stages[version - 1].content)


def _stages(unit: Unit, caller: Caller, report_id: str, org: str | None) -> tuple[StageRow, ...]:
    if "\0" in report_id:  # nothing has such an id, and PostgreSQL takes no such question
        raise NotFoundError("report")
    orgs = reporters_of(unit.connection, report_id) if caller.is_staff else (caller.org,)
    orgs = tuple(each for each in orgs if org in {None, each})
    if len(orgs) > 1:
        whose = " or ".join(f"?org={each}" for each in orgs)
        raise ConflictError(f"{len(orgs)} organisations used this report id: ask with {whose}")
    stages = stages_of(unit.connection, orgs[0], report_id) if orgs else ()
    if not stages:
        raise NotFoundError("report")
    return stages


def _as_seen(node: Node, caller: Caller, content: bytes) -> bytes:
    """What a stage says, as far as the caller may see it; where that is all, the bytes as sent."""
    said = orjson.loads(content)
    labels = stage_labels(said)
    standing = Standing(own=True, client=True, direct=True, published=True)

    def may_see(label: Label) -> bool:
        facts = SlotFacts("report", Kind.FIELD, SlotType.VALUE, label, frozenset())
        relation = relation_of(facts, caller.party, standing, node.clock())
        return node.judge.decide(facts.subject, relation, caller.party).effect is Effect.DISCLOSE

    kept = {name: value for name, value in said.items() if may_see(labels.fields[name])}
    if labels.indicators and "indicators" in kept:
        pairs = zip(said["indicators"], labels.indicators, strict=True)
        kept["indicators"] = [each for each, label in pairs if may_see(label)]
    return content if kept == said else orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)


def report_over(node: Node, unit: Unit, caller: Caller, seen: Readable) -> Readable | None:
    """Give the report log that lies over the event for its own readers.

    What of it waits for persons is not open to this node's staff until they have released it.
    """
    report = seen.log.report
    if report is None or not seen.standing.own:
        return None
    log = find_log(unit.connection, node.org, report)
    held = find_holding(unit.connection, node.org, report, node.org)
    if log is None or held is None:
        return None
    releases = releases_of(unit.connection, node.org, report)
    return readable(node, caller, log, held, releases)


def _row(seen: SeenLog, tlp: str | None) -> EventRow:
    at = seen.first_seen_at
    return EventRow(
        origin=seen.origin,
        event=seen.event,
        info=None if seen.info is None else seen.info.text,
        tlp=tlp,
        own=seen.own,
        published=seen.published,
        incident=seen.own and seen.report is not None,
        attributes=seen.attributes,
        epoch=seen.epoch,
        seq=seen.seq,
        first_seen_at=at if seen.own else at.replace(hour=0, minute=0, second=0, microsecond=0),
    )


def _read_place(after: str) -> tuple[str, str]:
    origin, _, event = after.partition(".")
    return origin, event
