"""A hospital's report: one submitted stage, read and checked, laid over what came before.

A stage is a flat object of field name -> value (`fields.csv`), plus `indicators` (a list) and
`choices` (field name -> a stricter colour for that field). What a stage leaves out stands as the
stage before said it, else as enrolment knows it; null takes a field back, to its default where it
has one. A legally valid early
warning is never refused (Art. 23(4)(a)): what else is missing lowers `completeness`.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import orjson

from policies.printable import printable
from policies.tlp import Pap, Tlp, read_pap, read_tlp
from sharing.errors import ForeignFault
from sharing.event import Json, Members
from sharing.incidents.fields import FIELDS, Field
from sharing.incidents.indicator import Indicator, hour_of, read_indicator, spelled_colour
from sharing.incidents.values import (
    BadValueError,
    class_of,
    read_instant,
    read_value,
    write_instant,
)

_APART = frozenset({"indicators", "choices"})
_INDICATORS = 10_000
_CLOCK_SKEW = timedelta(minutes=5)
_FLAGS = ("aware_at", "suspected_malicious", "cross_border")
_ENTITY = ("entity_name", "entity_ref")
_CONTACT = ("contact_email", "contact_phone", "contact_name")
SERVER_FIELDS = frozenset(
    {
        "report_id",
        "event_id",
        "stage",
        "stage_version",
        "submitted_at",
        "entity_ref",
        "entity_pseudonym",
        "iocs_available",
        "recovery_hours",
    },
)
"""Fields that no person fills in; they never count against completeness."""


class Stage(StrEnum):
    """The stages of a report, as the field `stage` names them."""

    EARLY_WARNING = "early_warning"
    INCIDENT_NOTIFICATION = "incident_notification"
    INTERMEDIATE_REPORT = "intermediate_report"
    PROGRESS_REPORT = "progress_report"
    FINAL_REPORT = "final_report"
    VOLUNTARY_NOTIFICATION = "voluntary_notification"
    CORRECTION = "correction"
    FALSE_ALARM = "false_alarm"

    @property
    def is_mandatory(self) -> bool:
        """Whether the law asks for it, so that the legal minimum applies."""
        return self not in {Stage.VOLUNTARY_NOTIFICATION, Stage.CORRECTION, Stage.FALSE_ALARM}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of a submission; `why` repeats no value."""

    field: str
    why: str


class BadReportError(ForeignFault):
    """A submission that cannot be taken; `problems` names every field at fault."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"`{each.field}` {each.why}" for each in self.problems))


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a report said before this stage, as its log holds it."""

    values: Members
    indicators: tuple[Indicator, ...] = ()
    choices: Mapping[str, Tlp] = field(default_factory=dict)
    timestamp: int | None = None


