"""Who has confirmed that what was taken back is gone: recalls, withdrawals, narrowings.

"Confirmed" is the party's own signed receipt for the very item that took it back; that it came back
with a later cursor only says that it read so. A party is asked again by nobody: its feed holds the
item until it has come for it, and its receipt is retried by itself. What a relay says of those it
had passed the log on to is its word, and is told as that.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from federation.receipt import Downstream, Outcome
from federation.wire import Op
from node.actions.caller import Caller
from node.actions.errors import NotFoundError
from node.actions.readable import find_readable
from node.actions.sealing import read_own
from node.actions.towards import member_name
from node.node import Node
from node.storage.errors import StoredPackageError
from node.storage.feed import OfferRow, rows_of_logs
from node.storage.ledger import FILE, GivenRow, acknowledgements_for, given_of
from node.storage.logs import LogRow, best_holding, find_log
from node.storage.receipts import GotReceipt, got_about, items_of
from node.storage.store import Unit
from sharing.seal.maps import decode_map

LogKey = tuple[str, str]
Step = GivenRow | OfferRow  # something given, or about to be


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One party from whom something was taken back: RECALL, WITHDRAW or erase (it shows less now).

    `asked_at` None: it has not come for it yet. `confirmed_at` None: pending. `sent` and
    `confirmed` are what it says of those whom it had passed the log on to. `refused`: it answered
    that very item with a refusal.
    """

    party: str
    party_name: str
    op: str
    version: str
    asked_at: datetime | None
    acknowledged_at: datetime | None
    confirmed_at: datetime | None
    sent: int
    confirmed: int
    refused: str | None


