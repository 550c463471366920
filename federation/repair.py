"""Repair: finding where what we hold from a source differs from what it holds out to us.

Range-based set reconciliation: the names of `told.py` are laid out by their first hex digits. We
ask for a stretch; the source answers with the fingerprints of its 16 parts, or lists the names
where there are few. We ask on where a part differs from ours. The source answers each question
from its outbox for us alone and remembers nothing between two; all state is ours.

What one answer says must add up to what the one before said; so a source that makes up sums is
refused, not followed. How questions and answers travel is in `repair_lines.py`.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from federation.errors import BadRepairError
from federation.lines import write_line
from federation.told import Fingerprint, parts_of, total

DEPTH_CAP = 10  # 16**10 stretches; names are hashes, so no honest outbox fills that
LISTED_CAP = 512  # names in one list: they fit in a line
LEAF = 64  # so few names cost no more than one round more
ASKS_CAP = 2048
ANSWER_BYTES = 4 * 1024 * 1024  # after this much the source leaves the other asks for later
ROUNDS_CAP = 2000  # 2 million names, all of them listed, need some 300
FOUND_CAP = 20_000  # differences one run brings home; the next one goes on


class Names(Protocol):
    """One side's names, in order."""

    def split(self, stretch: str) -> Sequence[Fingerprint]:
        """The fingerprints of the 16 parts of the stretch."""

    def listed(self, stretch: str, limit: int) -> Sequence[bytes]:
        """The names in the stretch, ascending, at most `limit`."""


@dataclass(frozen=True, slots=True)
class StretchAsk:
    """A question about one stretch; `listed` asks for its names, if there are not too many."""

    stretch: str
    listed: bool

    def write(self) -> bytes:
        """Its line, without the line feed."""
        return write_line({"stretch": self.stretch, "list": self.listed})


@dataclass(frozen=True, slots=True)
class Split:
    """The fingerprints of the 16 parts of a stretch."""

    stretch: str
    parts: tuple[Fingerprint, ...]

    @property
    def fingerprint(self) -> Fingerprint:
        """Of the whole stretch."""
        return total(self.parts)

    def write(self) -> bytes:
        """Its line, without the line feed."""
        parts = [[part.n, part.hex] for part in self.parts]
        return write_line({"stretch": self.stretch, "split": parts})


@dataclass(frozen=True, slots=True)
class Listed:
    """The names in a stretch, ascending."""

    stretch: str
    names: tuple[bytes, ...]

    @property
    def fingerprint(self) -> Fingerprint:
        """Of the whole stretch."""
        return Fingerprint.of(self.names)

    def write(self) -> bytes:
        """Its line, without the line feed."""
        return write_line({"stretch": self.stretch, "names": [name.hex() for name in self.names]})


Answer = Split | Listed


@dataclass(frozen=True, slots=True)
class Difference:
    """Names that the source has and we have not, and the other way round.

    `complete` is False where there are more than one run brings home. `theirs` is all that the
    source has.
    """

    missing: frozenset[bytes]
    extra: frozenset[bytes]
    theirs: Fingerprint
    complete: bool
    rounds: int


# What the receiver does


def reconcile(mine: Names) -> Generator[tuple[StretchAsk, ...], Sequence[Answer], Difference]:
    """Yield asks, be sent answers to the first of them (one at least), return what differs.

    Raises:
        BadRepairError: the answers contradict each other, or lead nowhere.
    """
    run = _Run(mine)
    for round_ in range(ROUNDS_CAP):
        if not run.open or run.is_full:
            return run.difference(round_)
        asked = run.asks()
        answers = yield asked
        if not 1 <= len(answers) <= len(asked):
            raise BadRepairError("count", f"{len(answers)} answers to {len(asked)} asks")
        for ask, answer in zip(asked, answers, strict=False):
            if answer.stretch != ask.stretch:
                raise BadRepairError("order", "an answer to another stretch than was asked for")
            if not run.is_full:
                run.take(answer)
    raise BadRepairError("rounds", f"no end after {ROUNDS_CAP} rounds")


@dataclass(slots=True)
class _Run:
    """How far one reconciliation has come; `open` are stretches and what was said of them."""

    mine: Names
    open: dict[str, tuple[Fingerprint, bool] | None] = field(default_factory=lambda: {"": None})
    theirs: Fingerprint = field(default_factory=Fingerprint)
    missing: set[bytes] = field(default_factory=set)
    extra: set[bytes] = field(default_factory=set)

    @property
    def is_full(self) -> bool:
        """Whether enough was found for one run."""
        return len(self.missing) + len(self.extra) >= FOUND_CAP

    def asks(self) -> tuple[StretchAsk, ...]:
        """The next question."""
        return tuple(
            StretchAsk(stretch, listed=said is not None and said[1])
            for stretch, said in islice(sorted(self.open.items()), ASKS_CAP)
        )

    def take(self, answer: Answer) -> None:
        """Compare one answer with ours, and open what has to be asked about next."""
        said, found = self.open.pop(answer.stretch), answer.fingerprint
        if said is None:
            self.theirs = found
        elif found != said[0]:
            raise BadRepairError("sum", "the parts do not add up to what was said of the whole")
        match answer:
            case Split():
                self._descend(answer)
            case Listed():
                ours = self.mine.listed(answer.stretch, FOUND_CAP)
                if len(ours) < FOUND_CAP:  # else ours are not all of them
                    self.missing |= set(answer.names).difference(ours)
                self.extra |= set(ours).difference(answer.names)

    def _descend(self, answer: Split) -> None:
        ours = self.mine.split(answer.stretch)
        for part, their, our in zip(parts_of(answer.stretch), answer.parts, ours, strict=True):
            if their == our:
                continue
            if not their.n:
                self.extra |= set(self.mine.listed(part, FOUND_CAP))
            elif len(part) > DEPTH_CAP:
                raise BadRepairError("depth", f"more than {DEPTH_CAP} digits in common")
            else:
                self.open[part] = (their, _is_cheaper_listed(their, our))

    def difference(self, rounds: int) -> Difference:
        """What was found."""
        return Difference(
            frozenset(self.missing), frozenset(self.extra), self.theirs, not self.open, rounds
        )


def _is_cheaper_listed(their: Fingerprint, our: Fingerprint) -> bool:
    """The index of a stretch instead of its parts: where it is short, or much of it differs."""
    if their.n > LISTED_CAP:
        return False
    return their.n <= LEAF or 4 * abs(their.n - our.n) >= their.n


# What the source does


def answer_asks(asks: Iterable[StretchAsk], names: Names) -> Iterator[Answer]:
    """Answers to the first asks, up to 4 MiB of them; one at least."""
    written = 0
    for ask in asks:
        answer = _answer(ask, names)
        yield answer
        written += len(answer.write())
        if written >= ANSWER_BYTES:
            return


def _answer(ask: StretchAsk, names: Names) -> Answer:
    if ask.listed:
        found = names.listed(ask.stretch, LISTED_CAP + 1)
        if len(found) <= LISTED_CAP:
            return Listed(ask.stretch, tuple(found))
    return Split(ask.stretch, tuple(names.split(ask.stretch)))
