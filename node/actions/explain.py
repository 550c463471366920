"""Who gets what of a log, and why: every slot, with the policies that decided (policies.md §3).

The verdicts are those of `project`, and the preview is the package the feed serves, byte for byte:
nothing is worked out a second way. It is for whoever answers for the log: an operator of the node
that holds it, or its source.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import orjson

from node.actions.caller import Caller
from node.actions.errors import BadInputError, NotAllowedError, NotFoundError
from node.actions.groups import may_see_members
from node.actions.readable import Readable, find_readable
from node.actions.stored import reporting_damage
from node.actions.towards import Offer, check_may_see, find_target, offer_to
from node.node import Node
from node.storage.groups import list_groups
from node.storage.logs import origins_of
from node.storage.store import Unit
from policies.decide import Effect, Reason
from policies.label import Label
from sharing.project import Verdict, withheld_grounds
from sharing.seal.records import Kind, SlotType

_SHOWN_OF_A_RUN = 100

_NAMES_OF_EFFECTS = {Effect.DISCLOSE: "sent", Effect.WITHHOLD: "withheld", Effect.HOLD: "held"}


@dataclass(frozen=True, slots=True)
class ExplainedSlot:
    """One slot, or as many neighbours alike as `count` says: what becomes of it, and why.

    `effect` is sent, withheld or held; `reasons` are the policies that decided. A slot that policy
    would send is withheld with a record whose head is.
    """

    record: int
    count: int
    kind: str
    name: str
    slot: str
    tlp: str
    label: str
    named: bool
    effect: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a party gets of a log. The counts are slots; `digest` and `size` name the package.

    `refused` says why the log is not offered to it at all, whatever policy would let through.
    """

    origin: str
    event: str
    party: str
    party_name: str
    refused: str | None
    published: bool
    rows: tuple[ExplainedSlot, ...]
    sent: int
    withheld: int
    held: int
    grounds: tuple[Mapping[str, object], ...]
    digest: str | None
    size: int


def explain(node: Node, caller: Caller, origin: str, event: str, party: str) -> Explanation:
    """Say for each slot of the log whether the party gets it, and which policies decided so.

    Raises:
        NotFoundError: no such event that the caller may see, or no such party that he may know of.
        NotAllowedError: the caller does not answer for it.
    """
    seen, offer = _ask(node, caller, origin, event, party)
    verdicts = offer.projection.verdicts
    counts = dict.fromkeys(_NAMES_OF_EFFECTS.values(), 0)
    for verdict in verdicts:
        counts[_effect(verdict, offer)] += verdict.count
    names = _Names(seen)
    return Explanation(
        origin=origin,
        event=event,
        party=party,
        party_name=offer.target.name,
        refused=offer.target.refused,
        published=seen.log.published,
        rows=tuple(row for verdict in verdicts for row in _rows(verdict, offer, names)),
        sent=counts["sent"],
        withheld=counts["withheld"],
        held=counts["held"],
        grounds=tuple(withheld_grounds(offer.projection)),
        digest=offer.projection.digest if offer.package else None,
        size=len(offer.package),
    )


def preview(node: Node, caller: Caller, origin: str, event: str, party: str) -> bytes:
    """Give the package the party would get now, byte for byte.

    Raises:
        NotFoundError: no such event or party, or it would get nothing.
        NotAllowedError: the caller does not answer for it, or is a token and it holds TLP:RED.
    """
    _, offer = _ask(node, caller, origin, event, party)
    if not offer.package:
        raise NotFoundError("package: this party gets nothing of it")
    check_may_see(caller, offer)
    return offer.package


def origin_of(node: Node, caller: Caller, event: str) -> str:
    """Give where the event of this uuid comes from, where just one such that the caller sees does.

    Raises:
        NotFoundError: he sees none. BadInputError: several organisations used the uuid.
    """
    found = list[str]()
    with reporting_damage(node), node.store.read() as unit:
        for origin in origins_of(unit.connection, event):
            with suppress(NotFoundError):
                find_readable(node, unit, caller, origin, event)
                found.append(origin)
    if not found:
        raise NotFoundError("event")
    if len(found) > 1:
        raise BadInputError("origin", f"one of {', '.join(found)}")
    return found[0]


