"""Personal numbers in a text: national ones, those of insurances and of patients' records.

A number counts by its own words before it, by its form and check digits alone, or, where its form
is too plain for that, because a person stands beside it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sharing.patients.births import DATE
from sharing.patients.finding import Finding, Kind, Nearby, Reason
from sharing.patients.numbers import BY_FORM, FORM_STARTS, NUMBERS, Number
from sharing.patients.reading import Reading
from sharing.patients.words import ANY_PATIENT, Word

_NEAR = 80
_CHUNK = 80
_PARTS = 7
_STEPS = 8
_FORM_GAPS = frozenset(" -./+")
_TIGHT_GAPS = frozenset("-./+")
_LINK = re.compile(r"[ :=,#()\[\"'/_.-]{1,5}")
# Words that may stand between a number and what it is said to be.
_BETWEEN = (
    *(Word.NATIONAL, Word.RECORD, Word.MAYBE_RECORD, Word.INSURANCE, Word.NUMBER, Word.BETWEEN),
    *(Word.PATIENT, Word.PATIENTS, Word.PARTICLE, Word.PART, Word.NAME),
)
_LEADING = sum(_BETWEEN)
_CUT = re.compile(r"[\s\"'(),;<>|\[\]]")
_MACHINE = frozenset("/\\@?&%~$^*{}")
_WEB = re.compile(r"://|[\\@]|[\d.]:$")
ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?!\d)")
"""An IPv4 address, which looks like a number in groups."""
_CALLING_CODE = re.compile(r"(?:\+ ?|\b00)\d{1,3}[ ()-]{1,2}0?\)? ?$")


@dataclass(frozen=True, slots=True)
class Unproven:
    """A number that could be a person's if a person stood beside it."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class _Before:
    """What the words before a number say, and the rows of the table that they name."""

    does: int = 0
    numbers: tuple[str, ...] = ()
    strong: bool = False


def personal_numbers(reading: Reading) -> Iterator[Finding | Unproven]:
    """Every number that its words, or its form and check digits, make a person's."""
    n = 0
    while n < len(reading):
        found = _at(reading, n) if _may_begin(reading, n) else None
        if found is None:
            n += 1
            continue
        yield found
        finding = found.finding if isinstance(found, Unproven) else found
        n = max(n + 1, reading.since(finding.end))


def sure_numbers(reading: Reading) -> Iterator[Finding]:
    """Numbers that are a person's wherever they stand, as in a URL or a file name."""
    for n in range(len(reading)):
        if _may_begin(reading, n):
            for form, end in _forms(reading, n):
                written = reading.text[reading.starts[n] : end]
                for number in BY_FORM[form]:
                    if number.anywhere and form in number.alone and number.holds(written):
                        yield _checked(reading.starts[n], end, number)


def beside_a_person(unproven: Iterable[Unproven], people: Nearby) -> Iterator[Finding]:
    """Those numbers that stand near a name, a birth or a proven number."""
    for each in unproven:
        if people.holds(each.finding.start, each.finding.end, _NEAR):
            yield each.finding


def _may_begin(reading: Reading, n: int) -> bool:
    """Whether a number can begin here: a token with a digit, or a letter before one.

    Not in the midst of something longer, as after the dot in `10.20`.
    """
    key = reading.keys[n]
    if not key.isascii() or not key or (len(key) > 1 and key.isalpha()):
        return False
    if n and reading.gap(n - 1) in _TIGHT_GAPS and not reading.keys[n - 1].isalpha():
        return False
    if not key.isalpha():
        return True
    follows = n + 1 < len(reading) and len(reading.gap(n)) == 1
    return follows and reading.keys[n + 1].isdigit()


def _forms(reading: Reading, n: int) -> list[tuple[str, int]]:
    """The written forms that begin with token n and where each ends, the longest first."""
    forms: list[tuple[str, int]] = []
    form = ""
    for k in range(n, min(n + _PARTS, len(reading))):
        if k > n:
            gap = reading.gap(k - 1)
            if gap not in _FORM_GAPS:
                break
            form += gap
        key = reading.keys[k]
        form += str(len(key)) if key.isdigit() else f"w{len(key)}"
        if form not in FORM_STARTS:
            break
        if form in BY_FORM:
            forms.append((form, reading.ends[k]))
    forms.reverse()
    return forms


def _at(reading: Reading, n: int) -> Finding | Unproven | None:
    """What begins with token n, if it is a person's number."""
    forms, before, start = _forms(reading, n), _before(reading, n), reading.starts[n]
    if before.does & Word.THING or not (forms or before.does):
        return None
    date = DATE.match(reading.text, start, start + 40)
    if (date is not None and len(date[0]) > 8) or ADDRESS.match(reading.text, start):
        return None
    return (
        _named(reading, n, forms, before)
        or _alone(reading, n, forms)
        or _said(reading, n, before)
        or _plain(reading, n, forms)
    )


def _before(reading: Reading, n: int) -> _Before:
    """Read back over the words that lead to a number, to the first one that does not."""
    does, strong = 0, False
    numbers: list[str] = []
    for k in range(n - 1, max(-1, n - 1 - _STEPS), -1):
        gap, here = reading.gap(k), reading.does[k]
        if not _LINK.fullmatch(gap) or (reading.ends_sentence(k) and not here & _LEADING):
            break
        if here & (Word.THING | Word.PHONE) and k >= n - 2 and not here & (_LEADING & ~Word.NUMBER):
            return _Before(Word.THING)
        prefix = k == n - 1 and len(reading.keys[k]) == 1  # H-0048213
        if not prefix and not here & (_LEADING | Word.AT | Word.OF):
            break
        does |= here & _LEADING
        if k in reading.numbers:
            numbers += reading.numbers[k]
            phrase = k > 0 and reading.does[k - 1] & Word.PART
            strong = strong or bool(phrase) or len(reading.keys[k]) > 3
    return _Before(does, tuple(numbers), strong)


