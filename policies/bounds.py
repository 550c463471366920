"""How deep the text of a rulebook may go, counted before the engine sees it.

The engine reads and writes expressions by native recursion and knows no bound: two kilobytes of
brackets end the whole process, and nothing can be caught. So the text is refused here first. What
is counted is the depth that an expression can come to, one level for each operator of a chain and
two for each bracket around it, as they weigh on the stack.

Measured with cedarpy 4.12: in a thread of 2 MiB, the least that Linux gives one unless told
otherwise, 160 brackets or 330 operators end the process; in one of 8 MiB, the usual size and that
of the server's threads, four times as many. `LEVELS` lets 32 or 64 pass; no shipped policy comes to
a quarter of it.
"""

import re
from dataclasses import dataclass

LEVELS = 64
"""The deepest that a policy may be."""

POLICIES = 1000
"""The most that a text may hold; the shipped ones hold up to 13."""

_CLOSES = {"(": ")", "[": "]", "{": "}"}
_LINKS = frozenset({"&&", "||", "if", "when", "unless"})  # between what stands for itself
_WITHIN = frozenset("!<>+-*.[") | {"==", "!=", "<=", ">=", "in", "has", "is", "like"}
# Strings and comments end where the engine ends them; a lone mark begins a string without end.
_SIGN = re.compile(
    r'"(?:[^"\\]|\\.)*+"|//[^\n\r]*+|[A-Za-z_][A-Za-z0-9_]*+'
    r'|\|\||&&|[=!<>]=|[-+*!<>.]|[;,"()\[\]{}]'
)
_TOO_DEEP = (
    f"too deep: a policy may have {LEVELS} levels, one for each operator of a chain and two for "
    "each bracket around it"
)


class TextError(Exception):
    """The text goes too deep, or its brackets do not agree.

    It says where and why; `start` is where the policy at fault begins, `at` the place of the fault.
    """

    def __init__(self, text: str, start: int, at: int, why: str) -> None:
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        super().__init__(f"line {line}, column {column}: {why}")
        self.start = start
        self.at = at


@dataclass(slots=True)
class _Part:
    """A policy, or what stands between two brackets of it.

    `deepest` is of what ended with a comma. Of what follows, `links` counts each `&&`, `||` and
    `if`, which may lie above any operand; `below` is its deepest operand so far. In the one at hand
    are `within` operators, and `inner` is its deepest bracket: what follows it may lie above it.
    """

    closer: str
    at: int
    deepest: int = 0
    links: int = 0
    below: int = 0
    within: int = 0
    inner: int = 0

    @property
    def depth(self) -> int:
        return max(self.deepest, self.links + max(self.below, self.within + self.inner))

    def add(self, sign: str) -> None:
        if sign in _WITHIN:
            self.within += 1
        elif sign in _LINKS:
            self.below = max(self.below, self.within + self.inner)
            self.within = self.inner = 0
            self.links += 1
        elif sign == ",":
            self.deepest = self.depth
            self.links = self.below = self.within = self.inner = 0


def policy_ends(text: str) -> list[int]:
    """Return where each policy of the text ends, behind its semicolon; the last: behind all.

    Raises:
        TextError: a policy is deeper than `LEVELS`, a bracket or a string has no end, or there
                are more than `POLICIES`.
    """
    ends: list[int] = []
    start = 0
    parts = [_Part("", 0)]
    for found in _SIGN.finditer(text):
        sign, at = found[0], found.start()
        if sign == '"':
            raise TextError(text, start, at, "this string has no end")
        if sign == ";":
            _check_closed(text, start, parts)
            start, parts = found.end(), [_Part("", found.end())]
            ends.append(start)
            if len(ends) > POLICIES:
                raise TextError(text, start, at, f"more than {POLICIES} policies")
        elif sign in _CLOSES.values():
            closed = parts.pop()
            if sign != closed.closer:
                why = f"where `{closed.closer}` is due" if closed.closer else "closes nothing"
                raise TextError(text, start, at, f"`{sign}` {why}")
            parts[-1].inner = max(parts[-1].inner, closed.depth + 2)
        else:
            parts[-1].add(sign)
        if sign in _CLOSES:
            parts.append(_Part(_CLOSES[sign], at))
        if max(parts[-1].depth, 2 * len(parts) - 2) > LEVELS:
            raise TextError(text, start, at, _TOO_DEEP)
    _check_closed(text, start, parts)
    return [*ends, len(text)]


def _check_closed(text: str, start: int, parts: list[_Part]) -> None:
    if len(parts) > 1:
        at = parts[-1].at
        raise TextError(text, start, at, f"`{text[at]}` is never closed")