NOTHING_EARLIER = Earlier({})


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it stands after one stage.

    `colour` is the submitter's and labels the whole report; `timestamp` is the whole hour of the
    first stage. `content_hash` covers what this stage sent, so that sending it twice is seen.
    """

    stage: Stage
    values: Members
    indicators: tuple[Indicator, ...]
    choices: Mapping[str, Tlp]
    colour: Tlp
    pap: Pap
    timestamp: int
    content_hash: str

    @property
    def report_id(self) -> str | None:
        """The id the submission brought, if it brought one."""
        given = self.values.get("report_id")
        return given if isinstance(given, str) else None

    @property
    def is_exercise(self) -> bool:
        """Whether it is only an exercise."""
        return self.values.get("is_exercise") is True

    def instant(self, name: str) -> datetime | None:
        """The instant a field holds; None if it is not there, or a bare day."""
        given = self.values.get(name)
        return read_instant(given) if isinstance(given, str) and "T" in given else None

    def stamped(self, *, report_id: str, event: str, version: int, at: datetime) -> "Report":
        """The same report with what the server adds: its ids, its version, the submission time."""
        country = str(self.values.get("entity_country", "xx")).lower()
        began = datetime.fromtimestamp(self.timestamp, UTC)  # a later stage does not rename it
        added: dict[str, Json] = {
            "report_id": report_id,
            "event_id": f"urn:fisac:{country}:{began.year}:{event}",
            "stage": self.stage.value,
            "stage_version": version,
            "submitted_at": write_instant(at),
            "iocs_available": bool(self.indicators),
        }
        return replace(self, values={**self.values, **added})


def read_report(
    body: object,
    *,
    at: datetime,
    fresh: Callable[[], str],
    details: Members | None = None,
    earlier: Earlier = NOTHING_EARLIER,
) -> Report:
    """Return the report as it stands after the submitted stage.

    `details` is what enrolment knows of the entity, `fresh` gives random uuids for new indicators.

    Raises:
        BadReportError: names every unknown field, wrong type, wrong word and the missing minimum.
    """
    if not isinstance(body, Mapping):
        raise BadReportError([Problem("", f"wants an object, got {class_of(body)}")])
    problems: list[Problem] = []
    stage = _read_stage(body, problems)
    given, taken_back = _read_fields(body, problems)
    known, _ = _read_fields(details or {}, problems)
    choices = {**earlier.choices, **_read_choices(body.get("choices"), problems)}
    indicators = _read_indicators(body.get("indicators"), earlier, at, fresh, problems)
    said = {**known, **earlier.values, **given}
    kept = {name: value for name, value in said.items() if name not in taken_back}
    values = {**_defaults(stage), **kept}
    problems += _minimum(stage, values, at) if not problems else []
    if problems or stage is None:
        raise BadReportError(problems)
    first = earlier.timestamp if earlier.timestamp is not None else hour_of(at)
    return Report(
        stage=stage,
        values={name: values[name] for name in FIELDS if name in values},
        indicators=indicators,
        choices=choices,
        colour=read_tlp(str(values["tlp"])) or Tlp.RED,
        pap=read_pap(str(values.get("pap", "CLEAR"))) or Pap.RED,
        timestamp=first,
        content_hash=_content_hash(body),
    )


@dataclass(frozen=True, slots=True)
class Completeness:
    """How much of what its stage asks for a report holds, and what is still missing."""

    percent: int
    missing: tuple[str, ...]


def completeness(report: Report, *, late: bool = False) -> Completeness:
    """Count the required fields of the report's stage; conditions that apply count as required."""
    asked = [f.name for f in FIELDS.values() if _is_asked(f, report, late=late)]
    missing = tuple(name for name in asked if name not in report.values)
    return Completeness(100 * (len(asked) - len(missing)) // max(1, len(asked)), missing)


def _is_asked(row: Field, report: Report, *, late: bool) -> bool:
    if row.name in SERVER_FIELDS:
        return False
    match _requirement(row, report.stage):
        case "R":
            anonymous = report.stage is Stage.VOLUNTARY_NOTIFICATION
            return not (anonymous and row.name.startswith("contact_"))
        case "C":
            return applies(row.when, report.values, late=late)
        case _:
            return False


def _requirement(row: Field, stage: Stage) -> str:
    """R, C, O or - : intermediate and progress reports ask only for the status."""
    match stage:
        case Stage.EARLY_WARNING | Stage.VOLUNTARY_NOTIFICATION:
            return row.early_warning
        case Stage.INCIDENT_NOTIFICATION:
            return row.incident_notification
        case Stage.FINAL_REPORT:
            return row.final_report
        case _:
            return "R" if row.name == "status" else "O"


def applies(when: str, values: Members, *, late: bool) -> bool:
    """Whether the condition of column `when` holds: `late`, or `field=word|word`."""
    if when == "late":
        return late
    name, _, allowed = when.partition("=")
    given = values.get(name)
    word = str(given).lower() if isinstance(given, bool) else given
    return isinstance(word, str) and word in allowed.split("|")


def _read_stage(body: Mapping[object, object], problems: list[Problem]) -> Stage | None:
    given = body.get("stage")
    if isinstance(given, str) and given in {stage.value for stage in Stage}:
        return Stage(given)
    wanted = ", ".join(Stage)
    problems.append(Problem("stage", f"wants one of {wanted}; got {class_of(given)}"))
    return None


def _read_fields(
    body: Mapping[str, Json] | Mapping[object, object],
    problems: list[Problem],
) -> tuple[dict[str, Json], frozenset[str]]:
    """Give the fields that hold a value, and the names of those that were taken back by null."""
    read: dict[str, Json] = {}
    taken_back: set[str] = set()
    for name, given in body.items():
        row = FIELDS.get(name) if isinstance(name, str) else None
        if row is None:
            if name not in _APART:
                problems.append(Problem(printable(name), "is an unknown field"))
        elif given is None and row.type != "forbidden":
            taken_back.add(row.name)
        elif row.name != "stage":
            try:
                spelled = spelled_colour(given) if row.name == "tlp" else given
                read[row.name] = read_value(row.type, row.values, spelled)
            except BadValueError as error:
                problems.append(Problem(row.name + error.path, error.why))
    return read, frozenset(taken_back)


def _read_choices(given: object, problems: list[Problem]) -> dict[str, Tlp]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        problems.append(Problem("choices", f"wants an object, got {class_of(given)}"))
        return {}
    read: dict[str, Tlp] = {}
    for name, colour in given.items():
        tlp = read_tlp(colour) if isinstance(colour, str) else None
        if name not in FIELDS:
            problems.append(Problem(f"choices.{printable(name)}", "is an unknown field"))
        elif tlp is None:
            problems.append(Problem(f"choices.{name}", f"wants a TLP, got {class_of(colour)}"))
        else:
            read[str(name)] = tlp
    return read


def _read_indicators(
    given: object,
    earlier: Earlier,
    at: datetime,
    fresh: Callable[[], str],
    problems: list[Problem],
) -> tuple[Indicator, ...]:
    """Lay the submitted indicators over the earlier ones, matched by id, else by type and value."""
    if given is None:
        return earlier.indicators
    if not isinstance(given, list | tuple) or len(given) > _INDICATORS:
        problems.append(Problem("indicators", f"wants a list of at most {_INDICATORS}"))
        return ()
    held = {each.uuid: each for each in earlier.indicators}
    known = {(each.type, each.value): each.uuid for each in earlier.indicators}
    for n, item in enumerate(given):
        try:
            read = read_indicator(item, uuid="", at=at)
        except BadValueError as error:
            problems.append(Problem(f"indicators[{n}]{error.path}", error.why))
            continue
        uuid = read.uuid or known.get((read.type, read.value)) or fresh()
        known[(read.type, read.value)] = uuid
        held[uuid] = _newer(replace(read, uuid=uuid), held.get(uuid))
    return tuple(held.values())


def _newer(new: Indicator, old: Indicator | None) -> Indicator:
    """Keep the time of what did not change; what did gets a later one, still not the minute."""
    if old is None:
        return new
    if new.same_but_time(old):
        return old
    return replace(new, timestamp=max(new.timestamp, old.timestamp + 1))


def _defaults(stage: Stage | None) -> dict[str, Json]:
    """What holds when nobody says otherwise."""
    basis = "nis2_art30" if stage is Stage.VOLUNTARY_NOTIFICATION else "nis2_art23"
    return {"legal_basis": [basis], "is_exercise": False, "tlp": "AMBER+STRICT"}


def _minimum(stage: Stage | None, values: Members, at: datetime) -> list[Problem]:
    """The legal minimum, and an awareness that does not lie ahead of its report."""
    problems: list[Problem] = []
    if stage is not None and stage.is_mandatory:
        if not any(name in values for name in _ENTITY):
            problems.append(Problem("entity_name", "is missing: nobody knows who reports"))
        if not any(name in values for name in _CONTACT):
            problems.append(Problem("contact_email", "is missing: nobody could be asked"))
        problems += [Problem(n, "is missing: Art. 23(4)(a)") for n in _FLAGS if n not in values]
    aware = values.get("aware_at")
    if isinstance(aware, str) and read_instant(aware) > at + _CLOCK_SKEW:
        problems.append(Problem("aware_at", "lies after the submission"))
    return problems


def _content_hash(body: Mapping[object, object]) -> str:
    """Name what was sent, whatever the order of its members."""
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    return hashlib.sha256(orjson.dumps(dict(body), option=options)).hexdigest()
