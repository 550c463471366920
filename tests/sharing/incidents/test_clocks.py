"""Due dates are the law's, to the second; each rule of the design has its row here."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharing.incidents.clocks import (
    AUTHORITY_FEEDBACK,
    Due,
    Submission,
    add_month,
    awareness,
    check_order,
    dues,
    feedback_due,
)
from sharing.incidents.report import BadReportError, Stage
from tests.sharing.incidents.cassiopee import NOTIFIED_AT, notified


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


AWARE = at("2026-01-27T04:52Z")
WARNED = Submission(Stage.EARLY_WARNING, at("2026-01-27T07:40Z"), AWARE, status="ongoing")
NOTIFIED = Submission(Stage.INCIDENT_NOTIFICATION, at("2026-01-28T16:30Z"), AWARE, status="ongoing")
SOON = at("2026-01-28T17:00Z")


def test_warning_and_notification_are_due_24_and_72_hours_after_awareness() -> None:
    assert dues([WARNED], SOON) == (
        Due("early_warning", at("2026-01-28T04:52Z"), met_at=WARNED.submitted_at),
        Due("incident_notification", at("2026-01-30T04:52Z")),
    )


@pytest.mark.parametrize(
    ("notified_at", "final"),
    [
        ("2026-01-31T08:05Z", "2026-02-28T08:05Z"),
        ("2028-01-31T08:05Z", "2028-02-29T08:05Z"),
        ("2026-01-28T16:30Z", "2026-02-28T16:30Z"),
        ("2026-12-31T23:59Z", "2027-01-31T23:59Z"),
        ("2026-03-31T00:30+02:00", "2026-04-30T22:30Z"),
    ],
)
def test_the_final_report_is_due_a_calendar_month_after_the_notification(
    notified_at: str, final: str
) -> None:
    sub = Submission(Stage.INCIDENT_NOTIFICATION, at(notified_at), at(notified_at))
    assert dues([sub], at(notified_at))[-1] == Due("final_report", at(final))


def test_an_incident_that_goes_on_owes_progress_then_a_month_from_its_handling() -> None:
    recovering = Submission(
        Stage.INTERMEDIATE_REPORT, at("2026-02-20T08:00Z"), AWARE, status="recovering"
    )
    due = at("2026-02-28T16:30Z")
    came = [WARNED, NOTIFIED, recovering]
    assert dues(came, due - timedelta(seconds=1))[-1] == Due("final_report", due)
    assert dues(came, due)[-1] == Due("progress_report", due)
    progress = Submission(Stage.PROGRESS_REPORT, due, AWARE, status="recovering")
    assert dues([*came, progress], due)[-1] == Due("progress_report", due, met_at=due)
    handled = Submission(
        Stage.INTERMEDIATE_REPORT,
        at("2026-03-19T11:00Z"),
        AWARE,
        handled_at=at("2026-03-19T10:00Z"),
        status="closed",
    )
    assert dues([*came, progress, handled], at("2026-03-20T00:00Z"))[-2:] == (
        Due("progress_report", due, met_at=due),
        Due("final_report", at("2026-04-19T10:00Z")),
    )


def test_handled_in_time_or_reported_in_time_owes_no_progress() -> None:
    due = at("2026-02-28T16:30Z")
    final = Submission(Stage.FINAL_REPORT, at("2026-02-20T00:00Z"), AWARE, status="closed")
    assert dues([NOTIFIED, final], at("2026-05-01T00:00Z"))[-1] == Due(
        "final_report", due, met_at=final.submitted_at
    )
    handled = Submission(
        Stage.INTERMEDIATE_REPORT,
        at("2026-02-11T00:00Z"),
        handled_at=at("2026-02-10T00:00Z"),
        status="ongoing",
    )
    assert dues([NOTIFIED, handled], at("2026-05-01T00:00Z"))[-1] == Due("final_report", due)


def test_a_notification_without_a_warning_stands_for_it() -> None:
    assert dues([NOTIFIED], SOON)[0] == Due(
        "early_warning", at("2026-01-28T04:52Z"), met_at=NOTIFIED.submitted_at, merged=True
    )


def test_a_late_notification_is_late_and_a_missing_one_overdue() -> None:
    aware = at("2026-01-27T08:40Z")
    late = Submission(Stage.INCIDENT_NOTIFICATION, at("2026-01-31T08:05Z"), aware)
    due = dues([late], at("2026-02-01T00:00Z"))[1]
    assert due.is_late
    assert late.submitted_at - due.due_at == timedelta(hours=23, minutes=25)
    missing = dues([Submission(Stage.EARLY_WARNING, aware, aware)], at("2026-01-30T08:40Z"))[1]
    assert not missing.is_overdue(missing.due_at)
    assert missing.is_overdue(missing.due_at + timedelta(seconds=1))


def test_reclassifying_as_significant_starts_the_clock_anew() -> None:
    first = Submission(Stage.EARLY_WARNING, SOON, AWARE, significant="not_significant")
    later = Submission(
        Stage.INTERMEDIATE_REPORT, SOON, at("2026-01-29T10:00Z"), significant="significant"
    )
    assert awareness([first, later]) == at("2026-01-29T10:00Z")
    assert awareness([first]) == AWARE
    assert awareness([WARNED, later]) == AWARE


def test_corrections_and_false_alarms_move_no_clock() -> None:
    note = Submission(Stage.CORRECTION, SOON, at("2026-01-01T00:00Z"))
    alarm = Submission(Stage.FALSE_ALARM, SOON, at("2026-01-01T00:00Z"))
    assert dues([WARNED, note, alarm], SOON) == dues([WARNED], SOON)


def test_voluntary_notifications_are_never_due() -> None:
    voluntary = Submission(Stage.VOLUNTARY_NOTIFICATION, SOON, AWARE)
    assert dues([voluntary], SOON) == ()
    assert feedback_due([voluntary]) is None


def test_feedback_is_due_24_hours_after_the_warning_came() -> None:
    assert feedback_due([WARNED, NOTIFIED]) == Due(AUTHORITY_FEEDBACK, at("2026-01-28T07:40Z"))
    assert feedback_due([NOTIFIED]) == Due(AUTHORITY_FEEDBACK, at("2026-01-29T16:30Z"))


@pytest.mark.parametrize("night", ["2026-03-28T22:00Z", "2026-10-24T22:00Z"])
def test_a_change_of_the_clocks_moves_nothing(night: str) -> None:
    brussels_after = timezone(timedelta(hours=2 if "03-" in night else 1))
    due = dues([Submission(Stage.EARLY_WARNING, at(night), at(night))], at(night))[0].due_at
    assert due.astimezone(brussels_after).astimezone(UTC) - at(night) == timedelta(hours=24)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)))  # noqa: DTZ001
def test_a_month_is_28_to_31_days_and_never_skips_one(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    later = add_month(moment)
    assert 28 <= (later - moment).days <= 31
    assert (later.year * 12 + later.month) - (moment.year * 12 + moment.month) == 1
    assert later.timetz() == moment.timetz()


@pytest.mark.parametrize(
    ("stage", "earlier"),
    [
        (Stage.FINAL_REPORT, [Stage.EARLY_WARNING]),
        (Stage.PROGRESS_REPORT, []),
        (Stage.INTERMEDIATE_REPORT, [Stage.VOLUNTARY_NOTIFICATION]),
        (Stage.CORRECTION, []),
        (Stage.FALSE_ALARM, []),
    ],
)
def test_a_stage_with_nothing_to_stand_on_is_refused(stage: Stage, earlier: list[Stage]) -> None:
    with pytest.raises(BadReportError, match=f"{stage} needs .* of this report before it"):
        check_order(stage, earlier)


def test_a_notification_needs_no_warning_and_a_final_report_only_a_notification() -> None:
    check_order(Stage.INCIDENT_NOTIFICATION, [])
    check_order(Stage.FINAL_REPORT, [Stage.INCIDENT_NOTIFICATION])
    check_order(Stage.INTERMEDIATE_REPORT, [Stage.EARLY_WARNING])


def test_a_report_tells_the_clocks_what_they_need() -> None:
    assert Submission.of(notified(), NOTIFIED_AT) == Submission(
        Stage.INCIDENT_NOTIFICATION,
        NOTIFIED_AT,
        aware_at=AWARE,
        status="ongoing",
        significant="significant",
    )
