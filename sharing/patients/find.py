"""The detector: one text in, findings out. Pure; it keeps nothing of what it read.

Order: what stands alone (formats, births, numbers), then names beside them, then what counts only
because a person stands beside it (plain numbers, contacts).
"""

import re
from base64 import b64decode
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from html import unescape
from urllib.parse import unquote

from sharing.patients.births import births, births_beside
from sharing.patients.contacts import contacts
from sharing.patients.digits import (
    Unproven,
    beside_a_person,
    personal_numbers,
    sure_numbers,
)
from sharing.patients.finding import Finding, Kind, Nearby, Reason, Where
from sharing.patients.formats import formats
from sharing.patients.names import names, names_beside
from sharing.patients.reading import Reading
from sharing.patients.tables import tables
from sharing.patients.words import ANY_PATIENT, Word

MOST = 200
"""Findings of one text; whoever has this many has lost more than a name."""

_KINDS: Mapping[Where, Kind] = {
    Where.PERSON_NAME: Kind.NAME,
    Where.PERSON_BIRTH: Kind.BIRTH,
    Where.PERSON_NUMBER: Kind.NATIONAL_ID,
    Where.PERSON_RECORD: Kind.RECORD,
    Where.VICTIM_EMAIL: Kind.EMAIL,
    Where.VICTIM_PHONE: Kind.PHONE,
}
_EMPTY = frozenset({"unknown", "none", "null", "redacted", "anonymous", "anonymised", "withheld"})
# What says nothing of a person: words all small but for the first letter, hashes, uuids, instants,
# addresses.
_OPAQUE = re.compile(
    r"(?-i:[A-Za-z][a-z]*(?:[ _-][a-z]+)*)"
    r"|(?:[0-9a-f]{8}){4,16}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|\d{1,3}(?:\.\d{1,3}){3}(?:[|:/]\d{1,5})?",
    re.ASCII | re.IGNORECASE,
)
_TELLING = ANY_PATIENT | Word.BORN | Word.LABEL | Word.NAME
_TELLING |= Word.RECORD | Word.INSURANCE | Word.NATIONAL
# One word as machines write it, with a letter and a sign that no word has: x.example, a=b.
_STRUCTURED = re.compile(r"(?=.*[^\W\d_])(?=.*[./:@\\|=])\S+")
# What stands for a space in names of files and hosts; where all is small a dot joins no names.
_JOINT = re.compile(r"(?<=[^\W\d_])[_+](?=[^\W\d_])")
_JOINT_OR_DOT = re.compile(r"(?<=[^\W\d_])[_+.](?=[^\W\d_])")
# What texts in the languages of the words are written in; of binary files in UTF-16 little is.
_WRITTEN = re.compile("[\t\n\r -~\u00a0-\u052f\u1e00-\u20bf]")
_MARKUP = re.compile(r"<[^<>]{1,500}>")  # of pages, between the words
_SNIFFED = 4096  # bytes that tell whether a file is text
_MOSTLY = 0.99


def find(text: str, *, where: Where = Where.TEXT, label: str = "") -> tuple[Finding, ...]:
    """What of a text is patient data, in the order of its places, not overlapping; at most `MOST`.

    `label` is what a `TEXT` is called where it stands (`nhs number`), and is read before it. What
    had to be decoded is marked whole. Takes time linear in the text; nothing of it is kept or told.
    """
    if label and where is Where.TEXT:
        before = len(label) + 2
        found = find(f"{label}: {text}")
        return tuple(
            _moved(each, max(0, each.start - before), each.end - before)
            for each in found
            if each.end > before
        )
    match where:
        case Where.TEXT | Where.CONTACT | Where.INDICATOR | Where.MACHINE:
            if says_nothing(text, where):
                return ()
            spelled_out = unquote(text) if "%" in text else text
            if "&" in spelled_out:
                spelled_out = unescape(spelled_out)
            found = _read(text, where)
            if not found and spelled_out != text:
                return _marked_whole(text, _read(spelled_out, where))
            return found
        case Where.FILE:
            return _in_file(text)
        case _:
            return _whole(text, _KINDS[where])


def says_nothing(text: str, where: Where = Where.MACHINE) -> bool:
    """Whether a text is too short to hold anything, or a token that holds no words.

    Of plain digits eleven at least count by themselves, nine where none are expected.
    """
    if text.isdecimal():
        return len(text) < (9 if where is Where.MACHINE else 11)
    return len(text) < 6 or (len(text) <= 128 and _OPAQUE.fullmatch(text) is not None)


def tells(label: str) -> bool:
    """Whether what is called so could be a patient's by that."""
    return any(does & _TELLING for does in Reading(label).does)


def _read(text: str, where: Where) -> tuple[Finding, ...]:
    """Words are read as words, wherever they stand; one word of a machine for sure numbers only."""
    if where is Where.TEXT or where is Where.CONTACT:
        return _in_prose(text, where)
    words = (_JOINT if text.islower() else _JOINT_OR_DOT).sub(" ", text)
    several = len(words.split(maxsplit=1)) > 1
    if several or (where is Where.MACHINE and not _STRUCTURED.fullmatch(text)):
        return _in_prose(words, where)
    return _in_indicator(text)


