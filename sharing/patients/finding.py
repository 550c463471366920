"""What the detector says: a place in a text, what stands there, and why it thinks so.

Nothing here holds the text that was found: a finding may be logged, shown and sent.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate


class Kind(StrEnum):
    """What was found."""

    NAME = "name"
    BIRTH = "birth"
    NATIONAL_ID = "national-id"
    INSURANCE = "insurance"
    RECORD_NUMBER = "record-number"
    PHONE = "phone"
    EMAIL = "email"
    ACCOUNT = "account"
    RECORD = "record"


class Where(StrEnum):
    """What the text stands in.

    `TEXT`: what people write. `CONTACT`: professional contact data, whose names, phones and
    addresses are wanted. `INDICATOR`: what an attacker used; of one word only numbers count that
    cannot be chance. `MACHINE`: what machines write, such as domains, hashes and dates; there a
    number by itself counts as well. Several words are read as `TEXT` in both. `FILE`: an attachment
    in base64. `PERSON_…`, `VICTIM_…`: a field that is about a person by its definition, so whatever
    it holds is a finding.
    """

    TEXT = "text"
    CONTACT = "contact"
    INDICATOR = "indicator"
    MACHINE = "machine"
    FILE = "file"
    PERSON_NAME = "person-name"
    PERSON_BIRTH = "person-birth"
    PERSON_NUMBER = "person-number"
    PERSON_RECORD = "person-record"
    VICTIM_EMAIL = "victim-email"
    VICTIM_PHONE = "victim-phone"


class Reason(StrEnum):
    """Why: the id of a sentence, stable, for translations and for counting."""

    NAME_AFTER_PATIENT = "patients.name.after-patient"
    NAME_BEFORE_PATIENT = "patients.name.before-patient"
    NAME_WITH_BIRTH = "patients.name.with-birth"
    NAME_WITH_NUMBER = "patients.name.with-number"
    NAME_IN_CARE = "patients.name.in-care"
    NAME_LABELLED = "patients.name.labelled"
    BIRTH_WORD = "patients.birth.word"
    DATE_WITH_PERSON = "patients.birth.with-person"
    NUMBER_CHECKED = "patients.number.checked"
    NUMBER_NAMED = "patients.number.named"
    NUMBER_WITH_PERSON = "patients.number.with-person"
    RECORD_NUMBER_NAMED = "patients.record-number.named"
    INSURANCE_NAMED = "patients.insurance.named"
    PHONE_OF_PERSON = "patients.phone.of-person"
    EMAIL_OF_PERSON = "patients.email.of-person"
    ACCOUNT_OF_PERSON = "patients.account.of-person"
    RECORD_FORMAT = "patients.record.format"
    UNDER_HEADING = "patients.table.heading"
    FIELD_OF_PERSON = "patients.field.of-person"


SENTENCES: Mapping[Reason, str] = {
    Reason.NAME_AFTER_PATIENT: "a name follows a word for patient",
    Reason.NAME_BEFORE_PATIENT: "a name is called that of a patient",
    Reason.NAME_WITH_BIRTH: "a name stands with a date of birth",
    Reason.NAME_WITH_NUMBER: "a name stands with a personal number",
    Reason.NAME_IN_CARE: "a name with a title stands with a word for care",
    Reason.NAME_LABELLED: "a label says that a person's name follows",
    Reason.BIRTH_WORD: "a date stands with a word for birth",
    Reason.DATE_WITH_PERSON: "a date stands right beside a person",
    Reason.NUMBER_CHECKED: "a number has the form and the check digits of {detail}",
    Reason.NUMBER_NAMED: "a number follows the words for {detail}",
    Reason.NUMBER_WITH_PERSON: "a number stands with a person and could be {detail}",
    Reason.RECORD_NUMBER_NAMED: "a number follows words for a patient's record",
    Reason.INSURANCE_NAMED: "a number follows words for health insurance",
    Reason.PHONE_OF_PERSON: "a telephone number stands with a patient or victim",
    Reason.EMAIL_OF_PERSON: "an e-mail address stands with a patient or victim",
    Reason.ACCOUNT_OF_PERSON: "a bank account or card stands with a patient or victim",
    Reason.RECORD_FORMAT: "this is a part of a patient's record ({detail})",
    Reason.UNDER_HEADING: "the heading of its column says so",
    Reason.FIELD_OF_PERSON: "this field is about a person",
}
"""Each reason as an English sentence; `{detail}` names a kind of number or format."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Characters `start` to `end` of the text, as Python counts them.

    `certain`: form and check digits leave little room for chance; otherwise the words around it
    speak. `detail` names a kind of number or format, never anything that was found.
    """

    start: int
    end: int
    kind: Kind
    reason: Reason
    certain: bool = False
    detail: str = ""

    @property
    def sentence(self) -> str:
        """Why, in English; it repeats nothing that was found."""
        return SENTENCES[self.reason].format(detail=self.detail)


class Nearby:
    """Where findings stand, to ask whether a place is near one of them.

    With `clause` (the number of the sentence that a place stands in) only those in the same count.
    """

    def __init__(
        self, findings: Iterable[Finding], clause: Callable[[int], int] = lambda _: 0
    ) -> None:
        self._clause = clause
        places = sorted((clause(each.start), each.start, each.end) for each in findings)
        self._starts = [(part, start) for part, start, _ in places]
        self._ends = list(accumulate(((part, end) for part, _, end in places), max))

    def __bool__(self) -> bool:
        return bool(self._starts)

    def holds(self, start: int, end: int, distance: int) -> bool:
        """Whether a finding stands fewer than `distance` characters from a stretch of the text."""
        part = self._clause(start)
        begun = bisect_right(self._starts, (part, end + distance - 1))
        return begun > 0 and self._ends[begun - 1] > (part, start - distance)
