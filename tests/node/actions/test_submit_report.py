"""Reports of incidents: stages, clocks, what they leave in both logs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import orjson
import pytest
from sqlalchemy import select

from node.actions.errors import BadInputError, NotAllowedError, NotFoundError
from node.actions.read import read_event, read_report, read_stage_content
from node.actions.submit import submit_report
from node.storage import audit
from node.storage.logs import find_holding, find_log
from node.storage.tables import entry
from sharing.seal.package import load_holding
from tests.node.actions.house import (
    CANARIES,
    EARLY_WARNING,
    FR,
    NOTIFICATION,
    REPORT_ID,
    House,
    shown_fields,
    values,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_an_early_warning_starts_the_clocks_of_the_law(house: House) -> None:
    done = submit_report(house.node, house.claire, EARLY_WARNING)
    assert (done.report_id, done.stage, done.version) == (REPORT_ID, "early_warning", 1)
    assert done.is_new
    assert done.due["early_warning"] == at("2026-01-28T04:52")
    assert done.due["incident_notification"] == at("2026-01-30T04:52")
    assert done.due["authority_feedback"] == at("2026-01-28T07:40")
    assert 0 < done.completeness <= 100


def test_the_same_submission_again_gets_the_same_answer_and_changes_nothing(house: House) -> None:
    first = submit_report(house.node, house.claire, EARLY_WARNING)
    before = state(house, first.event)
    house.world.clock.turn(hours=3)
    again = submit_report(house.node, house.claire, dict(reversed(list(EARLY_WARNING.items()))))
    assert not again.is_new
    assert (again.due, again.completeness, again.version) == (first.due, first.completeness, 1)
    assert (again.event, again.submitted_at) == (first.event, first.submitted_at)
    assert state(house, first.event) == before


def test_another_content_for_a_submitted_stage_becomes_its_next_version(house: House) -> None:
    first = submit_report(house.node, house.claire, EARLY_WARNING)
    house.world.clock.turn(minutes=5)
    second = submit_report(house.node, house.claire, {**EARLY_WARNING, "status": "contained"})
    assert (second.version, second.event, second.is_new) == (2, first.event, True)
    history = read_report(house.node, house.claire, REPORT_ID)
    assert [(each.stage, each.version) for each in history.stages] == [
        ("early_warning", 1),
        ("early_warning", 2),
    ]
    assert b'"status":"ongoing"' in read_stage_content(house.node, house.claire, REPORT_ID, 1)
    assert b'"status":"contained"' in read_stage_content(house.node, house.claire, REPORT_ID, 2)
    view = read_event(house.node, house.claire, FR, first.event)
    assert shown_fields(view)["status"] == "contained"
    # A late repeat of the first one does not take the correction back.
    assert submit_report(house.node, house.claire, EARLY_WARNING).version == 1
    view = read_event(house.node, house.claire, FR, first.event)
    assert shown_fields(view)["status"] == "contained"


def test_a_final_report_without_a_notification_is_refused_with_the_reason(house: House) -> None:
    submit_report(house.node, house.claire, EARLY_WARNING)
    with pytest.raises(BadInputError, match="incident_notification") as refused:
        submit_report(house.node, house.claire, {"report_id": REPORT_ID, "stage": "final_report"})
    assert refused.value.field == "stage"
    assert len(read_report(house.node, house.claire, REPORT_ID).stages) == 1


def test_a_notification_that_comes_first_stands_for_the_early_warning(house: House) -> None:
    house.world.clock.now = at("2026-01-28T16:30")
    done = submit_report(house.node, house.claire, {**EARLY_WARNING, **NOTIFICATION})
    due = {each.what: each for each in read_report(house.node, house.claire, REPORT_ID).due}
    assert due["early_warning"].merged
    assert due["early_warning"].late
    assert not due["incident_notification"].late
    assert done.due["final_report"] == at("2026-02-28T16:30")


def test_a_month_ends_on_the_last_day_of_a_shorter_one(house: House) -> None:
    submit_report(house.node, house.claire, EARLY_WARNING)
    house.world.clock.now = at("2026-01-31T08:05")
    done = submit_report(
        house.node, house.claire, {**NOTIFICATION, "late_reason": "staff at bedside"}
    )
    assert done.due["final_report"] == at("2026-02-28T08:05")
    due = {each.what: each for each in read_report(house.node, house.claire, REPORT_ID).due}
    assert due["incident_notification"].late


def test_a_voluntary_notification_has_no_due_dates(house: House) -> None:
    body = {"stage": "voluntary_notification", "title": "near miss", "status": "closed"}
    done = submit_report(house.node, house.claire, body)
    assert done.due == {}
    assert done.report_id != REPORT_ID


def test_every_field_at_fault_is_named_and_no_value_repeated(house: House) -> None:
    wrong = {**EARLY_WARNING, "status": "PACS-CANARY-01", "aware_at": "yesterday", "colour": "red"}
    with pytest.raises(BadInputError) as refused:
        submit_report(house.node, house.claire, wrong)
    named = {refused.value.field, *(field for field, _ in refused.value.others)}
    named = {field.strip("'") for field in named}
    assert named == {"status", "aware_at", "colour"}
    assert "PACS-CANARY-01" not in str(refused.value)


def test_a_later_stage_reseals_both_logs_with_what_changed(house: House) -> None:
    first = submit_report(house.node, house.claire, EARLY_WARNING)
    with house.node.store.read() as unit:
        before = find_holding(unit.connection, FR, first.event, FR)
    house.world.clock.now = at("2026-01-28T16:30")
    submit_report(house.node, house.claire, NOTIFICATION)
    with house.node.store.read() as unit:
        after = find_holding(unit.connection, FR, first.event, FR)
        log = find_log(unit.connection, FR, first.event)
    assert before is not None
    assert after is not None
    assert log is not None
    assert (after.epoch, after.seq) == (0, 2) == log.version
    old, new = load_holding(before.package), load_holding(after.package)
    assert new.statement.prev == bytes.fromhex(old.statement.seal)
    kept = set(old.records) & set(new.records)
    assert len(kept) > len(old.records) / 2
    assert all(old.records[index] == new.records[index] for index in kept)
    view = read_event(house.node, house.claire, FR, first.event)
    assert shown_fields(view)["appointments_postponed"] == 212
    assert {"198.51.100.23", "update-imaging.example", "10.20.30.40"} <= values(view)


def test_of_an_edit_to_what_stays_at_home_the_event_tells_only_that_a_stage_came(
    house: House,
) -> None:
    first = submit_report(house.node, house.claire, EARLY_WARNING)
    before = records(house, first.event)
    house.world.clock.turn(hours=1)
    secret = {"summary_internal": "PACS-CANARY-01 is back", "contact_phone": "+33199001234"}
    submit_report(
        house.node, house.claire, {"report_id": REPORT_ID, "stage": "correction", **secret}
    )
    new = b"\n".join(records(house, first.event) - before)
    fields = {orjson.loads(line)["field"] for line in new.splitlines() if b'"field"' in line}
    assert fields == {"stage", "submitted_at"}


def test_the_event_tells_the_hour_of_submission_never_the_minute(house: House) -> None:
    house.world.clock.now = at("2026-01-27T07:43:21")
    done = submit_report(house.node, house.claire, EARLY_WARNING)
    with house.node.store.read() as unit:
        held = find_holding(unit.connection, FR, done.event, FR)
    assert held is not None
    assert load_holding(held.package).statement.iat == at("2026-01-27T07:00")
    assert b"07:43" not in held.package


def test_canaries_are_neither_in_the_events_package_nor_in_its_index(house: House) -> None:
    done = submit_report(house.node, house.claire, EARLY_WARNING)
    house.world.clock.turn(hours=1)
    submit_report(house.node, house.claire, NOTIFICATION)
    with house.node.store.read() as unit:
        held = find_holding(unit.connection, FR, done.event, FR)
        indexed = str(unit.connection.execute(select(entry)).all())
    assert held is not None
    assert "198.51.100.23" in indexed
    for canary in CANARIES:
        assert canary.encode() not in held.package
        assert canary not in indexed


def test_the_audit_tells_the_stage_and_its_ground_but_nothing_of_its_content(house: House) -> None:
    submit_report(house.node, house.claire, EARLY_WARNING)
    with house.node.store.read() as unit:
        line = audit.latest(unit.connection, 1)[0]
        audit.verify(unit.connection)
    assert (line.actor, line.action, line.origin) == ("claire", "report.submit", FR)
    assert line.detail["ground"] == "fr-health/3"
    assert not any(canary in str(line) for canary in CANARIES)


def test_a_hospital_speaks_for_itself_and_for_nobody_else(house: House) -> None:
    claimed = {**EARLY_WARNING, "entity_ref": house.other.org}
    done = submit_report(house.node, house.claire, claimed)
    view = read_event(house.node, house.amelie, FR, done.event)
    assert shown_fields(view)["entity_ref"] == house.claire.org


def test_the_same_report_id_from_two_hospitals_makes_two_reports(house: House) -> None:
    one = submit_report(house.node, house.claire, EARLY_WARNING)
    two = submit_report(house.node, house.other, EARLY_WARNING)
    assert two.is_new
    assert two.event != one.event
    assert read_report(house.node, house.other, REPORT_ID).event == two.event
    assert read_report(house.node, house.claire, REPORT_ID).event == one.event


def test_a_report_is_its_hospitals_and_its_nodes_alone(house: House) -> None:
    submit_report(house.node, house.claire, EARLY_WARNING)
    assert read_report(house.node, house.amelie, REPORT_ID).org == house.claire.org
    for report_id in (REPORT_ID, "3d0f8f1e-1f5e-4c86-9b0d-0c55e9f0ffff"):
        with pytest.raises(NotFoundError, match=r"^no such report$"):
            read_report(house.node, house.other, report_id)


def test_who_only_reads_submits_nothing(house: House) -> None:
    with pytest.raises(NotAllowedError):
        submit_report(house.node, house.reader, EARLY_WARNING)


def test_a_lost_enrolment_rule_names_nobody_but_refuses_no_report(house: House) -> None:
    rule = house.node.settings.data / "enrolments" / "fr-health-3.toml"
    rule.unlink()
    done = submit_report(house.node, house.claire, EARLY_WARNING)
    with house.node.store.read() as unit:
        log = find_log(unit.connection, FR, done.event)
        held = find_holding(unit.connection, FR, done.event, FR)
    assert log is not None
    assert held is not None
    assert log.ground == {"rule": "none/0"}
    assert b"ImagoPartage" in held.package  # clients of this node may know it
    assert b'"party"' not in held.package


def test_two_writers_on_one_report_both_find_their_place(house: House) -> None:
    bodies = [{**EARLY_WARNING, "title": f"title {n}"} for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda body: submit_report(house.node, house.claire, body), bodies))
    assert sorted(each.version for each in done) == [1, 2, 3, 4]
    assert len({each.event for each in done}) == 1
    with house.node.store.read() as unit:
        log = find_log(unit.connection, FR, done[0].event)
        audit.verify(unit.connection)
    assert log is not None
    assert log.version == (0, 4)


def test_the_same_submission_from_two_threads_at_once_is_taken_once(house: House) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(
            pool.map(lambda _: submit_report(house.node, house.claire, EARLY_WARNING), range(4))
        )
    assert [each.is_new for each in done].count(True) == 1
    assert len({each.event for each in done}) == 1


def records(house: House, event: str) -> set[bytes]:
    """The slots of each live record of the event."""
    with house.node.store.read() as unit:
        held = find_holding(unit.connection, FR, event, FR)
    assert held is not None
    return {
        b"\n".join(slot or b"" for slot in record.slots)
        for record in load_holding(held.package).records.values()
    }


def state(house: House, event: str) -> tuple[object, ...]:
    """The event's log and bytes as they are stored."""
    with house.node.store.read() as unit:
        return find_log(unit.connection, FR, event), find_holding(unit.connection, FR, event, FR)
