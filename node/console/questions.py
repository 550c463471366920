"""What the report form asks: ten things a human must say, whom to call back, and the rest, folded.

The ten are those of an early warning that no machine knows (incidents.md §2.5). Whom to call back
is asked beside them: without it a first report is refused where enrolment knows nobody either.
Everything else is made from the field table: one question a field, in its group.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sharing.incidents.fields import FIELDS, Field
from sharing.incidents.report import SERVER_FIELDS, Stage


class Kind(StrEnum):
    """How a question is asked on the page."""

    MOMENT = "moment"  # date and time, by the clock on the wall
    CHOICE = "choice"  # one of a few words, as buttons
    PICK = "pick"  # one of many words, as a list
    MANY = "many"  # any of some words
    SERVICES = "services"  # rows of a service and its state
    LINE = "line"
    TEXT = "text"
    LINES = "lines"  # one item a line
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Question:
    """One question; `default` is what a new report says unless its reporter says otherwise."""

    name: str
    label: str
    help: str
    kind: Kind
    options: tuple[tuple[str, str], ...] = ()
    default: str = ""
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Chapter:
    """Questions that are folded away together."""

    title: str
    questions: tuple[Question, ...]


def options(*words: str) -> tuple[tuple[str, str], ...]:
    """Give words as options, shown as people read them."""
    return tuple((word, _PLAIN.get(word) or word.replace("_", " ")) for word in words)


_PLAIN = {"le_contact": "contact with the police", "reserve": "the EU's reserve of experts"}
_YES_NO = options("yes", "no", "unknown")

TEN: Final = (
    Question(
        "aware_at",
        "When did you know of it?",
        "The moment somebody at your place understood that it may be serious. The clocks run from"
        " here.",
        Kind.MOMENT,
    ),
    Question(
        "summary_internal",
        "What is going on?",
        "In your own words, a line is enough. It stays between you and your national node. No names"
        " or numbers of patients, please.",
        Kind.TEXT,
        limit=4000,
    ),
    Question(
        "suspected_malicious",
        "Could somebody have done it on purpose?",
        "A suspicion is enough for yes.",
        Kind.CHOICE,
        _YES_NO,
        "unknown",
    ),
    Question(
        "cross_border",
        "Could it touch other countries?",
        "For instance a supplier or network you share, or patients from abroad.",
        Kind.CHOICE,
        _YES_NO,
        "unknown",
    ),
    Question(
        "affected_services",
        "Which services suffer, and how badly?",
        "Leave it empty if you do not know yet.",
        Kind.SERVICES,
    ),
    Question(
        "patient_safety_impact",
        "Are patients at risk?",
        "Potential: nothing has happened, but it could.",
        Kind.PICK,
        options(
            *("unknown", "none", "potential", "no_harm_event"),
            *("mild", "moderate", "severe", "death"),
        ),
        "unknown",
    ),
    Question(
        "ambulance_diversion",
        "Are ambulances sent elsewhere?",
        "",
        Kind.CHOICE,
        options("yes", "no", "unknown", "not_applicable"),
        "unknown",
    ),
    Question(
        "data_breach",
        "Have personal data been seen, taken or lost?",
        "",
        Kind.CHOICE,
        _YES_NO,
        "unknown",
    ),
    Question(
        "assistance_requested",
        "What help do you need?",
        "Tick as many as you like; none is an answer too.",
        Kind.MANY,
        options(*(w for w in FIELDS["assistance_requested"].allowed if w != "none")),
    ),
    Question(
        "significant",
        "Is it significant in the sense of the law?",
        "It disrupts your services severely, or harms others considerably. If in doubt, leave"
        " undetermined.",
        Kind.CHOICE,
        options("significant", "not_significant", "undetermined"),
        "undetermined",
    ),
)  # fmt: skip

CONTACT: Final = (
    Question(
        "contact_phone",
        "Telephone",
        "With the country in front and without blanks, like +33123456789.",
        Kind.LINE,
    ),
    Question("contact_email", "Mail", "", Kind.LINE),
)

STAGES: Final = (
    (
        Stage.EARLY_WARNING,
        "Early warning",
        "First word of an incident, within 24 hours. Little is known, and that is fine.",
    ),
    (
        Stage.INCIDENT_NOTIFICATION,
        "Notification",
        "A first assessment and indicators, within 72 hours. Also if there was no early warning.",
    ),
    (
        Stage.VOLUNTARY_NOTIFICATION,
        "Voluntary",
        "A near miss, a threat, or an incident you need not report. No deadlines follow.",
    ),
)
LATER_STAGES: Final = (
    (Stage.INCIDENT_NOTIFICATION, "Notification", "First assessment, within 72 hours."),
    (Stage.INTERMEDIATE_REPORT, "Intermediate report", "Where you were asked for news."),
    (Stage.PROGRESS_REPORT, "Progress report", "It goes on after a month."),
    (Stage.FINAL_REPORT, "Final report", "What happened, why, and what was done."),
    (Stage.CORRECTION, "Correction", "Something said before was wrong."),
    (Stage.FALSE_ALARM, "False alarm", "There was no incident."),
)

_FIRST = ("title", "summary_shareable", "status", "ransomware", "supplier_involved")
_FIRST_TITLE = "What others may read"
_SETTLED = {"stage", "legal_basis", "ruleset_id", "recipients", "is_exercise", "exercise_id"}
_HELPS = {
    "title": "One plain line without names: other nodes and hospitals read it.",
    "summary_shareable": "What helps others to look for it at their place. No names.",
    "tlp": "How far your report may go by itself. Without a choice: TLP:AMBER+STRICT.",
}
_KINDS = {
    "enum": Kind.PICK,
    "enum[]": Kind.MANY,
    "bool": Kind.PICK,
    "int": Kind.NUMBER,
    "decimal": Kind.NUMBER,
    "percent": Kind.NUMBER,
    "datetime": Kind.MOMENT,
}
_TEXT_FROM = 200  # characters: what is longer gets a box


def chapters() -> tuple[Chapter, ...]:
    """Give the rest of the table in chapters; structured fields are for the API."""
    asked = {question.name for question in (*TEN, *CONTACT)}
    first = Chapter(_FIRST_TITLE, tuple(_question(FIELDS[name]) for name in _FIRST))
    groups: dict[str, list[Question]] = {}
    for row in FIELDS.values():
        is_left = row.name not in asked | SERVER_FIELDS | _SETTLED | set(_FIRST)
        if is_left and row.type.removesuffix("[]") not in {"object", "forbidden"}:
            groups.setdefault(row.group, []).append(_question(row))
    return (first, *(Chapter(title, tuple(found)) for title, found in groups.items()))


def _question(row: Field) -> Question:
    kind, _, limit = row.type.partition(" ")
    shown = _KINDS.get(kind, Kind.LINES if kind.endswith("[]") else Kind.LINE)
    if kind == "text" and int(limit) >= _TEXT_FROM:
        shown = Kind.TEXT
    words = ("yes", "no") if kind == "bool" else row.allowed if kind.startswith("enum") else ()
    label = row.name.replace("_", " ")
    return Question(
        name=row.name,
        label=label[0].upper() + label[1:],
        help=_HELPS.get(row.name) or _reach(row),
        kind=shown,
        options=options(*words),
        limit=int(limit) if limit else 0,
    )


def _reach(row: Field) -> str:
    """Say how far a field goes, so that nobody types blindly."""
    band = f" A whole number, or one of: {', '.join(row.allowed)}." if row.type == "band" else ""
    if row.exact_to is None and row.twin_to is None:
        return f"Stays at your node.{band}"
    if row.exact_to is None:
        return f"Leaves your node only coarsely (by {row.derivation}).{band}"
    if row.exact_to.only:
        return f"Leaves your node only for whom your enrolment names.{band}"
    return f"May be shared under its label.{band}"


CHAPTERS: Final = chapters()
QUESTIONS: Final = {
    question.name: question
    for question in (*TEN, *CONTACT, *(each for chapter in CHAPTERS for each in chapter.questions))
}
