"""What a rule may know of a slot: its sealed facts, and how it stands to the party who asks.

Sender and receiver derive the same `Subject` from the same header; nothing in it is read from a
value. The `Relation` is worked out by each of them for the moment of asking (decisions.md D14).
"""

from dataclasses import dataclass

from policies.tlp import Pap, Tlp

LOGS = frozenset({"event", "note", "return", "report", "declaration"})


@dataclass(frozen=True, slots=True)
class Subject:
    """The sealed facts of one slot: log type, record kind, slot type, and its effective label."""

    log: str
    kind: int
    type: int
    tlp: Tlp
    pap: Pap
    categories: frozenset[str]
    only: bool
    relay: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """How one slot stands to one party now.

    own: the party is the source, or staff of the node where the source enrolled.
    client: it is enrolled at, or staff of, the node that holds the log.
    direct: the sender is the originator.
    named: an addressee record names the party or one of its communities.
    released: a person released this very content to this party.
    embargoed: the label's embargo has not ended.
    published: the source has published the log.
    """

    own: bool
    client: bool
    direct: bool
    named: bool
    released: bool
    embargoed: bool
    published: bool

    @property
    def can_be(self) -> bool:
        """Whether it occurs: what is sent in its source's name, its originator sends.

        Its source need not be a client: an authority is given a file in the source's name.
        """
        return self.direct or not self.own
