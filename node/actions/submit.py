"""What people and machines bring to their own node: reports of incidents, and events.

Whoever submits speaks for his own organisation, and it is the source (D3). All is checked, cut and
sealed before a unit opens; one unit writes holdings, index, stage, dirt and audit, or nothing. The
same submission again gives the same answer and changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from node.actions.caller import Caller
from node.actions.drafts import make_event, read_attributes, read_body
from node.actions.errors import BadInputError, ConflictError, NotAllowedError
from node.actions.groups_met import adopt
from node.actions.incidents import (
    Before,
    NewStage,
    make_stage,
    own_words,
    read_before,
    read_stage,
)
from node.actions.own import (
    Submitted,
    as_bad_input,
    check_submitter,
    find_own,
    note,
    submitted,
)
from node.actions.patients import check_stage, noted
from node.actions.sealing import (
    OvertakenError,
    OwnLog,
    fresh_uuid,
    next_version,
    taken_from,
    told_time,
    until_settled,
    write_version,
)
from node.node import Node
from node.storage import audit, people
from node.storage.people import Org
from node.storage.reports import StageRow, add_stage, stages_of
from node.storage.store import Unit, lock_name
from sharing import slots
from sharing.event import Attribute, spreads_in
from sharing.incidents.clocks import check_order
from sharing.incidents.report import BadReportError, Stage
from sharing.incidents.values import BadValueError, read_value
from sharing.patients.check import Found
from sharing.seal.records import EVENT_LABEL
from sharing.slots import Names


@dataclass(frozen=True, slots=True)
class SubmittedReport:
    """A stage as it was taken; `version` counts the stages of its kind, `due` says what is when.

    `is_new` False: the very same was submitted before, and this is the answer it got.
    """

    report_id: str
    origin: str
    event: str
    stage: str
    version: int
    submitted_at: datetime
    due: Mapping[str, datetime]
    completeness: int
    is_new: bool


def submit_event(node: Node, caller: Caller, body: Mapping[str, object]) -> Submitted:
    """Take an event: `Event` as MISP has it, `tlp`, and if need be `pap`, `addressees`, `only`.

    Raises:
        NotAllowedError: the caller only reads, or wants `publish` and is no operator.
        BadInputError: names the member at fault.
        PatientDataError: it holds patient data that nobody released; nothing of it is kept.
        ConflictError: an event of that uuid is there and says something else.
    """
    check_submitter(caller)
    with node.store.read() as unit:
        home = _home(unit, caller)
    return until_settled(lambda: _submit_event(node, caller, home, body))


def add_attributes(
    node: Node, caller: Caller, origin: str, event: str, attributes: object
) -> Submitted:
    """Add attributes, as MISP has them, to an event of one's own.

    One without a uuid that the event has already (type, category, value) is left as it is; one with
    the uuid of another replaces it. One that was recalled is refused by its uuid; its value may
    come as another attribute.

    Raises:
        NotAllowedError, NotFoundError, BadInputError, ConflictError: as their words say.
        PatientDataError: they hold patient data that nobody released; nothing of it is kept.
    """
    check_submitter(caller)
    return until_settled(lambda: _add_attributes(node, caller, (origin, event), attributes))


def submit_report(node: Node, caller: Caller, body: Mapping[str, object]) -> SubmittedReport:
    """Take one stage of a report, the first or a later one.

    Without a `report_id` it is a new report. A stage that was submitted before, with another
    content, becomes the next version of that stage.

    Raises:
        NotAllowedError: the caller only reads.
        BadInputError: names every field at fault, or the stage that must come first.
        PatientDataError: it holds patient data that nobody released; nothing of it is kept.
        ConflictError: others keep submitting to the same report.
    """
    check_submitter(caller)
    report_id = _report_id(node, body)
    return until_settled(lambda: _submit_stage(node, caller, report_id, own_words(body)))


def _submit_event(node: Node, caller: Caller, home: Org, body: Mapping[str, object]) -> Submitted:
    typed = read_body(node, caller, home, body)
    with as_bad_input("Event"):
        made = make_event(node, typed.draft, published=typed.publish, content=typed.content)
    if isinstance(made, OwnLog):
        return submitted(made.row, is_new=False)
    with node.store.write() as unit:
        adopt(node, unit, caller, typed.adopted)
        write_version(unit, made)
        detail = {"seal": made.log.seal, "published": made.log.published, **noted(typed.passed)}
        note(unit, node, caller, "event.submit", made.log, detail)
    return submitted(made.log, is_new=True)


def _add_attributes(
    node: Node, caller: Caller, key: tuple[str, str], attributes: object
) -> Submitted:
    with node.store.read() as unit:
        own = find_own(node, unit, caller, *key)
    if own.row.report is not None:
        raise ConflictError("an incident's indicators are added by a stage of its report")
    names = Names.of(own.holding, lambda: fresh_uuid(node))
    label = own.holding.labels.effective(EVENT_LABEL)
    with as_bad_input("Attribute"):
        read = read_attributes(node, caller, own, attributes, label)
        _check_not_recalled(own, read.attributes)
        version = next_version(
            node,
            own,
            slots.add_attributes(own.holding, read.attributes, names),
            told_time(node, own.row.source or node.org),
        )
    if version is None:
        return submitted(own.row, is_new=False)
    with node.store.write() as unit:
        adopt(node, unit, caller, read.adopted)
        write_version(unit, replace(version, spreads=spreads_in(read.attributes)))
        told = {"seal": version.log.seal, "attributes": len(read.attributes), **noted(read.passed)}
        note(unit, node, caller, "event.add", version.log, told)
    return submitted(version.log, is_new=True)


def _check_not_recalled(own: OwnLog, attributes: Sequence[Attribute]) -> None:
    """Let nobody add what was recalled: it stays erased where it went, whatever is said here."""
    taken = taken_from(own.row)
    for n, attribute in enumerate(attributes):
        if attribute.uuid in taken:
            why = (
                f"{attribute.uuid} was recalled from this event: leave it out to add it as another"
            )
            raise BadInputError(f"Attribute[{n}].uuid", why)


def _submit_stage(
    node: Node, caller: Caller, report_id: str, words: Mapping[str, object]
) -> SubmittedReport:
    with node.store.read() as unit:
        before = read_before(node, unit, _home(unit, caller), report_id)
    try:
        report = read_stage(node, before, words)
        for row in before.stages:
            if (row.stage, row.content_hash) == (report.stage, report.content_hash):
                return _answer(node, before.stages, row, is_new=False)
        check_order(report.stage, [Stage(row.stage) for row in before.stages])
        passed = check_stage(node, caller, report, words)
        with as_bad_input(""):
            made = make_stage(node, caller, before, report, words)
    except BadReportError as error:
        first, *others = [(each.field, each.why) for each in error.problems]
        raise BadInputError(*first, others) from error
    with node.store.write() as unit:
        _write_stage(node, unit, before, made, passed)
    return _answer(node, (*before.stages, made.row), made.row, is_new=True)


def _write_stage(
    node: Node, unit: Unit, before: Before, made: NewStage, passed: Sequence[Found]
) -> None:
    conn, row = unit.connection, made.row
    lock_name(conn, f"report {row.org} {row.report_id}")
    if len(stages_of(conn, row.org, row.report_id)) != len(before.stages):
        raise OvertakenError(f"report {row.report_id} has another stage by now")
    for version in made.versions:
        write_version(unit, version)
    add_stage(conn, row)
    detail = {
        "report_id": row.report_id,
        "stage": row.stage,
        "version": row.version,
        "content": row.content_hash,
        "seals": {version.log.type: version.log.seal for version in made.versions},
        "ground": made.ground,
        **noted(passed),
    }
    audit.append(
        conn, row.submitted_at, row.submitted_by, "report.submit", node.org, row.event, detail
    )


def _answer(
    node: Node, stages: Sequence[StageRow], row: StageRow, *, is_new: bool
) -> SubmittedReport:
    return SubmittedReport(
        report_id=row.report_id,
        origin=node.org,
        event=row.event,
        stage=row.stage,
        version=sum(each.stage == row.stage for each in stages[: row.version]),
        submitted_at=row.submitted_at,
        due={what: datetime.fromisoformat(at) for what, at in row.due.items()},
        completeness=row.completeness,
        is_new=is_new,
    )


def _report_id(node: Node, body: Mapping[str, object]) -> str:
    given = body.get("report_id")
    try:
        return fresh_uuid(node) if given is None else str(read_value("uuid4", "", given))
    except BadValueError as error:
        raise BadInputError("report_id", error.why) from error


def _home(unit: Unit, caller: Caller) -> Org:
    home = people.find_org(unit.connection, caller.org)
    if home is None:
        raise NotAllowedError("your organisation is not enrolled here")
    return home
