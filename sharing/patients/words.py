"""The words of `words.toml` and of the numbers' table, looked up by one token or a few.

A word's key is lower case without accents, so that "NEE LE" is found as "née le" is.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from sharing.patients.numbers import NUMBERS
from sharing.patients.plain import plain

TOKEN = re.compile(r"[^\W_]+")
"""Letters and digits; anything else stands between tokens."""
_LONGEST_WORD = 40
_NOTHING: tuple[str, ...] = ()


class Word:
    """What a word does, as bits: the lists of `words.toml` bear these names.

    Plain integers: they are asked for every token, and an enum's `&` costs ten times as much.
    """

    PATIENT: Final = 1 << 0
    PATIENTS: Final = 1 << 1
    BORN: Final = 1 << 2
    LABEL: Final = 1 << 3
    NAME: Final = 1 << 4
    BETWEEN: Final = 1 << 5
    TITLE: Final = 1 << 6
    STAFF: Final = 1 << 7
    CARE: Final = 1 << 8
    RECORD: Final = 1 << 9
    MAYBE_RECORD: Final = 1 << 10
    INSURANCE: Final = 1 << 11
    PHONE: Final = 1 << 12
    VICTIM: Final = 1 << 13
    OTHERS: Final = 1 << 14
    THING: Final = 1 << 15
    NUMBER: Final = 1 << 16
    PARTICLE: Final = 1 << 17
    DEVICE: Final = 1 << 21
    ENTRY: Final = 1 << 22
    AND: Final = 1 << 23
    OF: Final = 1 << 24
    AT: Final = 1 << 25
    ONE: Final = 1 << 26
    DID_ONE: Final = 1 << 27
    NO_NAME: Final = 1 << 18
    NATIONAL: Final = 1 << 19
    PART: Final = 1 << 20


ANY_PATIENT = Word.PATIENT | Word.PATIENTS


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word or phrase does; `numbers` are the rows of the table that it names."""

    does: int
    numbers: tuple[str, ...] = _NOTHING


@dataclass(frozen=True, slots=True)
class Phrase:
    """What must follow a first word, and what the whole then does."""

    rest: tuple[str, ...]
    meaning: Meaning


def key_of(word: str) -> str:
    """The spelling under which a token is looked up; empty for what is too long to be a word."""
    if len(word) > _LONGEST_WORD:
        return ""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFD", word.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _join(first: Meaning | None, other: Meaning) -> Meaning:
    if first is None:
        return other
    return Meaning(first.does | other.does, first.numbers + other.numbers)


def _entries() -> Iterator[tuple[str, Meaning]]:
    """Every entry as it is written, with what it does."""
    text = files("sharing.patients").joinpath("words.toml").read_text(encoding="utf-8")
    for name, languages in tomllib.loads(text).items():
        meaning = Meaning(getattr(Word, name.upper()))
        for words in languages.values():
            yield from ((word, meaning) for word in words)
    for number in NUMBERS.values():
        meaning = Meaning(Word.NATIONAL, (number.id,))
        yield from ((word, meaning) for word in number.words)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Whole words, beginnings and endings of words, and phrases by their first word."""

    words: Mapping[str, Meaning]
    stems: Mapping[str, Meaning]
    endings: tuple[str, ...]
    phrases: Mapping[str, tuple[Phrase, ...]]

    def meaning(self, key: str) -> Meaning | None:
        """What one word does by itself."""
        found = self.words.get(key)
        if found is not None or key[:3] not in _STEM_HEADS:
            return found
        lengths = range(min(len(key), _LONGEST_STEM), 2, -1)
        return next((self.stems[key[:n]] for n in lengths if key[:n] in self.stems), None)


def _lexicon() -> Lexicon:
    words: dict[str, Meaning] = {}
    stems: dict[str, Meaning] = {}
    endings: list[str] = []
    phrases: dict[str, dict[tuple[str, ...], Meaning]] = {}
    for written, meaning in _entries():
        keys = tuple(key_of(token) for token in TOKEN.findall(plain(written)[0]))
        if written.startswith("*"):
            endings.append(keys[0])
        elif written.endswith("*"):
            stems[keys[0]] = _join(stems.get(keys[0]), meaning)
        elif len(keys) == 1:
            words[keys[0]] = _join(words.get(keys[0]), meaning)
        else:
            rests = phrases.setdefault(keys[0], {})
            rests[keys[1:]] = _join(rests.get(keys[1:]), meaning)
    longest_first = {
        first: tuple(
            Phrase(rest, rests[rest]) for rest in sorted(rests, key=lambda rest: -len(rest))
        )
        for first, rests in phrases.items()
    }
    return Lexicon(words, stems, tuple(endings), longest_first)


LEXICON = _lexicon()
_STEM_HEADS = frozenset(stem[:3] for stem in LEXICON.stems)
_LONGEST_STEM = max(map(len, LEXICON.stems))
