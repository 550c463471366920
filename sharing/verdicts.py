"""What a projection consists of: verdicts, what waits for a person, and the grounds peers are told.

A ground says what kind of limit it was, never which policy; held and frozen both read "policy"
(federation.md §1.2).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby

from policies.decide import Decision, Effect, Reason
from policies.label import Label
from policies.release import Need
from sharing.event import Json
from sharing.seal.maps import MaskRun

_GROUNDS = (
    ("embargo", {"floor.embargo"}),
    ("category", {"floor.patient", "floor.unread", "floor.law-enforcement"}),
    ("audience", {"floor.only", "floor.return", "floor.log"}),
    ("label", {"floor.red", "floor.strict", "floor.amber", "floor.green", "floor.relay"}),
    ("agreement", {"default.deny", "floor.unpublished"}),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a party stands to a log as a whole (decisions.md D14)."""

    own: bool
    client: bool
    direct: bool
    published: bool


@dataclass(frozen=True, slots=True)
class Release:
    """Persons' release of one slot's very content (SHA-256, hex) to one party (D16).

    It frees the slot as long as what holds it takes no more than `met`, what these persons were.
    """

    record: str
    slot_type: int
    slot_hash: str
    party: str
    met: frozenset[Need] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided of one slot of `count` neighbouring records from `index` on.

    `slot` counts from 0 in the header. `disclosed` can be false where the decision discloses: then
    its record's head, or every value of its field, is withheld. `field` names an incident field.
    """

    index: int
    count: int
    kind: int
    slot: int
    slot_type: int
    label: Label
    named: bool
    decision: Decision
    disclosed: bool
    field: str | None = None


@dataclass(frozen=True, slots=True)
class HeldItem:
    """A slot that waits for a person's release to this party."""

    index: int
    record: str
    kind: int
    slot_type: int
    slot_hash: str
    label: Label
    reasons: tuple[Reason, ...]
    field: str | None = None


@dataclass(frozen=True)
class Projection:
    """What a party may have, as runs of masks, and what was decided.

    `runs` ascend; there are none where nothing but labels would be left. `encoded_map` is them as
    a disclosure map, `digest` names it with the statement. `wake_at` is the next instant at which a
    verdict may change with no write.
    """

    runs: tuple[MaskRun, ...]
    encoded_map: bytes
    digest: str
    verdicts: tuple[Verdict, ...]
    wake_at: datetime | None
    held: tuple[HeldItem, ...]

    @cached_property
    def masks(self) -> Mapping[int, int]:
        """The masks by record index, ascending."""
        masks = dict[int, int]()
        for run in self.runs:
            masks.update(dict.fromkeys(range(run.start, run.start + run.count), run.mask))
        return masks


def ground_of(verdict: Verdict) -> str:
    """The ground of one withheld slot."""
    if verdict.decision.effect is Effect.HOLD:
        return "policy"
    reasons = {reason.id for reason in verdict.decision.reasons}
    return next((ground for ground, ids in _GROUNDS if ids & reasons), "policy")


def withheld_grounds(projection: Projection) -> list[dict[str, Json]]:
    """What was withheld, counted by ground and kind of record, sorted.

    `records` counts the records withheld wholly, `slots` those withheld from the others, `fields`
    names the incident fields of which a value was withheld.
    """
    found: dict[tuple[str, int], _Count] = {}
    for (_, kind), verdicts in groupby(projection.verdicts, key=lambda v: (v.index, v.kind)):
        for ground, count in _of_run(list(verdicts)):
            found.setdefault((ground, kind), _Count()).add(count)
    return [
        {
            "ground": ground,
            "kind": kind,
            "records": count.records,
            "slots": count.slots,
            "fields": [*sorted(count.fields)],
        }
        for (ground, kind), count in sorted(found.items())
    ]


class _Count:
    """What was withheld on one ground."""

    def __init__(self, records: int = 0, slots: int = 0, fields: Iterable[str] = ()) -> None:
        self.records, self.slots, self.fields = records, slots, set(fields)

    def add(self, other: "_Count") -> None:
        self.records += other.records
        self.slots += other.slots
        self.fields |= other.fields


def _of_run(verdicts: list[Verdict]) -> Iterator[tuple[str, _Count]]:
    """The counts of neighbouring records with one header; a whole record counts by what shut it."""
    withheld = [verdict for verdict in verdicts if not verdict.disclosed]
    if len(withheld) == len(verdicts):
        refused = [v for v in verdicts if v.decision.effect is not Effect.DISCLOSE]
        shut = refused[0] if refused else verdicts[0]
        fields = {shut.field} if shut.field else set[str]()
        yield ground_of(shut), _Count(records=shut.count, fields=fields)
        return
    for verdict in withheld:
        fields = {verdict.field} if verdict.field else set[str]()
        yield ground_of(verdict), _Count(slots=verdict.count, fields=fields)
