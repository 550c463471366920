"""Does a rulebook reach further than another, for anything that may ever be stored and anybody.

Slots and parties are without number, but two rulebooks tell apart only what their policies mention.
So it is enough to ask both about every combination of that: each value that a policy names, and one
that none does.

- Prohibitions that both share are left out: what widens in spite of them widens without them.
- Facts that only the floor reads stand at the value that forbids least: the floor is the same under
  both, so what widens anywhere widens there. Whether the party is the source is always asked both
  ways: for it the floor forbids least, but not everything can be sent to it.
- What cannot be worked out so, or takes too many questions, counts as reaching further.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from itertools import combinations, product
from typing import TypeVar

from cedarpy import PolicySet, pst

from policies.compare import Change, cannot_widen, compare
from policies.label import CATEGORIES
from policies.parsed import facts_read, nodes_of
from policies.party import KINDS, Party
from policies.rulebook import Rulebook
from policies.subject import LOGS, Relation, Subject
from policies.tlp import Pap, Tlp

T = TypeVar("T")

_MOST = 40_000  # questions, which is some seconds
_SOMEBODY = "00000000-0000-4000-8000-000000000000"
_FACTS = tuple(fact.name for fact in fields(Relation))
# Of two facts, or calculated, a value that matters need not be one that is written.
_COMPARES = frozenset(
    {"eq", "not_eq", "less", "less_eq", "greater", "greater_eq"}
    | {"in", "contains", "contains_all", "contains_any"}
)
_WRITTEN = (pst.BoolLit, pst.EntityLit, pst.LongLit, pst.StringLit, pst.Set)

# Of what the floor reads: the values that forbid least, and the sorts that it does not know.
_WEAKEST = Relation(
    own=True,
    client=True,
    direct=True,
    named=True,
    released=True,
    embargoed=False,
    published=True,
)
_PLAIN_CATEGORIES = CATEGORIES - {"patient", "unread-label", "law-enforcement", "exercise"}
_PLAIN_KINDS = KINDS - {"machine"}


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether a rulebook may reach further than another; `example` shows where it does.

    Further without an example: nobody can be sure that it does not.
    """

    is_further: bool
    example: Change | None = None


@lru_cache(maxsize=16)  # asked when somebody looks, again when he proposes
def reach(old: Rulebook, new: Rulebook) -> Reach:
    """Return whether `new` may let anybody have more of anything than `old` does.

    Raises:
        EngineError: the engine could not answer cleanly.
    """
    if cannot_widen(old, new):
        return Reach(is_further=False)
    before, after = _without_shared(old, new), _without_shared(new, old)
    said = _Mentioned(before, after)
    subjects, parties, relations = said.subjects(), said.parties(), said.relations()
    if said.is_odd or len(subjects) * len(parties) * len(relations) > _MOST:
        return Reach(is_further=True)
    changes = (
        change
        for party in parties  # one at a time: the first that gets more ends it
        for change in compare(before, after, subjects, [party], relations)
    )
    example = next((change for change in changes if change.widens), None)
    return Reach(example is not None, example)


def _without_shared(one: Rulebook, other: Rulebook) -> Rulebook:
    """Return a rulebook without the prohibitions that the other has, too."""
    shared = {(policy.rule, policy.needs) for policy in other.own if not policy.permits}
    kept = {
        engine_id: policy
        for engine_id, policy in one.policies.items()
        if policy.is_floor or (policy.rule, policy.needs) not in shared
    }
    rules = {engine_id: replace(policy.rule, id=engine_id) for engine_id, policy in kept.items()}
    return replace(one, policies=kept, engine=PolicySet.from_pst(pst.PolicySet({}, rules, ())))


class _Mentioned:
    """What the own policies of rulebooks mention; `is_odd` where that is not all they compare."""

    def __init__(self, *rulebooks: Rulebook) -> None:
        rules = {policy.rule for rulebook in rulebooks for policy in rulebook.own}
        nodes = [node for rule in rules for node in nodes_of(rule)]
        self._read = frozenset(fact for node in nodes for fact in facts_read(node))
        self._uids = frozenset(uid for rule in rules for uid in pst.entity_uids(rule))
        self._strings = frozenset(n.value for n in nodes if isinstance(n, pst.StringLit))
        self._numbers = frozenset(n.value for n in nodes if isinstance(n, pst.LongLit))
        self.is_odd = any(map(_is_odd, nodes))

    def subjects(self) -> list[Subject]:
        """Every slot that is told apart."""
        categories = self._ids("Category")
        facts = product(
            self._values("resource.log", LOGS, "event"),
            self._around("resource.kind"),
            self._around("resource.type"),
            self._values("resource.tlp", Tlp, Tlp.CLEAR),
            self._values("resource.pap", Pap, Pap.CLEAR),
            _subsets(categories | _one_of(_PLAIN_CATEGORIES - categories)),
            self._values("resource.only", (False, True), False),  # noqa: FBT003  a value
            self._values("resource.relay", (False, True), True),  # noqa: FBT003  a value
        )
        return [Subject(*each) for each in facts]

    def parties(self) -> list[Party]:
        """Every party that is told apart."""
        kinds, roles = self._ids("Kind"), self._ids("Role")
        always = frozenset({"community"}) - roles
        other = "".join(sorted(self._strings)) + "-"  # longer than any of them
        strings = self._strings | {other}
        facts = product(
            self._ids("Party") | {_SOMEBODY},
            kinds | _one_of(_PLAIN_KINDS - kinds),
            self._values("principal.country", strings, ""),
            [those | always for those in _subsets(roles)],
            _subsets(self._ids("Community")),
            self._values("principal.hosts", _subsets(strings), frozenset()),
        )
        return [Party(*each) for each in facts]

    def relations(self) -> list[Relation]:
        """Every relation that is told apart and can be."""
        others = (
            self._values(f"context.{name}", (False, True), getattr(_WEAKEST, name))
            for name in _FACTS
            if name != "own"
        )
        every = (Relation(*each) for each in product((True, False), *others))
        return [each for each in every if each.can_be]

    def _ids(self, entity: str) -> frozenset[str]:
        return frozenset(uid.id for uid in self._uids if str(uid.type) == entity)

    def _values(self, fact: str, every: Iterable[T], weakest: T) -> list[T]:
        return list(every) if fact in self._read else [weakest]

    def _around(self, fact: str) -> list[int]:
        """Every number that is written, and its neighbours: between them nothing changes."""
        near = {n + step for n in self._numbers for step in (-1, 0, 1)}
        return self._values(fact, sorted(near | {0}), 0)


def _is_odd(node: object) -> bool:
    """Whether a node asks more than how a fact stands to values that are written."""
    match node:
        case pst.BinaryOp(op=op) if op in _COMPARES:
            return not (isinstance(node.left, _WRITTEN) or isinstance(node.right, _WRITTEN))
        case pst.Set(elements=elements):
            return not all(isinstance(each, _WRITTEN) for each in elements)
        case pst.BinaryOp(op=op) | pst.UnaryOp(op=op):
            return op not in {"and", "or", "not", "is_empty"}
        case _:
            return isinstance(node, pst.Like | pst.Slot)


def _one_of(names: Iterable[str]) -> frozenset[str]:
    return frozenset(sorted(names)[:1])


def _subsets(names: Iterable[str]) -> list[frozenset[str]]:
    every = sorted(names)
    sizes = range(len(every) + 1)
    return [frozenset(some) for size in sizes for some in combinations(every, size)]
