"""What is looked at after every step, and at the end."""

import re
from dataclasses import dataclass, field

import zstandard
from sqlalchemy import select

from node.storage import tables, tables_feed
from tests.simulation.oracle import Oracle
from tests.simulation.stage import Stage, org_of

CANARY = re.compile(rb"c[0-9a-f]{12}\.example")
Place = tuple[str, str, str]  # origin, event, source


class WrongError(AssertionError):
    """Something is somewhere where it may not be, or is not where it must be."""


@dataclass
class Checks:
    """Looks at bytes that leave, and at what nodes hold."""

    stage: Stage
    oracle: Oracle
    story: list[str] = field(default_factory=list)
    _had: set[tuple[str, str]] = field(default_factory=set)  # (node, event): from its originator
    _held: dict[str, dict[Place, tuple[str, frozenset[str]]]] = field(default_factory=dict)

    def sent(self, sender: str, to: str, body: bytes) -> None:
        """No byte leaves that its receiver may not have now."""
        for canary in canaries_in(body):
            if not self.oracle.may_send(sender, to, canary):
                raise WrongError(f"{sender} sends {canary} to {to}: {self._about(canary)}")

    def held(self, name: str) -> None:
        """The node holds nothing that it may not have, as far as it can know."""
        for (origin, event, source), (_, canaries) in self.holdings(name).items():
            if source == name:
                continue
            if origin == org_of(source):
                self._had.add((name, event))
            for canary in canaries:
                if not self.oracle.may_hold(name, source, canary):
                    raise WrongError(f"{name} holds {canary} from {source}: {self._about(canary)}")
                if (name, event) in self._had and self.oracle.must_be_gone(name, canary):
                    raise WrongError(
                        f"{name} holds {canary} from {source} after its recall: "
                        f"{self._about(canary)}"
                    )

    def holdings(self, name: str) -> dict[Place, tuple[str, frozenset[str]]]:
        """What the node holds, by place; only what changed is opened."""
        before, after = self._held.get(name, {}), {}
        names = {org_of(one): one for one in self.stage.nodes}
        holding = tables.holding
        with self.stage.nodes[name].store.read() as unit:
            rows = unit.connection.execute(
                select(holding.c.origin, holding.c.event, holding.c.src, holding.c.digest)
            ).all()
            for row in rows:
                place = (row.origin, row.event, names[row.src])
                if place in before and before[place][0] == row.digest:
                    after[place] = before[place]
                    continue
                package = unit.connection.execute(
                    select(holding.c.package).where(
                        holding.c.origin == row.origin,
                        holding.c.event == row.event,
                        holding.c.src == row.src,
                    )
                ).scalar_one()
                after[place] = row.digest, canaries_in(zstandard.decompress(package))
        self._held[name] = after
        return after

    def forget(self, name: str) -> None:
        self._held.pop(name, None)

    def at_end(self) -> None:
        """Every pair holds exactly what is allowed; nothing waits, nobody was accused."""
        for name in self.stage.nodes:
            by_source: dict[str, set[str]] = {one: set() for one in self.stage.nodes}
            for (_, _, source), (_, canaries) in self.holdings(name).items():
                by_source[source] |= canaries
            for source, found in by_source.items():
                if source == name:
                    continue
                wanted = self.oracle.must_hold(name, source)
                for canary in sorted(wanted ^ found):
                    what = "lacks" if canary in wanted else "still holds"
                    raise WrongError(f"{name} {what} {canary} from {source}: {self._about(canary)}")
            self._at_rest(name)

    def _at_rest(self, name: str) -> None:
        with self.stage.nodes[name].store.read() as unit:
            conn = unit.connection
            if conn.execute(select(tables_feed.dirty)).first() is not None:
                raise WrongError(f"{name}: something is still to be projected")
            said = select(tables_feed.quarantine.c.reason).where(
                tables_feed.quarantine.c.reason.contains("equivocation")
            )
            if (why := conn.execute(said).scalar()) is not None:
                raise WrongError(f"{name} says that somebody equivocates: {why}")
            peers = {row.org: row for row in conn.execute(select(tables_feed.peer))}
            acked = select(
                tables_feed.ledger_ack.c.party,
                tables_feed.ledger_ack.c.feed,
                tables_feed.ledger_ack.c.pos,
            )
            acks = {(row.party, row.feed, row.pos) for row in conn.execute(acked)}
        incarnation = self.stage.nodes[name].keys.incarnation
        for org, row in peers.items():
            if row.head_pos and row.acked_pos != row.head_pos:
                raise WrongError(f"{name}: {org} has confirmed {row.acked_pos} of {row.head_pos}")
            if row.head_pos and (org, incarnation, row.head_pos) not in acks:
                raise WrongError(f"{name}: the ledger lacks the word of {org} for the head")

    def _about(self, canary: str) -> str:
        owner = self.oracle.owner_of.get(canary)
        event = self.oracle.event_of.get(canary, "")
        told = self.oracle.events.get(event)
        said = told.values.get(canary, "taken back") if told else "never said"
        lines = [line for line in self.story if event in line][-12:]
        return "\n".join([f"of {owner}, {said}", *lines, *self._refusals(event)])

    def _refusals(self, event: str) -> list[str]:
        """What nodes refused of an event, for whoever has to find out why."""
        lines = list[str]()
        refused = tables_feed.quarantine
        for name, node in self.stage.nodes.items():
            with node.store.read() as unit:
                rows = unit.connection.execute(
                    select(refused.c.src, refused.c.reason, refused.c.received_at).where(
                        refused.c.event == event
                    )
                ).all()
            names = {org_of(one): one for one in self.stage.nodes}
            lines += [
                f"{row.received_at:%d %b %H:%M} {name} refused it from {names[row.src]}: {row.reason}"
                for row in rows
            ]
        return lines


def canaries_in(body: bytes) -> frozenset[str]:
    return frozenset(found.decode() for found in CANARY.findall(body))
