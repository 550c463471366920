"""Telephone numbers, e-mail addresses and accounts of patients and victims.

The same things belong to operators, and are indicators where an attacker used them: so they count
only beside a person, or after a word that says whose they are.
"""

import re
from collections.abc import Callable, Iterator
from itertools import takewhile

from stdnum import luhn
from stdnum.iso7064 import mod_97_10

from sharing.patients.births import DATE
from sharing.patients.digits import ADDRESS
from sharing.patients.finding import Finding, Kind, Nearby, Reason
from sharing.patients.reading import Reading
from sharing.patients.words import Word

_NEAR = 100
_WORDS_BEFORE = 10
_WORDS_AFTER = 5
_LOCAL = 64
_WHO = Word.VICTIM | Word.PATIENT
_DOMAIN = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_LOCAL_PART = re.compile(r"[\w.+%'-]{1,64}$")
_PHONE = re.compile(r"(?<![\w+.@/-])(?:\+ ?|00)?\(?\d(?:[ ()./-]{0,2}\d){6,14}(?![\w@]|[.-]\d)")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d\d(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?(?!\w)")
_CARD = re.compile(r"(?<![\w.-])\d{4}([ -]?)\d{4}\1\d{4}\1\d{3,4}(?![\w-])")


def contacts(reading: Reading, people: Nearby) -> Iterator[Finding]:
    """What can be seen to be a patient's or a victim's; `people` are names, births, numbers."""
    said = any(does & _WHO for does in reading.does)
    if not said and not people:
        return
    finders: tuple[Callable[[Reading], Iterator[Finding]], ...] = (_emails, _phones, _accounts)
    for finder in finders:
        for found in finder(reading):
            if _of_person(reading, found, people):
                yield found


def _of_person(reading: Reading, found: Finding, people: Nearby) -> bool:
    """Whether a patient or victim stands nearer than anybody else it could belong to.

    A word for patient says whose a telephone is only where a word for telephone stands too:
    hospitals have lines for patients.
    """
    before, after = _around(reading, found)
    phoned = any(reading.does[k] & Word.PHONE for k in (*before, *after[:2]))
    whose = Word.VICTIM if found.kind is Kind.PHONE and not phoned else Word.VICTIM | Word.PATIENT
    for k in before:
        if reading.does[k] & whose and _is_one(reading, k):
            return True
        if reading.does[k] & (Word.OTHERS | Word.STAFF):
            return people.holds(found.start, found.end, found.start - reading.ends[k])
    if people.holds(found.start, found.end, _NEAR):
        return True
    return found.kind is Kind.EMAIL and any(reading.does[k] & Word.VICTIM for k in after)


def _around(reading: Reading, found: Finding) -> tuple[list[int], list[int]]:
    """The tokens of the same sentence before it, the nearest first, and after it."""
    n, last = reading.since(found.start), reading.since(found.end)
    before = range(n - 1, max(-1, n - 1 - _WORDS_BEFORE), -1)
    after = range(last, min(len(reading), last + _WORDS_AFTER))
    return (
        list(takewhile(lambda k: reading.together(reading.starts[k], found.start), before)),
        list(takewhile(lambda k: reading.together(found.end, reading.starts[k]), after)),
    )


def _is_one(reading: Reading, n: int) -> bool:
    """Whether a word speaks of one person, by the words beside it.

    `Patienten` is one after German `dem` or `des`, and one in Swedish, as in `Patienten nåddes`.
    """
    if not reading.does[n] & Word.PATIENTS or (n > 0 and reading.does[n - 1] & Word.ONE):
        return True
    is_next = n + 1 < len(reading) and reading.gap(n) == " "
    return reading.keys[n] == "patienten" and is_next and bool(reading.does[n + 1] & Word.DID_ONE)


def _emails(reading: Reading) -> Iterator[Finding]:
    text = reading.text
    at = text.find("@")
    while at >= 0:
        local = _LOCAL_PART.search(text[max(0, at - _LOCAL) : at])
        domain = _DOMAIN.match(text, at + 1, at + 1 + 255)
        if local and domain:
            yield Finding(at - len(local[0]), domain.end(), Kind.EMAIL, Reason.EMAIL_OF_PERSON)
        at = text.find("@", at + 1)


def _phones(reading: Reading) -> Iterator[Finding]:
    """Numbers after a word for telephone, or written as one: with + or a leading zero."""
    for number in _PHONE.finditer(reading.text):
        n = reading.since(number.start())
        if DATE.search(number[0]) or ADDRESS.match(number[0].lstrip("( ")):
            continue
        told = any(reading.does[k] & Word.PHONE for k in range(max(0, n - 4), n))
        if told or number[0][0] in "+0(":
            yield Finding(number.start(), number.end(), Kind.PHONE, Reason.PHONE_OF_PERSON)


def _accounts(reading: Reading) -> Iterator[Finding]:
    for iban in _IBAN.finditer(reading.text):
        compact = iban[0].replace(" ", "")
        if 15 <= len(compact) <= 34 and mod_97_10.is_valid(compact[4:] + compact[:4]):
            yield Finding(iban.start(), iban.end(), Kind.ACCOUNT, Reason.ACCOUNT_OF_PERSON)
    for card in _CARD.finditer(reading.text):
        if luhn.is_valid(re.sub(r"\D", "", card[0])):
            yield Finding(card.start(), card.end(), Kind.ACCOUNT, Reason.ACCOUNT_OF_PERSON)
