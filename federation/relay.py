"""Who is offered what at all, before policy decides what of it may be seen (decisions.md D23).

Our own logs are offered to every peer. Others' logs are relayed to those who want all, one bounded
number of hops on, never back to the originator or to whom we have them from. There is no list of
visited nodes: a relay could put a victim on it. That only GREEN and CLEAR slots with `relay` follow
is the rulebook's floor, run as for any other party, not a rule of this module.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from federation.call import Wants

RELAY_HOPS = 1  # originator -> hub or node -> member


@dataclass(frozen=True, slots=True)
class Held:
    """One holding of a log as far as relaying asks: from whom, how far it came, which version."""

    origin: str
    src: str
    hops: int
    epoch: int
    seq: int


def default_wants(role: str) -> Wants:
    """What we ask a peer of this role for, unless the operator chose otherwise."""
    return Wants.ALL if role == "hub" else Wants.OWN


def relayed_from(holdings: Iterable[Held], me: str) -> Held | None:
    """The one holding a log is projected from: our own, else newest version, then fewest hops."""
    return max(
        holdings,
        key=lambda held: (held.src == me, held.epoch, held.seq, -held.hops, held.src),
        default=None,
    )


def refusal(
    held: Held,
    *,
    me: str,
    peer: str,
    wants: Wants,
    relay_hops: int = RELAY_HOPS,
) -> str | None:
    """Why this holding is not offered to this peer; None where it is."""
    if held.origin == me:
        return "to ourselves" if peer == me else None
    if peer == held.origin:
        return "back to the originator"
    if peer == held.src:
        return "back to the source"
    if wants is not Wants.ALL:
        return "the peer wants our own logs only"
    if held.hops >= relay_hops:
        return f"has come {held.hops} hops of {relay_hops}"
    return None


def hops_onward(held: Held, me: str) -> int:
    """The `hops` of the item that offers this holding: 0 from the originator itself."""
    return 0 if held.origin == me else held.hops + 1


def unasked(
    *,
    origin: str,
    source: str,
    me: str,
    hops: int,
    wants: Wants,
    relay_hops: int = RELAY_HOPS,
) -> str | None:
    """Why an item of this origin should not have come from this source; None where it may.

    The receiving side of `refusal`: a sender that follows the rules passes.
    """
    if origin == me:
        return "our own log came back"
    if (hops == 0) != (origin == source):
        return f"{hops} hops do not fit origin and sender"
    if origin != source and wants is not Wants.ALL:
        return "only the sender's own logs were asked for"
    if hops > relay_hops:
        return f"has come {hops} hops of {relay_hops}"
    return None