def _ask(node: Node, caller: Caller, origin: str, event: str, party: str) -> tuple[Readable, Offer]:
    node = node.pinned()
    with reporting_damage(node), node.store.read() as unit:
        seen = find_readable(node, unit, caller, origin, event)
        if not (caller.is_staff or seen.standing.own):
            raise NotAllowedError("only its source or an operator of this node is told who gets it")
        if not _knows_of(node, unit, caller, party):
            raise NotFoundError("organisation")
        target = find_target(node, unit, seen.log, seen.best, party)
    return seen, offer_to(node, seen.holding, target)


def _knows_of(node: Node, unit: Unit, caller: Caller, party: str) -> bool:
    """Whether the caller may know that there is such an organisation, as its group may tell him."""
    if caller.is_staff or party in {caller.org, node.org} or node.member_party(party) is not None:
        return True
    return any(
        may_see_members(caller, row) and any(each.org == party for each in row.members)
        for row in list_groups(unit.connection)
    )


def _effect(verdict: Verdict, offer: Offer) -> str:
    if verdict.disclosed:
        return "withheld" if offer.target.refused else "sent"
    return "held" if verdict.decision.effect is Effect.HOLD else "withheld"


def _rows(verdict: Verdict, offer: Offer, names: "_Names") -> Iterator[ExplainedSlot]:
    """A row for each record; of a long run the last row stands for the rest."""
    shown = min(verdict.count, _SHOWN_OF_A_RUN)
    for n in range(shown):
        left = verdict.count - n if n == shown - 1 else 1
        index = verdict.index + n
        name = names.of(index)
        yield ExplainedSlot(
            record=index,
            count=left,
            kind=_word(Kind, verdict.kind),
            name=name if left == 1 else f"{name} and {left - 1} more",
            slot=_word(SlotType, verdict.slot_type),
            tlp=verdict.label.tlp.word,
            label=_label(verdict.label),
            named=verdict.named,
            effect=_effect(verdict, offer),
            reasons=verdict.decision.reasons,
        )


class _Names:
    """What the records of a log are called, as far as the caller himself may see them."""

    def __init__(self, seen: Readable) -> None:
        self._records = seen.holding.records
        self._masks: Mapping[int, int] = seen.projection.masks

    def of(self, index: int) -> str:
        """Give a record's name: its field, its type and value, its info or its number."""
        slots = self._slots(index)
        head = slots.get(SlotType.HEAD)
        if head is None:
            return f"record {index}"
        value = slots.get(SlotType.VALUE, slots.get(SlotType.TWIN, head)).get("value")
        if self._records[index].header.kind == Kind.ATTRIBUTE:
            return f"{head.get('type')} {'…' if value is None else value}"
        name = next((head[key] for key in ("field", "info", "name") if key in head), None)
        return f"record {index}" if name is None else str(name)

    def _slots(self, index: int) -> dict[int, dict[str, object]]:
        record, mask = self._records[index], self._masks.get(index, 0)
        return {
            slot_type: orjson.loads(slot)
            for n, (slot_type, slot) in enumerate(
                zip(record.header.types, record.slots, strict=True)
            )
            if slot is not None and mask >> n & 1
        }


def _word(names: type[Kind] | type[SlotType], number: int) -> str:
    return names(number).name.lower().replace("_", " ") if number in set(names) else str(number)


def _label(label: Label) -> str:
    """The label in words: colour, use, categories, limits."""
    limits = [
        *sorted(label.categories),
        *(["named only"] if label.only else []),
        *([] if label.relay else ["no relay"]),
        *([f"embargo until {label.until:%Y-%m-%d %H:%M} UTC"] if label.until else []),
    ]
    return " · ".join([label.tlp.title, label.pap.title, *limits])