Forms = list[tuple[str, int]]


def _named(reading: Reading, n: int, forms: Forms, before: _Before) -> Finding | None:
    """A number after its own words: in one of its forms, else any code of six digits."""
    start = reading.starts[n]
    if not before.numbers or _in_address(reading.text, start):
        return None
    rows = [NUMBERS[name] for name in dict.fromkeys(before.numbers)]
    for form, end in forms:
        written = reading.text[start:end]
        for row in rows:
            if form in row.alone or form in row.beside:
                return _by_words(start, end, row, certain=row.holds(written))
    end = _code_end(reading, n)
    digits = _count_digits(reading.text[start:end])
    for row in rows:
        fits = str(digits) in row.alone | row.beside
        if fits or (digits >= 6 and (before.strong or row.check is None)):
            return _by_words(start, end, row, certain=False)
    return None


def _alone(reading: Reading, n: int, forms: Forms) -> Finding | None:
    """A number whose form and check digits need no words."""
    start = reading.starts[n]
    for form, end in forms:
        written = reading.text[start:end]
        for row in BY_FORM[form]:
            if form not in row.alone or not row.holds(written):
                continue
            if row.anywhere or (
                written.upper() == written and not _in_code(reading.text, start, end)
            ):
                return _checked(start, end, row)
    return None


def _said(reading: Reading, n: int, before: _Before) -> Finding | None:
    """A number after words for a patient's record or for health insurance, or after `patient`."""
    start, end = reading.starts[n], _code_end(reading, n)
    digits = _count_digits(reading.text[start:end])
    if not before.does or _in_address(reading.text, start):
        return None
    if before.does & Word.INSURANCE and digits >= 5:
        return Finding(start, end, Kind.INSURANCE, Reason.INSURANCE_NAMED)
    one = before.does & Word.PATIENT and not before.does & Word.PATIENTS
    told = before.does & Word.RECORD or (
        before.does & Word.MAYBE_RECORD and _patient_near(reading, n)
    )
    if (told or (before.does & ANY_PATIENT and before.does & Word.NUMBER)) and digits >= 4:
        return Finding(start, end, Kind.RECORD_NUMBER, Reason.RECORD_NUMBER_NAMED)
    if (
        one
        and digits >= 6
        and reading.keys[n][0].isdigit()
        and not _in_code(reading.text, start, end)
    ):
        return Finding(start, end, Kind.RECORD_NUMBER, Reason.RECORD_NUMBER_NAMED)
    return None


def _plain(reading: Reading, n: int, forms: Forms) -> Unproven | None:
    """A number with right check digits in a form that chance would often make."""
    start = reading.starts[n]
    for form, end in forms:
        written = reading.text[start:end]
        for row in BY_FORM[form]:
            if form in row.beside and row.holds(written) and not _in_code(reading.text, start, end):
                reason = Reason.NUMBER_WITH_PERSON
                return Unproven(Finding(start, end, Kind.NATIONAL_ID, reason, detail=row.name))
    return None


def _by_words(start: int, end: int, row: Number, *, certain: bool) -> Finding:
    reason = Reason.NUMBER_NAMED
    return Finding(start, end, Kind.NATIONAL_ID, reason, certain=certain, detail=row.name)


def _checked(start: int, end: int, row: Number) -> Finding:
    reason = Reason.NUMBER_CHECKED
    return Finding(start, end, Kind.NATIONAL_ID, reason, certain=True, detail=row.name)


def _code_end(reading: Reading, n: int) -> int:
    """Where the code that begins with token n ends: tokens with digits, joined by one character."""
    end = n
    while (
        end + 1 < len(reading)
        and end - n < _PARTS
        and reading.gap(end) in _FORM_GAPS
        and not reading.keys[end + 1].isalpha()
    ):
        end += 1
    return reading.ends[end]


def _count_digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _patient_near(reading: Reading, n: int) -> bool:
    window = range(max(0, n - 12), min(len(reading), n + 8))
    return any(reading.does[k] & ANY_PATIENT for k in window)


def _in_address(text: str, start: int) -> bool:
    """Whether what a number hangs on is a URL, a path, an e-mail address or an IP."""
    return bool(_WEB.search(_chunk_before(text, start)))


def _in_code(text: str, start: int, end: int) -> bool:
    """Whether a number is a piece of something bigger: a URL, a ticket, a version, a file name."""
    before, after = _chunk_before(text, start), _chunk_after(text, end)
    if _MACHINE & (set(before) | set(after)) or _WEB.search(before):
        return True
    if (before and before[-1] in "-._+#") or _CALLING_CODE.search(text, max(0, start - 8), start):
        return True
    return len(after) > 1 and after[0] in "-._+:=" and after[1].isalnum()


def _chunk_before(text: str, place: int) -> str:
    return _CUT.split(text[max(0, place - _CHUNK) : place])[-1]


def _chunk_after(text: str, place: int) -> str:
    return _CUT.split(text[place : place + _CHUNK])[0]