def _in_file(text: str) -> tuple[Finding, ...]:
    """An attachment in base64: read where its bytes are text; a DICOM file is a record."""
    try:
        raw = b64decode("".join(text.split()), validate=True)
    except ValueError:  # no base64, so what stands here is read as it stands
        return find(text)
    if raw[128:132] == b"DICM":
        return (_record(text),)
    for words in _texts_in(raw):
        if found := find(words) or ("</" in words and find(_MARKUP.sub(" ", words))):
            return _marked_whole(text, found)
    return ()


def _texts_in(raw: bytes) -> Iterator[str]:
    """The text that bytes are, in the ways it may be meant; none for those that are no text.

    NUL bytes stand in texts by mistake, or to hide them, and all over UTF-16. UTF-32 is UTF-16 with
    more of them, and a byte in front only turns the order round: two ways to read are enough.
    """
    if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        yield raw.decode("utf-16", "replace").replace("\0", "")
        return
    if b"\0" not in raw:
        yield _in_bytes(raw)
        return
    begins = (len(raw) - len(raw.lstrip(b"\0"))) & ~1
    head = raw[begins : begins + _SNIFFED]
    for encoding in ("utf-16-le", "utf-16-be"):
        if _is_written(head.decode(encoding, "ignore")):
            yield raw.decode(encoding, "replace").replace("\0", "")
            return
    if _is_written(_in_bytes(head)):
        text = _in_bytes(raw)
        yield text.replace("\0", "")
        yield text.replace("\0", " ")


def _in_bytes(raw: bytes) -> str:
    """Bytes as UTF-8, also if some are damaged; as Latin-1 if they hardly are any."""
    text = raw.decode(errors="replace")
    return text if len(raw) - len(text) >= text.count("\ufffd") else raw.decode("latin-1")


def _is_written(text: str) -> bool:
    """Whether almost all of a text is what people write, but for NULs."""
    count = len(text) - text.count("\0")
    return count > 0 and len(_WRITTEN.findall(text)) >= _MOSTLY * count


def _record(text: str) -> Finding:
    reason, detail = Reason.RECORD_FORMAT, "DICOM file"
    return Finding(0, len(text), Kind.RECORD, reason, certain=True, detail=detail)


def _marked_whole(text: str, found: Iterable[Finding]) -> tuple[Finding, ...]:
    """What was found in a text once it was decoded, one of each kind, marking all of the text."""
    kinds = {each.kind: replace(each, start=0, end=len(text)) for each in found}
    return tuple(kinds.values())


def _whole(text: str, kind: Kind) -> tuple[Finding, ...]:
    """A field about a person: whatever it says, unless it says nothing."""
    said = text.strip(" \t\r\n-_.*?/")
    if not any(map(str.isalnum, said)) or said.casefold() in _EMPTY:
        return ()
    return (Finding(0, len(text), kind, Reason.FIELD_OF_PERSON, certain=True),)


def _in_indicator(text: str) -> tuple[Finding, ...]:
    if len(text) < 15 or sum(map(str.isdigit, text)) < 7:
        return ()
    reading = Reading(text)
    return _settled(reading, [*sure_numbers(reading), *formats(reading.text)])


def _in_prose(text: str, where: Where) -> tuple[Finding, ...]:
    reading = Reading(text)
    born = list(births(reading))
    numbered = list(personal_numbers(reading))
    proven = [each for each in numbered if isinstance(each, Finding)]
    if where is Where.MACHINE:
        proven += _by_itself(reading, numbered)
    alone = [*formats(reading.text), *born, *proven, *tables(reading)]
    if where is not Where.TEXT:
        alone += sure_numbers(reading)
    if where is Where.CONTACT:
        return _settled(reading, alone)
    named = list(names(reading, [*born, *proven]))
    named += _listed(reading, numbered)
    dated = list(births_beside(reading, [*proven, *named]))
    people = Nearby([*born, *proven, *named], reading.clause)
    plain = beside_a_person((each for each in numbered if isinstance(each, Unproven)), people)
    return _settled(reading, [*alone, *named, *dated, *plain, *contacts(reading, people)])


def _by_itself(reading: Reading, numbered: Iterable[Finding | Unproven]) -> Iterator[Finding]:
    """The number that a text is, where none should stand, and that could be a person's."""
    for each in numbered:
        if isinstance(each, Unproven):
            found = each.finding
            if reading.text[found.start : found.end] == reading.text.strip():
                yield replace(found, reason=Reason.NUMBER_CHECKED)


def _listed(reading: Reading, numbered: Iterable[Finding | Unproven]) -> Iterator[Finding]:
    """The names of lists without headings: name, date and a number that could be a person's."""
    for each in numbered:
        if isinstance(each, Unproven):
            for name in names_beside(reading, each.finding):
                if any(births_beside(reading, [name, each.finding])):
                    yield name


def _settled(reading: Reading, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Put findings in order, let a longer one swallow those it overlaps, and trace them back."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda each: (each.start, -each.end, not each.certain)):
        if kept and finding.start < kept[-1].end:
            if finding.end > kept[-1].end:
                kept[-1] = _moved(kept[-1], kept[-1].start, finding.end)
            continue
        if len(kept) == MOST:
            break
        kept.append(finding)
    return tuple(_moved(each, *reading.origin(each.start, each.end)) for each in kept)


def _moved(finding: Finding, start: int, end: int) -> Finding:
    if (finding.start, finding.end) == (start, end):
        return finding
    return Finding(start, end, finding.kind, finding.reason, finding.certain, finding.detail)
