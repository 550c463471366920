"""A hospital's report as two logs of ours: what it said, and what of that may leave (D2, D3).

The report log holds all fields under the hospital's colour and never leaves. The event log is cut
from it by the field table and the enrolment rule the hospital accepted; its statements carry the
hour, not the minute. Both versions are made here, before a unit opens.

A stage lays itself over what the report said before. Stages stay as they were sent (their rows keep
the bytes); the logs hold the report as it stands. An event that was recalled is not cut again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
import structlog

from node.actions.caller import Caller
from node.actions.enrolments import NOBODY_NAMED, read_rule
from node.actions.sealing import (
    Birth,
    OwnLog,
    Version,
    first_version,
    fresh_uuid,
    next_version,
    read_own,
    taken_from,
    whole_hour,
)
from node.actions.untold import unnamed
from node.errors import SettingsError
from node.node import Node
from node.storage.people import Org
from node.storage.reports import StageRow, stages_of
from node.storage.store import Unit
from sharing.event import Json
from sharing.incidents.clocks import Due, Submission, dues, feedback_due
from sharing.incidents.enrolment import Enrolment
from sharing.incidents.fields import FIELDS
from sharing.incidents.pseudonym import pseudonym_of
from sharing.incidents.report import (
    NOTHING_EARLIER,
    Report,
    Stage,
    completeness,
    read_report,
)
from sharing.incidents.values import BadValueError, read_value
from sharing.slots import Names, cut_incident, cut_report, diff, earlier_of, is_about, touches_only

_log = structlog.get_logger(__name__)

_AS_HASHED = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS  # the bytes of Report.content_hash
_OURS = frozenset({"entity_ref", "entity_pseudonym"})  # the node knows them, no submission says
_STAGE_MARKS = frozenset({"stage_version", "submitted_at"})  # change with every stage, if alone


@dataclass(frozen=True, slots=True)
class Before:
    """A report as it was read: its stages so far, and its two logs where they are."""

    home: Org
    report_id: str
    stages: tuple[StageRow, ...]
    report: OwnLog | None
    event: OwnLog | None


@dataclass(frozen=True, slots=True)
class NewStage:
    """A stage ready to be written: its row, and the versions it makes of the two logs."""

    row: StageRow
    versions: tuple[Version, ...]
    ground: str


def own_words(body: Mapping[str, object]) -> dict[str, object]:
    """Give what of a submission is the submitter's to say."""
    return {name: value for name, value in body.items() if name not in _OURS}


def read_before(node: Node, unit: Unit, home: Org, report_id: str) -> Before:
    """Give the organisation's report of this id as it stands; without stages if it is new."""
    stages = stages_of(unit.connection, home.org, report_id)
    if not stages:
        return Before(home, report_id, (), None, None)
    return Before(
        home=home,
        report_id=report_id,
        stages=stages,
        report=read_own(unit, node.org, stages[-1].report),
        event=read_own(unit, node.org, stages[-1].event),
    )


def read_stage(node: Node, before: Before, words: Mapping[str, object]) -> Report:
    """Give the report as the submitted stage, `own_words` of it, leaves it.

    Raises:
        BadReportError: names every field at fault.
    """
    return read_report(
        words,
        at=node.clock(),
        fresh=lambda: fresh_uuid(node),
        details=_known(before.home),
        earlier=NOTHING_EARLIER if before.report is None else earlier_of(before.report.holding),
    )


