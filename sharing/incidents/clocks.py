"""When each stage of a report is due, and whether it came in time.

Source: NIS2 Art. 23(4), (5); incidents.md §2.2. All arithmetic is in UTC and in elapsed time, so
weekends and changes of the clocks move nothing. A month is a calendar month, clamped to its last
day, which never gives a later time than another reading would. Voluntary notifications have no due
dates. Corrections and false alarms are no stages: they neither meet a due date nor move one.
"""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sharing.incidents.report import BadReportError, Problem, Report, Stage

EARLY_WARNING_AFTER = timedelta(hours=24)
NOTIFICATION_AFTER = timedelta(hours=72)
FEEDBACK_AFTER = timedelta(hours=24)
AUTHORITY_FEEDBACK = "authority_feedback"

_NOTES = {Stage.CORRECTION, Stage.FALSE_ALARM}
_OVER = {"closed", "false_alarm"}


@dataclass(frozen=True, slots=True)
class Submission:
    """What the clocks need to know of one submitted stage."""

    stage: Stage
    submitted_at: datetime
    aware_at: datetime | None = None
    handled_at: datetime | None = None
    status: str = ""
    significant: str = ""

    @classmethod
    def of(cls, report: Report, submitted_at: datetime) -> "Submission":
        """The submission that left the report as it stands."""
        return cls(
            stage=report.stage,
            submitted_at=submitted_at,
            aware_at=report.instant("aware_at"),
            handled_at=report.instant("handled_at"),
            status=str(report.values.get("status", "")),
            significant=str(report.values.get("significant", "")),
        )


@dataclass(frozen=True, slots=True)
class Due:
    """A due date. `what` is a stage's name or `authority_feedback`; `met_at` None: still to come.

    `merged`: the early warning was never sent alone, the notification stood for it.
    """

    what: str
    due_at: datetime
    met_at: datetime | None = None
    merged: bool = False

    @property
    def is_late(self) -> bool:
        """Whether it came, but after its time."""
        return self.met_at is not None and self.met_at > self.due_at

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should have come by now and has not."""
        return self.met_at is None and now > self.due_at


def dues(submissions: Sequence[Submission], now: datetime) -> tuple[Due, ...]:
    """Return every due date of one report, in the order of its stages, as of `now`.

    `submissions` are in the order in which they came. A final report that is due while the incident
    goes on becomes a progress report; the final one is due a month after the incident is handled.
    """
    if any(each.stage is Stage.VOLUNTARY_NOTIFICATION for each in submissions):
        return ()
    stages = [each for each in submissions if each.stage not in _NOTES]
    anchor = awareness(stages)
    if anchor is None:
        return ()
    warned = _first(stages, Stage.EARLY_WARNING)
    notified = _first(stages, Stage.INCIDENT_NOTIFICATION)
    met = warned or notified
    found = [
        Due(
            Stage.EARLY_WARNING, anchor + EARLY_WARNING_AFTER, met, merged=bool(met and not warned)
        ),
        Due(Stage.INCIDENT_NOTIFICATION, anchor + NOTIFICATION_AFTER, notified),
    ]
    if notified is not None:
        found += _closing(stages, add_month(notified), now)
    return tuple(found)


def feedback_due(submissions: Sequence[Submission]) -> Due | None:
    """When the authority owes its first feedback: 24 hours from receipt of the early warning."""
    firsts = (Stage.EARLY_WARNING, Stage.INCIDENT_NOTIFICATION)
    received = next((each.submitted_at for each in submissions if each.stage in firsts), None)
    return None if received is None else Due(AUTHORITY_FEEDBACK, received + FEEDBACK_AFTER)


def awareness(submissions: Iterable[Submission]) -> datetime | None:
    """The instant from which the clocks run.

    It is the first awareness told, unless the incident was first held not to be significant: then
    it is the awareness told when that was changed. Every submission keeps its own time.
    """
    anchor: datetime | None = None
    was_significant = True
    for each in submissions:
        is_significant = each.significant != "not_significant"
        if each.aware_at is not None and (anchor is None or (is_significant > was_significant)):
            anchor = each.aware_at
        was_significant = is_significant
    return anchor


def add_month(at: datetime) -> datetime:
    """The same time a calendar month later in UTC, or on that month's last day."""
    at = at.astimezone(UTC)
    year, month = at.year + at.month // 12, at.month % 12 + 1
    return at.replace(year=year, month=month, day=min(at.day, monthrange(year, month)[1]))


def check_order(stage: Stage, earlier: Iterable[Stage]) -> None:
    """Refuse a stage that has nothing to stand on.

    Raises:
        BadReportError: naming the stage that must come before.
    """
    came = set(earlier)
    match stage:
        case Stage.FINAL_REPORT | Stage.PROGRESS_REPORT if Stage.INCIDENT_NOTIFICATION not in came:
            wanted = "an incident_notification"
        case Stage.INTERMEDIATE_REPORT if not came & {
            Stage.EARLY_WARNING,
            Stage.INCIDENT_NOTIFICATION,
        }:
            wanted = "an early_warning or an incident_notification"
        case Stage.CORRECTION | Stage.FALSE_ALARM if not came:
            wanted = "the stage it is about"
        case _:
            return
    raise BadReportError([Problem("stage", f"{stage} needs {wanted} of this report before it")])


def _closing(stages: Sequence[Submission], due_at: datetime, now: datetime) -> list[Due]:
    """The final report, and before it the progress report of an incident that went on."""
    final = _first(stages, Stage.FINAL_REPORT)
    progress = _first(stages, Stage.PROGRESS_REPORT)
    handled = next((each.handled_at for each in reversed(stages) if each.handled_at), None)
    came_in_time = final is not None and final <= due_at
    over = handled is not None and handled <= due_at
    still_on = now >= due_at and stages[-1].status not in _OVER
    if came_in_time or over or not (still_on or progress or handled):
        return [Due(Stage.FINAL_REPORT, due_at, final)]
    found = [Due(Stage.PROGRESS_REPORT, due_at, progress)]
    if handled is not None:
        found.append(Due(Stage.FINAL_REPORT, add_month(handled), final))
    return found


def _first(submissions: Iterable[Submission], stage: Stage) -> datetime | None:
    return next((each.submitted_at for each in submissions if each.stage is stage), None)