@dataclass(frozen=True, slots=True)
class TakenBack:
    """How far the taking back of an event is: `told` says it in one line, parties one by one."""

    origin: str
    event: str
    recalled: bool
    told: str
    of: int
    confirmed: int
    pending: tuple[str, ...]
    parties: tuple[Confirmation, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a party was given last and still has (None: nothing), and what took from it last."""

    last: Step | None
    back: Step | None


def taken_back(node: Node, caller: Caller, origin: str, event: str) -> TakenBack:
    """Give who had the event, who confirmed that what was taken back is gone, and who is pending.

    Raises:
        NotFoundError: there is no such event, the caller answers for none such, or may see nothing
            of what this node still holds of it.
    """
    with node.store.read() as unit:
        log = find_log(unit.connection, origin, event)
        own = log is not None and origin == node.org and log.source == caller.org
        if log is None or log.type != "event" or not (caller.is_staff or own):
            raise NotFoundError("event")
        if best_holding(unit.connection, origin, event) is not None:  # else nothing is left to see
            find_readable(node, unit, caller, origin, event)
        parties = sorted(_parties(node, unit, log), key=lambda one: one.party_name)
    pending = tuple(one.party_name for one in parties if one.confirmed_at is None)
    done = len(parties) - len(pending)
    return TakenBack(
        origin,
        event,
        log.is_recalled,
        _told(parties, pending),
        len(parties),
        done,
        pending,
        tuple(parties),
    )


def downstream(unit: Unit, key: LogKey, op: Op, *, to: str, is_bare: bool) -> Downstream:
    """Give, for a receipt to `to`, to how many others we passed the log on, how many confirmed.

    Of a narrowing only those count who were asked already. Where nothing of the log is left here
    (`is_bare`), all count who have it from us.
    """
    conn = unit.connection
    answered = _Answered(unit, key)
    sent = confirmed = 0
    for party, one in standings(given_of(conn, [key])).items():
        narrowed = one.back is not None and one.back.op == Op.PUT
        waits = one.last is not None and is_bare
        asked = narrowed if op is Op.PUT else waits or (one.back is not None and not narrowed)
        if party == to or not asked:
            continue
        sent += 1
        confirmed += not waits and answered.of(party, one.back) is not None
    return Downstream(sent, confirmed)


def standings(rows: Iterable[Step], masks: "_Masks | None" = None) -> Mapping[str, Standing]:
    """Give how each party stands to one log, from what went to it, in order."""
    masks = masks or _Masks()
    found = dict[str, Standing]()
    for row in rows:
        party = row.peer if isinstance(row, OfferRow) else row.party
        if isinstance(row, GivenRow) and row.feed == FILE:
            continue
        before = found.get(party, Standing(None, None))
        if row.op == Op.PUT:
            is_less = before.last is not None and masks.shows_less(before.last, row)
            found[party] = Standing(row, row if is_less else before.back)
        else:
            is_new = before.last is not None or before.back is None
            found[party] = Standing(None, row if is_new else before.back)
    return found


class _Masks:
    """Which slots each line shows; each map is read once."""

    def __init__(self) -> None:
        self._read = dict[bytes, Mapping[int, int]]()

    def shows_less(self, before: Step, after: Step) -> bool:
        """Whether something that the one shows is not shown by the other, of the same epoch.

        In a new epoch every record has another place: it is all given anew, and nothing compared.
        """
        if before.epoch != after.epoch:
            return False
        now = self._of(after)
        return any(mask & ~now.get(place, 0) for place, mask in self._of(before).items())

    def shows(self, row: Step, epoch: int, places: Collection[int]) -> bool:
        """Whether a line of this epoch shows something of these records."""
        return row.epoch == epoch and not self._of(row).keys().isdisjoint(places)

    def _of(self, row: Step) -> Mapping[int, int]:
        if row.map is None:
            return {}
        if row.map not in self._read:
            self._read[row.map] = decode_map(row.map)
        return self._read[row.map]


class _Answered:
    """The receipts about a log, found by the item that they answer."""

    def __init__(self, unit: Unit, key: LogKey) -> None:
        places = {(one.party, one.item): one for one in items_of(unit.connection, key)}
        self._by_place = dict[object, dict[str, GotReceipt]]()
        for _, got in got_about(unit.connection, key):
            item = places[got.party, got.item]
            place = (item.party, item.pos, item.op, item.epoch, item.seq)
            self._by_place.setdefault(place, {})[got.outcome] = got

    def of(
        self, party: str, row: Step | None, outcome: Outcome = Outcome.ERASED
    ) -> GotReceipt | None:
        """Give what the party answered to what is at this place of its feed."""
        if row is None:
            return None
        place = (party, row.pos, row.op, row.epoch, row.seq)
        return self._by_place.get(place, {}).get(outcome)


def _parties(node: Node, unit: Unit, log: LogRow) -> Iterable[Confirmation]:
    conn, key = unit.connection, (log.origin, log.event)
    given = given_of(conn, [key])
    offers = rows_of_logs(conn, [key]).get(key, {}).values()
    acks = acknowledgements_for(conn, given)
    answered, masks = _Answered(unit, key), _Masks()
    void = frozenset[int]() if log.is_recalled else _void(node, unit, log)
    for party, one in standings([*given, *_not_fetched(given, offers)], masks).items():
        back = one.back
        if one.last is not None and (log.is_recalled or masks.shows(one.last, log.epoch, void)):
            back = None  # taken back, and not even decided for it yet
        elif back is None:
            continue
        got = answered.of(party, back)
        refusal = answered.of(party, back, Outcome.REFUSED)
        ack = acks.get(back) if isinstance(back, GivenRow) else None
        yield Confirmation(
            party=party,
            party_name=name_of(node, party),
            op=_word((Op.RECALL if log.is_recalled else Op.PUT) if back is None else Op(back.op)),
            version=f"{log.epoch}.{log.seq}" if back is None else f"{back.epoch}.{back.seq}",
            asked_at=back.given_at if isinstance(back, GivenRow) else None,
            acknowledged_at=None if ack is None else ack.at,
            confirmed_at=None if got is None else got.got_at,
            sent=0 if got is None else got.sent,
            confirmed=0 if got is None else got.confirmed,
            refused=None if refusal is None else f"{refusal.word} (check {refusal.check})",
        )


def _void(node: Node, unit: Unit, log: LogRow) -> frozenset[int]:
    """What the newest version of a log of ours made void; of others' logs their feeds tell."""
    try:
        own = read_own(unit, node.org, log.event) if log.origin == node.org else None
    except StoredPackageError:  # told the operator elsewhere; what was decided stands
        own = None
    return frozenset() if own is None else frozenset(own.holding.void)


def _not_fetched(given: Sequence[GivenRow], offers: Iterable[OfferRow]) -> list[OfferRow]:
    """What is held out to those who have something of the log and have not come for it."""
    fetched = {(row.party, row.pos, row.op) for row in given}
    parties = {row.party for row in given}
    return [
        row for row in offers if row.peer in parties and (row.peer, row.pos, row.op) not in fetched
    ]


def _told(parties: Collection[Confirmation], pending: Sequence[str]) -> str:
    if not parties:
        return "nothing of it was taken back from anybody"
    told = f"confirmed by {len(parties) - len(pending)} of {len(parties)}"
    return f"{told}, pending {len(pending)}: {', '.join(pending)}" if pending else told


def name_of(node: Node, org: str) -> str:
    """What a member is called; one that is no longer known, by its uuid."""
    member = node.member_party(org)
    return org if member is None else member_name(member)


def _word(op: Op) -> str:
    return "erase" if op is Op.PUT else op.value
