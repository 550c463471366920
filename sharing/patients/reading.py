"""A text as the detector reads it: in plain characters, cut into tokens, each with what it does.

Everything here takes time linear in the text, and every place leads back to the text as it came.
"""

import re
from bisect import bisect_left, bisect_right

from sharing.patients.plain import plain
from sharing.patients.words import LEXICON, TOKEN, Word, key_of

_NEAR = 400
_LONGEST_ABBREVIATION = 5
_ABBREVIATED = Word.TITLE | Word.STAFF | Word.PATIENT | Word.BORN | Word.PHONE | Word.NUMBER
# Where words of one sentence or line end, as far as a window needs to know.
_BREAK = re.compile(r"[\n\r]|[.!?;…]\s{1,8}(?=[^\W\d_a-z])")


class Reading:
    """A text in plain characters with its tokens; places are those of the plain text.

    Token n stands at `starts[n]` to `ends[n]`, is spelled `keys[n]` in the lexicon and does
    `does[n]`; `numbers[n]` are the rows of the numbers' table that it names.
    """

    __slots__ = (
        "_breaks",
        "_length",
        "_origins",
        "does",
        "ends",
        "keys",
        "numbers",
        "starts",
        "text",
    )

    def __init__(self, text: str) -> None:
        self._length = len(text)
        self.text, self._origins = plain(text)
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.keys: list[str] = []
        for token in TOKEN.finditer(self.text):
            self.starts.append(token.start())
            self.ends.append(token.end())
            self.keys.append(key_of(token[0]))
        self.does: list[int] = [0] * len(self.keys)
        self.numbers: dict[int, tuple[str, ...]] = {}
        self._look_up()
        self._breaks: list[int] | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def _look_up(self) -> None:
        meaning, phrases, does = LEXICON.meaning, LEXICON.phrases, self.does
        for n, key in enumerate(self.keys):
            found = meaning(key)
            if found is not None:
                does[n] |= found.does
                if found.numbers:
                    self.numbers[n] = self.numbers.get(n, ()) + found.numbers
            if key in phrases:
                self._phrase(n, key)

    def _phrase(self, n: int, key: str) -> None:
        """Mark the longest phrase that begins with token n: its last token does what it does."""
        for phrase in LEXICON.phrases[key]:
            last = n + len(phrase.rest)
            if tuple(self.keys[n + 1 : last + 1]) != phrase.rest:
                continue
            if any(len(self.gap(k)) > 3 or "\n" in self.gap(k) for k in range(n, last)):
                continue
            for part in range(n, last):
                self.does[part] |= Word.PART
            self.does[last] |= phrase.meaning.does
            if phrase.meaning.numbers:
                self.numbers[last] = self.numbers.get(last, ()) + phrase.meaning.numbers
            return

    def token(self, n: int) -> str:
        """Token n as it is written."""
        return self.text[self.starts[n] : self.ends[n]]

    def gap(self, n: int) -> str:
        """What stands between token n and the next one, or the end; at most 40 characters."""
        begin = self.ends[n]
        end = self.starts[n + 1] if n + 1 < len(self.starts) else len(self.text)
        return self.text[begin : min(end, begin + 40)]

    def before(self, n: int) -> str:
        """What stands between token n and the one before it, or the beginning."""
        return self.gap(n - 1) if n else self.text[: min(self.starts[0], 40)]

    def at(self, place: int) -> int:
        """The token that holds a place, or the next one."""
        return bisect_right(self.ends, place)

    def since(self, place: int) -> int:
        """The first token that begins at a place or after it."""
        return bisect_left(self.starts, place)

    def clause(self, place: int) -> int:
        """The number of the sentence or line that a place stands in."""
        if self._breaks is None:
            self._breaks = [b.start() for b in _BREAK.finditer(self.text) if self._ends(b[0], b)]
        return bisect_right(self._breaks, place)

    def _ends(self, mark: str, place: re.Match[str]) -> bool:
        """Whether a mark ends a sentence: it is not the dot of `Mrs.`, of `Pat.` or of `tel.`."""
        n = bisect_left(self.ends, place.start())
        follows = n < len(self) and self.ends[n] == place.start()
        return not (mark[0] == "." and follows and self._is_short(n))

    def ends_sentence(self, n: int) -> bool:
        """Whether a full stop stands after token n: no abbreviation's, nor that of `3. 4. 1961`."""
        gap = self.gap(n)
        if self.keys[n].isdigit() and n + 1 < len(self) and self.keys[n + 1].isdigit():
            return False
        return ". " in gap and not (gap[0] == "." and self._is_short(n))

    def _is_short(self, n: int) -> bool:
        """Whether token n is an abbreviation or an initial."""
        key = self.keys[n]
        known = self.does[n] & _ABBREVIATED and len(key) <= _LONGEST_ABBREVIATION
        return bool(known) or (len(key) < 3 and key.isalpha())

    def together(self, start: int, end: int) -> bool:
        """Whether two places stand in one sentence or line, not far apart."""
        return abs(end - start) <= _NEAR and self.clause(start) == self.clause(end)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Where a stretch of the plain text stands in the text as it came."""
        if self._origins is None:
            return start, end
        last = self._origins[end] if end < len(self._origins) else self._length
        return self._origins[start], last
