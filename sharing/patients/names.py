"""Names of patients: capitalised words that stand where people say who a patient is.

There is no list of names. A name is told by what stands round it: a word for patient, a birth, a
personal number, a label, a title with a word for care. Names of staff have none of these.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sharing.patients.finding import Finding, Kind, Nearby, Reason
from sharing.patients.reading import Reading
from sharing.patients.words import ANY_PATIENT, LEXICON, Word

_LONGEST_NAME = 8
_STEPS = 5
_STEPS_BACK = 9
_RECORD = 120
_SHORT = 6
_ACRONYM = 4
# Between the words of a name; ", " once, "." after an initial only.
_GLUE = re.compile(r" ?['-] ?|[ \t]{1,2}|\. ?|, |\^")
# Between a word for patient and the name.
_LEAD = re.compile(r"[ \t:=,(\"'#_.\[{>-]{1,5}")
# Between a name and what says whose it is.
_TAIL = re.compile(r"[ \t:=,;(\"'*)\].{\n|/-]{1,5}")
_VALUE = re.compile(r"[\"']? {0,2}[:=>\t] {0,3}[\"'\[{]{0,3}")
_ENDS = frozenset(".,;:!?\n")
_MIXED = re.compile(r"(?:Mc|Mac|De|Di|Du|La|Le|Van|Fitz|O)[^\W\d_]+")
_ANY_LABEL = Word.LABEL | Word.NAME
_LEADERS = _ANY_LABEL | Word.BETWEEN | Word.TITLE | Word.PART
_TRAILERS = _LEADERS | ANY_PATIENT | Word.PARTICLE | Word.NUMBER
_OF_OTHERS = Word.STAFF | Word.OTHERS
# Grammar that a capital or a place in a name makes harmless.
_GRAMMAR = Word.PARTICLE | Word.BETWEEN | Word.TITLE | Word.AND | Word.OF | Word.AT | Word.ONE
_NAME_FIRST = ("beteg",)
"""Hungarian says "Nagy Katalin beteg"."""


@dataclass(frozen=True, slots=True)
class _Name:
    """Tokens `first` to before `end`; `words` of them are names, not initials or particles."""

    first: int
    end: int
    words: int
    titled: bool = False


def names(reading: Reading, anchors: Sequence[Finding]) -> Iterator[Finding]:
    """Every name that a patient is told by; `anchors` are births and personal numbers."""
    for n, does in enumerate(reading.does):
        if does & ANY_PATIENT:
            yield from _after_patient(reading, n)
            yield from _before_patient(reading, n)
        if does & Word.LABEL:
            yield from _after_label(reading, n)
        if does & Word.TITLE:
            yield from _in_care(reading, n)
    for anchor in anchors:
        yield from names_beside(reading, anchor)
    if anchors:
        near = Nearby(anchors)
        for n, does in enumerate(reading.does):
            if does & Word.NAME and near.holds(reading.starts[n], reading.ends[n], _RECORD):
                yield from _after_common_label(reading, n)


# ── What is a name ───────────────────────────────────────────────────────────────────────────────


def _is_name_word(reading: Reading, n: int) -> bool:
    """Whether a token can be a name or an initial: letters, the first one a capital."""
    token = reading.token(n)
    if not token.isalpha() or not token[0].isupper():
        return False
    does = reading.does[n]
    if len(token) == 1 and reading.gap(n)[:1] in {"'", "."}:
        return True  # O'Neill, D'Angelo, J. Smith
    if does & ~_GRAMMAR or len(token) > 30:
        return False
    return len(token) == 1 or token.isupper() or token[1:].islower() or bool(_MIXED.match(token))


def _glued(reading: Reading, n: int, *, comma: bool) -> bool:
    """Whether tokens n and n + 1 can be words of one name."""
    gap = reading.gap(n)
    if not _GLUE.fullmatch(gap):
        return False
    if "." in gap:
        return reading.ends[n] - reading.starts[n] == 1
    return comma or "," not in gap


def _name_at(reading: Reading, first: int) -> _Name | None:
    """The name that begins with token `first`."""
    end, words, comma = first, 0, True
    n = first
    while n < len(reading) and n - first < _LONGEST_NAME:
        if n > first and not _glued(reading, n - 1, comma=comma and words > 0):
            break
        comma = comma and not (n > first and "," in reading.gap(n - 1))
        particle = bool(reading.does[n] & Word.PARTICLE)
        if n == first and reading.does[n] & Word.AND and not reading.token(n)[0].isupper():
            return None
        if _is_name_word(reading, n) and not (particle and n == first):
            whole = reading.ends[n] - reading.starts[n] > 1
            words += whole
            end = n + 1 if whole or reading.gap(n)[:1] == "." else end
        elif not particle:
            break
        n += 1
    return _Name(first, end, words) if words else None


def _name_to(reading: Reading, last: int) -> _Name | None:
    """The name that ends with token `last`, and whether a title stands before it."""
    first, words, comma = last + 1, 0, True
    if len(reading.keys[last]) == 1:
        return None  # F. nac.: no name ends with an initial
    n = last
    while n >= 0 and last - n < _LONGEST_NAME:
        if n < last and not _glued(reading, n, comma=comma):
            break
        comma = comma and not (n < last and "," in reading.gap(n))
        if reading.does[n] & Word.TITLE and words:
            break
        if _is_name_word(reading, n):
            words += reading.ends[n] - reading.starts[n] > 1
            first = n
        elif not (reading.does[n] & Word.PARTICLE and words):
            break
        n -= 1
    if not words:
        return None
    before = reading.does[first - 1] if first else 0
    return _Name(first, last + 1, words, titled=bool(before & Word.TITLE))


def _of_staff(reading: Reading, name: _Name) -> bool:
    """Whether the word before a name makes it that of somebody who works there."""
    return name.first > 0 and bool(reading.does[name.first - 1] & _OF_OTHERS)


def _finding(reading: Reading, name: _Name, reason: Reason) -> Finding:
    return Finding(reading.starts[name.first], reading.ends[name.end - 1], Kind.NAME, reason)


# ── Where a name stands ──────────────────────────────────────────────────────────────────────────


def _after_patient(reading: Reading, cue: int) -> Iterator[Finding]:
    """`patient Maria Rossi`, `Pat. Müller, Hans`, `patient's name is …`, `Patient: ROSSI`."""
    n, said, marks = cue + 1, 0, ""
    while n < len(reading) and n - cue <= _STEPS:
        gap = reading.gap(n - 1)
        if not _LEAD.fullmatch(gap) or ("." in gap and len(reading.keys[n - 1]) > 3):
            return
        marks += gap
        entry = reading.does[n] & Word.ENTRY and ":" in reading.gap(n)
        if not (entry or reading.does[n] & _LEADERS) or _is_plain_name(reading, n):
            break
        said |= reading.does[n]
        n += 1
    compound = reading.gap(n - 1) == "-"  # Patienten-WLAN
    name = _name_at(reading, n) if n < len(reading) and not compound else None
    if name is None or (n == cue + 1 and "," in marks and not _closed(reading, name)):
        return
    if not said and _of_a_device(reading, cue):
        return
    if not said and not set(marks) & set(",:=") and _begins_like_a_place(reading, cue, name):
        return
    told = (
        said & (Word.TITLE | Word.NAME | Word.LABEL | Word.BETWEEN) or ":" in marks or "=" in marks
    )
    if told or name.words > 1 or _reads_as_name(reading, cue, name):
        yield _finding(reading, name, Reason.NAME_AFTER_PATIENT)
        yield from _and_others(reading, name.end)


def _and_others(reading: Reading, n: int) -> Iterator[Finding]:
    """`patients Maria Rossi and Hans Müller`: the names after the first."""
    while n + 1 < len(reading) and (reading.does[n] & Word.AND or reading.gap(n - 1) == ", "):
        name = _name_at(reading, n + 1 if reading.does[n] & Word.AND else n)
        if name is None or name.words < 2 or not _GLUE.fullmatch(reading.gap(n - 1)):
            return
        yield _finding(reading, name, Reason.NAME_AFTER_PATIENT)
        n = name.end


def _begins_like_a_place(reading: Reading, cue: int, name: _Name) -> bool:
    """Whether it is rather whose patient it is: `patient de Lyon`, not `patiënt de Vries`."""
    of = reading.does[name.first] & Word.OF and reading.gap(name.first) == " "
    dutch = "ë" in reading.token(cue)
    return bool(of) and reading.token(name.first).islower() and not dutch


def _of_a_device(reading: Reading, cue: int) -> bool:
    """Whether a word for patient belongs to a thing: `moniteur patient`, `bomba de paciente`."""
    for k in range(cue - 1, max(-1, cue - 3), -1):
        if set(reading.gap(k)) & _ENDS:
            return False
        if reading.does[k] & Word.DEVICE:
            return True
    return False


def _is_plain_name(reading: Reading, n: int) -> bool:
    """Whether a word that could lead to a name is one: `Don` in `Don Bosco`, not `Name`."""
    if reading.gap(n)[:1] == "'":
        return True  # d'Ornano
    return reading.does[n] & ~Word.PARTICLE == Word.BETWEEN and _is_name_word(reading, n)


def _closed(reading: Reading, name: _Name) -> bool:
    """Whether a name that came after a comma ends with one: `the patient, Maria Rossi, …`."""
    return name.words > 1 and reading.gap(name.end - 1)[:1] in {",", "(", ")", ";"}


def _reads_as_name(reading: Reading, cue: int, name: _Name) -> bool:
    """Whether a single capitalised word after a word for patient is a name, not a thing.

    `patient Rossi`, and at the start of a sentence or in German `Patient Rossi`; but `Philips
    Patient Monitor`: a capital after a capital is the name of a product.
    """
    key = reading.keys[name.first]
    if len(key) > _SHORT and key.endswith(LEXICON.endings):
        return False
    word = reading.token(name.first)
    alone = name.end - name.first == 1 and not reading.token(cue).isupper()
    if alone and word.isupper() and len(word) <= _ACRONYM:
        return False
    if not reading.token(cue)[0].isupper():
        return True
    if not reading.does[cue] & Word.PATIENT:
        return False
    goes_on = name.end < len(reading) and reading.gap(name.end - 1) == " "
    if goes_on and reading.token(name.end)[0].isupper():
        return False
    opens = cue == 0 or bool(set(reading.gap(cue - 1)) & _ENDS)
    return opens or not reading.token(cue - 1)[0].isupper()


def _before_patient(reading: Reading, cue: int) -> Iterator[Finding]:
    """`Maria Rossi (patient)`, `Maria Rossi, patient in ward 3`, `Nagy Katalin beteg`."""
    if not cue or not reading.does[cue] & Word.PATIENT:
        return
    gap, after = reading.gap(cue - 1), reading.gap(cue)
    follower = reading.does[cue + 1] if cue + 1 < len(reading) else 0
    ends = after.lstrip(" ")[:1] in {")", ",", ".", ""} or bool(follower & Word.AT)
    joined = gap in {" (", ", "} or (gap == " " and reading.keys[cue].startswith(_NAME_FIRST))
    name = _name_to(reading, cue - 1) if ends and joined else None
    if name is not None and name.words > 1 and not _of_staff(reading, name):
        yield _finding(reading, name, Reason.NAME_BEFORE_PATIENT)


def _after_label(reading: Reading, cue: int) -> Iterator[Finding]:
    """`Surname: Rossi`, `"lastname": "rossi"`; a small letter will do."""
    if cue + 1 >= len(reading) or not _VALUE.fullmatch(reading.gap(cue)):
        return
    name = _name_at(reading, cue + 1)
    if name is None and reading.token(cue + 1).isalpha() and not reading.does[cue + 1]:
        name = _Name(cue + 1, cue + 2, 1)
    if name is not None:
        yield _finding(reading, name, Reason.NAME_LABELLED)


def _after_common_label(reading: Reading, cue: int) -> Iterator[Finding]:
    """`Name: Maria`, in the same lines as a birth or a personal number."""
    if cue + 1 >= len(reading) or not _VALUE.fullmatch(reading.gap(cue)):
        return
    name = _name_at(reading, cue + 1)
    if name is not None:
        yield _finding(reading, name, Reason.NAME_LABELLED)


def _in_care(reading: Reading, title: int) -> Iterator[Finding]:
    """`Mrs Rossi was admitted`, `hospitalisation de M. Dupont`."""
    gap = reading.gap(title)
    if gap not in {" ", ". ", "."} or (len(reading.keys[title]) == 1 and "." not in gap):
        return
    name = _name_at(reading, title + 1) if title + 1 < len(reading) else None
    if name is None:
        return
    around = [*range(max(0, title - 3), title), *range(name.end, min(name.end + 7, len(reading)))]
    does = 0
    for n in around:
        if reading.together(reading.starts[n], reading.starts[title]):
            does |= reading.does[n]
    if does & Word.CARE and not does & _OF_OTHERS:
        yield _finding(reading, name, Reason.NAME_IN_CARE)


def names_beside(reading: Reading, anchor: Finding) -> Iterator[Finding]:
    """The name before a birth or a personal number, or right after a number."""
    birth = anchor.kind is Kind.BIRTH
    reason = Reason.NAME_WITH_BIRTH if birth else Reason.NAME_WITH_NUMBER
    n = reading.since(anchor.start) - 1
    for _ in range(_STEPS_BACK):
        if n < 0 or not _TAIL.fullmatch(reading.gap(n)) or reading.ends_sentence(n):
            break
        name = _name_to(reading, n)
        if name is not None:
            if (name.words > 1 or name.titled) and not _of_staff(reading, name):
                yield _finding(reading, name, reason)
            break
        trailing = reading.does[n] & (_TRAILERS | Word.BORN | Word.NATIONAL | Word.RECORD)
        if not trailing and len(reading.keys[n]) > (4 if reading.keys[n].isdigit() else 3):
            break
        n -= 1
    if not birth:
        yield from _after_number(reading, reading.since(anchor.end))


def _after_number(reading: Reading, first: int) -> Iterator[Finding]:
    """`1234567T, Maria Rossi`, `1234567T belongs to Maria Rossi`."""
    for n in range(max(1, first), min(first + 3, len(reading))):
        if not _LEAD.fullmatch(reading.gap(n - 1)) or reading.ends_sentence(n - 1):
            return
        name = _name_at(reading, n)
        if name is not None:
            if name.words > 1:
                yield _finding(reading, name, Reason.NAME_WITH_NUMBER)
            return
        if reading.token(n)[0].isupper():
            return