def make_stage(
    node: Node, caller: Caller, before: Before, report: Report, words: Mapping[str, object]
) -> NewStage:
    """Seal what the stage changes in both logs, and make its row."""
    now, last = node.clock(), before.stages[-1] if before.stages else None
    event_log = last.event if last else fresh_uuid(node)
    report_log = last.report if last else fresh_uuid(node)
    submission = Submission.of(report, now)
    due = all_dues([*map(submission_of, before.stages), submission], now)
    whole = report.stamped(
        report_id=before.report_id,
        event=event_log,
        version=1 + sum(row.stage == report.stage for row in before.stages),
        at=now,
    )
    is_late = any(each.what == report.stage and each.is_late for each in due)
    row = StageRow(
        org=before.home.org,
        report_id=before.report_id,
        version=len(before.stages) + 1,
        stage=report.stage.value,
        content_hash=report.content_hash,
        content=orjson.dumps(dict(words), option=_AS_HASHED),
        event=event_log,
        report=report_log,
        submitted_at=now,
        submitted_by=caller.name,
        aware_at=submission.aware_at,
        handled_at=submission.handled_at,
        status=submission.status,
        significant=submission.significant,
        completeness=completeness(whole, late=is_late).percent,
        due={each.what: each.due_at.isoformat() for each in due},
    )
    rule = _rule(node, before.home)
    versions = (
        _report_version(node, before, whole, row),
        _event_version(node, before, unnamed(before.home, whole), row, rule),
    )
    made = tuple(version for version in versions if version is not None)
    return NewStage(row, made, rule.ground)


def submission_of(row: StageRow) -> Submission:
    """Give what the clocks need to know of a stage."""
    return Submission(
        stage=Stage(row.stage),
        submitted_at=row.submitted_at,
        aware_at=row.aware_at,
        handled_at=row.handled_at,
        status=row.status,
        significant=row.significant,
    )


def all_dues(submissions: Iterable[Submission], now: datetime) -> tuple[Due, ...]:
    """Give every due date of a report: its stages', then the authority's first feedback."""
    stages = list(submissions)
    found = dues(stages, now)
    feedback = feedback_due(stages) if found else None
    return found if feedback is None else (*found, feedback)


def _known(home: Org) -> dict[str, Json]:
    """What enrolment knows of the one who reports; what is no proper field of it is left out."""
    known: dict[str, Json] = {"entity_name": home.name, "entity_country": home.country}
    for name, value in home.details.items():
        row = FIELDS.get(name)
        try:
            if row is not None:
                known[name] = read_value(row.type, row.values, value)
        except BadValueError as error:
            _log.warning("enrolment holds a wrong value", org=home.org, field=name, why=str(error))
    return {**known, "entity_ref": home.org}


def _report_version(node: Node, before: Before, report: Report, row: StageRow) -> Version | None:
    held = before.report.holding if before.report else None
    names = Names.of(held, lambda: fresh_uuid(node))
    records = cut_report(report, row.report, names)
    if before.report is not None:
        change = diff(before.report.holding, records)
        return next_version(node, before.report, change, row.submitted_at)
    if before.stages:
        return None
    birth = Birth("report", row.report, before.home.org, ground={})
    return first_version(node, birth, records, row.submitted_at)


def _event_version(
    node: Node, before: Before, report: Report, row: StageRow, rule: Enrolment
) -> Version | None:
    if before.stages and before.event is None:
        return None
    taken = taken_from(before.event.row) if before.event else frozenset()
    ground: dict[str, object] = {"rule": rule.ground}
    if taken:  # no later stage brings back what was recalled
        ground["taken_back"] = sorted(taken)
    held = before.event.holding if before.event else None
    names = Names.of(held, lambda: fresh_uuid(node))
    year = datetime.fromtimestamp(report.timestamp, UTC).year
    home = before.home.org
    records = cut_incident(
        report,
        rule,
        row.event,
        names,
        name_before=lambda who: pseudonym_of(node.keys.pseudonym, home, who, year),
    )
    sealed_at = whole_hour(row.submitted_at)
    if before.event is not None:
        records = [record for record in records if not is_about(record, taken)]
        change = diff(before.event.holding, records)
        if touches_only(before.event.holding, change, _STAGE_MARKS):
            return None  # what changed stays at home, so that it was edited does too (D2)
        return next_version(node, before.event, change, sealed_at, ground=ground)
    birth = Birth("event", row.event, before.home.org, ground, report=row.report)
    return first_version(node, birth, records, sealed_at)


def _rule(node: Node, home: Org) -> Enrolment:
    """Give the rule the organisation accepted; one that cannot be read names nobody.

    A report is never refused for a file that the operator has mislaid: less leaves, and the log
    says so.
    """
    try:
        return read_rule(node.settings, home.enrolment)
    except SettingsError as error:
        _log.error("enrolment rule cannot be read, nobody is named", org=home.org, why=str(error))
        return NOBODY_NAMED
