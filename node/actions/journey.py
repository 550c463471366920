"""How far an event has come on its way to one peer, in sentences.

The verdict is that of `explain`; beside it stand the places an event passes through: let go,
decided for the peer, offered in its feed, fetched, confirmed.
"""

from dataclasses import dataclass

from federation.wire import Op
from node.actions.caller import Caller
from node.actions.errors import NotFoundError
from node.actions.explain import Explanation, explain
from node.node import Node
from node.storage.dirt import is_dirty
from node.storage.feed import OfferRow, rows_of_logs
from node.storage.ledger import GivenRow, acknowledgements_for, given_of
from node.storage.peers import PeerRow, find_peer


@dataclass(frozen=True, slots=True)
class Journey:
    """An event on its way to a party; `arrived` is whether the party confirmed what it may have."""

    party: str
    arrived: bool
    sentences: tuple[str, ...]


def journey(node: Node, caller: Caller, origin: str, event: str, org: str) -> Journey:
    """Say how far an event has come on its way to a peer.

    Raises:
        NotFoundError: there is no such event that the caller may see, or no such peer.
        NotAllowedError: the caller does not answer for it.
    """
    if org not in {peer.org for peer in node.peers}:
        raise NotFoundError("peer")
    told = explain(node, caller, origin, event, org)
    with node.store.read() as unit:
        conn = unit.connection
        row = find_peer(conn, org)
        offer = rows_of_logs(conn, [(origin, event)]).get((origin, event), {}).get(org)
        waits = is_dirty(conn, origin, event)
        given = [one for one in given_of(conn, [(origin, event)]) if one.party == org]
        acks = acknowledgements_for(conn, given)
    sentences = [_verdict(told)]
    if waits:
        sentences.append("It has changed and is being decided anew; within a second as a rule.")
    if offer is not None:
        sentences.append(_offered(offer))
    last = next((one for one in reversed(given) if _is_for(one, offer)), None)
    if offer is not None and last is None:
        sentences.append(_not_fetched(row))
    if last is not None:
        sentences.append(f"It was given on {last.given_at:%Y-%m-%d %H:%M:%SZ}.")
        ack = acks.get(last)
        how = "has not confirmed it yet" if ack is None else f"confirmed it at {ack.at:%H:%M:%SZ}"
        sentences.append(f"{told.party_name} {how}.")
    arrived = last is not None and last in acks and not waits
    return Journey(told.party_name, arrived, tuple(sentences))


def _is_for(given: GivenRow, offer: OfferRow | None) -> bool:
    return offer is not None and (given.pos, given.digest) == (offer.pos, offer.digest)


def _verdict(told: Explanation) -> str:
    if told.refused is not None:
        return f"It is not offered to {told.party_name}: {told.refused}."
    if not told.published:
        return "It is not published: it stays here until an operator lets it go."
    counts = f"{told.sent} slots go, {told.withheld} are withheld, {told.held} wait for a person"
    if told.sent:
        return f"By the rules in force {counts}."
    reasons = sorted({reason.text for row in told.rows for reason in row.reasons})
    return f"By the rules in force nothing of it goes ({counts}): {'; '.join(reasons)}."


def _offered(offer: OfferRow) -> str:
    what = {Op.PUT: "offered", Op.WITHDRAW: "taken back", Op.RECALL: "recalled"}[Op(offer.op)]
    return (
        f"It is {what} at place {offer.pos} of its feed since "
        f"{offer.projected_at:%Y-%m-%d %H:%M:%SZ}, version {offer.epoch}.{offer.seq}."
    )


def _not_fetched(row: PeerRow | None) -> str:
    if row is None or row.asked_at is None:
        return "The peer has never come for its feed: its operator must list us and reach us."
    return f"The peer has not fetched it yet; it last came {row.asked_at:%Y-%m-%d %H:%M:%SZ}."
