"""One run: what happens on a virtual clock, drawn from one seed, and looked at after every step.

A heap holds what happens when: each node's next pull, the sources' next words, what operators do
about keys, rules and restores, what breaks and when it is mended. Nothing here knows how the product
decides; `oracle.py` is told what sources say, and `checks.py` looks.
"""

import hashlib
import heapq
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from random import Random

from node import outside
from node.actions.disown import disown_compromised
from node.actions.errors import RestoringError
from node.actions.exchange import PullResult, pull
from node.actions.keys import accept_member, revoke_key, rotate_keys
from node.actions.projector import project_dirty
from node.actions.renew import renew_recalls
from node.actions.repair import repair
from node.actions.repair_due import DAILY, due_peers
from node.actions.restore import finish_restore, state_of
from node.actions.wake import wake_due
from node.node import Node
from node.roster import own_entry, read_roster
from node.settings import load_settings
from node.storage.feed import count_dirt
from node.storage.repair import list_repairs
from node.storage.restores import is_awaited
from sharing.seal.keys import Key, Use
from tests.node.federation.ruling import NATIONAL, TIGHTER, operator, put_in_force
from tests.node.federation.world import CrashError, CrashingStore
from tests.simulation.authors import Authors
from tests.simulation.checks import Checks
from tests.simulation.network import Network
from tests.simulation.oracle import Event, Oracle
from tests.simulation.stage import HUB, Stage, org_of, put_private, url_of

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MAD_ABOUT = "BE"  # to whom the stricter rulebook of `ruling.py` gives nothing but CLEAR


@dataclass(frozen=True)
class Scale:
    """How big a run is. `words` are things that sources say or do in a day, in all."""

    nodes: int = 27
    days: int = 40
    words: float = 5
    hub_h: float = 12  # between two pulls of the hub, and by the hub of one of the others
    peer_h: float = 24  # between two pulls of some other node


@dataclass
class Backup:
    """A copy of a node's database, and what was true when it was made."""

    file: Path
    heard: dict[tuple[str, str], int]
    passed: dict[tuple[str, str], int]
    events: dict[str, Event]
    words: dict[str, int]


@dataclass
class Story:
    """A run so far; `play` plays it to its end."""

    stage: Stage
    chance: Random
    scale: Scale
    oracle: Oracle = field(init=False)
    checks: Checks = field(init=False)
    network: Network = field(init=False)
    authors: Authors = field(init=False)
    backups: dict[str, Backup] = field(default_factory=dict)
    doubts: set[tuple[str, str]] = field(default_factory=set)  # (node, source): something refused
    strangers: set[tuple[str, str]] = field(default_factory=set)  # (node, whose new key it lacks)
    at_home: dict[str, set[str]] = field(default_factory=dict)  # to be said again after a restore
    trace: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    counts: dict[str, int] = field(default_factory=dict)
    _heap: list[tuple[datetime, int, Callable[[], object]]] = field(default_factory=list)
    _order: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        self.names = tuple(self.stage.nodes)
        self.oracle = Oracle(self.names)
        self.checks = Checks(self.stage, self.oracle)
        self.network = Network(self.stage, self.chance, self.checks.sent)
        self.authors = Authors(self.stage, self.chance, self.oracle)

    # The clock

    def after(self, wait: timedelta, act: Callable[[], object]) -> None:
        heapq.heappush(self._heap, (self.stage.clock.now + wait, next(self._order), act))

    def within(self, low: timedelta, high: timedelta, act: Callable[[], object]) -> None:
        self.after(low + (high - low) * self.chance.random(), act)

    def note(self, what: str, *about: object) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
        self.trace.update(f"{self.stage.clock.now} {what} {about}\n".encode())
        self.checks.story.append(f"{self.stage.clock.now:%d %b %H:%M} {what} {about}")

    def play(self) -> None:
        end = self.stage.clock.now + DAY * self.scale.days
        for name in self.names:
            self.within(timedelta(), HOUR * self.scale.hub_h, partial(self.visit, name))
        self.within(timedelta(), HOUR, self.word)
        self._plan_mischief()
        while self._heap and self._heap[0][0] <= end:
            self._turn(*heapq.heappop(self._heap))
        self.heal()

    def _turn(self, at: datetime, order: int, act: Callable[[], object]) -> None:
        del order
        self.stage.clock.now = max(at, self.stage.clock.now)
        act()

    def _plan_mischief(self) -> None:
        days = self.scale.days
        often = max(3, len(self.names) // 3)
        plans: list[tuple[Callable[[], object], int]] = [
            (self.part, often),
            (self.back_up, often),
            (self.restore, max(2, len(self.names) // 5)),
            (self.rotate, max(1, len(self.names) // 9)),
            (self.revoke, 1),
            (self.rule, max(4, len(self.names) // 6)),
        ]
        for act, times in plans:
            for _ in range(times):
                self.within(DAY, DAY * (days - 2), act)
        self.within(DAY * 2, DAY * max(3, days - 34), self.vanish)

    # Sources

    def word(self) -> None:
        self.within(timedelta(), DAY * 2 / self.scale.words, self.word)
        acts = [self.authors.post, self.authors.edit, self.authors.relabel, self.authors.recall]
        act = self.chance.choices([*acts, self.authors.release], [6, 4, 5, 2, 2])[0]
        told = None
        with suppress(RestoringError):
            told = act()
        if told is None:
            return
        self.note(act.__name__, *told.line)
        for end in sorted(told.until):
            self.after(max(end - self.stage.clock.now, timedelta()), self.time_passes)
        if self.chance.random() < 0.7:
            self.project(told.owner)

    def time_passes(self) -> None:
        self.oracle.look_again(self.stage.clock.now)
        self.note("embargo ends")

    # Nodes

    def project(self, name: str) -> None:
        node = self.stage.nodes[name]
        wake_due(node)
        while project_dirty(node, 100):
            pass

    def visit(self, name: str) -> None:
        """The node pulls the hub, or the hub a node; and a node pulls one of the others."""
        self.within(HOUR, HOUR * 2 * self.scale.hub_h, lambda: self.visit(name))
        if name in self.network.down:
            return
        others = [one for one in self.names if one not in (name, HUB)]
        first = self.chance.choice(others) if name == HUB else HUB
        self.pull(name, first)
        if self.chance.random() < 0.3:
            self._repair(name, 1)
        if name != HUB and self.chance.random() < self.scale.hub_h / self.scale.peer_h:
            self.pull(name, self.chance.choice(others))

    def pull(self, name: str, source: str, *, project: bool = True) -> PullResult | None:
        if project and self.chance.random() < 0.8:
            self.project(source)
        node = self.stage.nodes[name]
        peer = next(one for one in node.peers if one.base_url == url_of(source))
        before = self.oracle.step
        is_clean = self._is_clean(source)
        if self.chance.random() < 0.03:
            at, committed = self.chance.randint(1, 4), self.chance.random() < 0.5
            node = replace(node, store=CrashingStore(node.store, at, committed=committed))
        result = None
        with suppress(CrashError):
            result = pull(node, peer, self.network.carrier(name))
        is_whole = result is not None and result.error is None and not result.more
        if result is None or result.quarantined:
            self.doubts.add((name, source))
        if is_whole and is_clean and not self._doubts(name, source):
            self._heard(name, source, before)
        if self.chance.random() < 0.5:
            self.project(name)
        self.note("pull", name, source, result and (result.items, result.error is None))
        self.checks.held(name)
        return result

    def _doubts(self, name: str, source: str) -> bool:
        """Whether the node knows that it may lack something, so that both are to be compared."""
        node = self.stage.nodes[name]
        with node.store.read() as unit:
            row = list_repairs(unit.connection).get(self.stage.nodes[source].org)
        return (name, source) in self.doubts or (row is not None and row.why != DAILY)

    def _repair(self, name: str, most: int) -> None:
        """Some of what is due to be compared is compared, as a node's schedule does it."""
        node = self.stage.nodes[name]
        due = due_peers(node)
        for peer in self.chance.sample(due, min(most, len(due))):
            source = next(one for one in self.names if url_of(one) == peer.base_url)
            before, is_clean = self.oracle.step, self._is_clean(source)
            done = repair(node, peer, self.network.carrier(name))
            self.note("repair", name, source, done.error is None, done.brought)
            if done.error is None and is_clean:
                self.doubts.discard((name, source))
                self._heard(name, source, before)

    def _is_clean(self, source: str) -> bool:
        """Whether the source's feed says all that it knows, and it serves at all."""
        node = self.stage.nodes[source]
        with node.store.read() as unit:
            conn = unit.connection
            return count_dirt(conn) == 0 and not is_awaited(conn, node.org)

    def _heard(self, name: str, source: str, at: int) -> None:
        kept = {owner: self.oracle.passed.get((name, owner), 0) for owner in self.names}
        if (name, source) not in self.strangers:
            self.oracle.hear(name, source, at)
        elif source == HUB:
            return
        for owner in self.names:
            if {(name, owner), (HUB, owner)} & self.strangers:
                self.oracle.passed[name, owner] = kept[owner]

    # What breaks

    def part(self) -> None:
        one, other = self.chance.sample(self.names, 2)
        pairs = {frozenset({one, other})}
        if self.chance.random() < 0.3:
            pairs = {frozenset({one, each}) for each in self.names if each != one}
        self.network.cut |= pairs
        self.note("partition", one, other, len(pairs))
        self.within(HOUR * 6, DAY * 6, lambda: self._mend(pairs))

    def _mend(self, pairs: set[frozenset[str]]) -> None:
        self.network.cut -= pairs
        self.note("partition ends", len(pairs))

    def vanish(self) -> None:
        name = self.chance.choice([one for one in self.names if one != HUB])
        self.network.down.add(name)
        self.note("gone", name)
        self.after(DAY * min(30, self.scale.days * 3 // 4), lambda: self._come_back(name))

    def _come_back(self, name: str) -> None:
        self.network.down.discard(name)
        self.note("back", name)

    # Operators

    def rule(self) -> None:
        name = self.chance.choice([one for one in self.names if one not in (HUB, MAD_ABOUT)])
        if MAD_ABOUT not in self.names or self._is_locked(name):
            return
        was = self.oracle.cut_off.get(name, frozenset[str]())
        self.oracle.cut_off[name] = frozenset() if was else frozenset({MAD_ABOUT})
        self._apply_rules(name)
        self.oracle.look_again(self.stage.clock.now, name)
        self.note("rules", name, bool(was))
        if self.network.reachable(name, MAD_ABOUT) and not self._is_locked(MAD_ABOUT):
            self.pull(MAD_ABOUT, name, project=self.chance.random() < 0.5)

    def _apply_rules(self, name: str) -> None:
        text = TIGHTER if self.oracle.cut_off.get(name) else NATIONAL
        if name != HUB and self.stage.nodes[name].judge.rulebook.text != text:
            put_in_force(self.stage.nodes[name], text)

    def rotate(self, among: Sequence[str] = ()) -> str | None:
        name = self.chance.choice(among or self.names)
        if any(owner == name for _, owner in self.strangers):
            return None  # one at a time
        settings = load_settings(self.stage.folder / name)
        number = self.counts.get("rotate", 0)
        put_private(settings.data / "keys" / "next-seal.pem", f"{name} seal {number}")
        rotate_keys(settings, Use.SEAL, at=self.stage.clock.now)
        self._restart(name)
        self.note("rotate", name)
        self._tell(name)
        return name

    def revoke(self) -> None:
        """A seal key was stolen some hours ago: it is changed and revoked, all is said again."""
        recalled = {self.oracle.events[event].owner for event in self.oracle.recalled}
        name = self.rotate(sorted(recalled))
        if name is None or self._is_locked(name):
            return
        settings = load_settings(self.stage.folder / name)
        used = {signer.kid for signer in self.stage.nodes[name].signers}
        since = self.stage.clock.now - HOUR * self.chance.randint(1, 72)
        for key in self._seal_keys(name):
            if key.kid not in used and key.compromised_since is None:
                revoke_key(
                    settings,
                    key.kid,
                    compromised_since=since,
                    reason="stolen",
                    at=self.stage.clock.now,
                )
        self.note("revoke", name)
        renew_recalls(self.stage.nodes[name])
        self.authors.say_all_again(name)
        self._tell(name)

    def _seal_keys(self, name: str) -> list[Key]:
        roster = read_roster(self.stage.folder / name / "roster.json")
        member = roster.members[self.stage.nodes[name].org]
        return [key for key in member.keys if key.use is Use.SEAL]

    def _tell(self, name: str) -> None:
        for other in self.names:
            if other != name:
                self.strangers.add((other, name))
                self.within(HOUR, DAY * 2, partial(self._accept, other, name))

    def _accept(self, name: str, whose: str) -> None:
        if name in self.network.down:
            self.within(HOUR, DAY, lambda: self._accept(name, whose))
            return
        source = self.stage.nodes[whose]
        accept_member(self.stage.nodes[name].settings, own_entry(source.settings, source.keys))
        self.strangers.discard((name, whose))
        disown_compromised(self.stage.nodes[name])
        self.checks.held(name)
        self.note("accept", name, whose)

    def _restart(self, name: str) -> Node:
        self.stage.nodes[name].close()
        return self.stage.open(name)

    # Backups

    def back_up(self) -> None:
        name = self.chance.choice(self.names)
        file = self.stage.folder / f"{name}.backup"
        self.stage.backup(name, file)
        self.backups[name] = Backup(
            file,
            {pair: at for pair, at in self.oracle.heard.items() if pair[0] == name},
            {pair: at for pair, at in self.oracle.passed.items() if pair[0] == name},
            {key: told for key, told in self.oracle.events.items() if told.owner == name},
            dict(self.authors.words),
        )
        self.note("backup", name)

    def restore(self) -> None:
        """A node's database is lost; its operator puts back the last backup, and says so or not."""
        if not self.backups:
            self.back_up()
        name = self.chance.choice(sorted(self.backups))
        backup = self.backups.pop(name)
        says_so = self.chance.random() < 0.5
        if says_so:
            outside.call_restored(self.stage.folder / name)
        self.stage.restore(name, backup.file)
        if not self._is_locked(name):  # nothing had left since: then nobody noticed but he
            outside.call_restored(self.stage.folder / name)
            self._restart(name)
        self.note("restore", name, says_so)
        for record, kept in (
            (self.oracle.heard, backup.heard),
            (self.oracle.passed, backup.passed),
        ):
            for pair in [pair for pair in record if pair[0] == name]:
                record[pair] = kept.get(pair, 0)
        self.checks.forget(name)
        self.at_home[name] = self.authors.set_back(name, backup.events, backup.words)
        self.checks.held(name)
        self.after(HOUR * 6, lambda: self._finish(name, self.stage.clock.now + DAY * 2))

    def _is_locked(self, name: str) -> bool:
        node = self.stage.nodes[name]
        with node.store.read() as unit:
            return is_awaited(unit.connection, node.org)

    def _finish(self, name: str, patience: datetime) -> None:
        node = self.stage.nodes[name]
        state = state_of(node)
        if not state.is_locked:
            return
        is_patient = self.stage.clock.now < patience
        if name in self.network.down or (state.silent and is_patient):
            for source in self.names:
                if org_of(source) in state.silent and name not in self.network.down:
                    self.pull(name, source)
            self.after(HOUR * 6, lambda: self._finish(name, patience))
            return
        self._apply_rules(name)
        finish_restore(node, operator(node), without=state.silent)
        self.note("restored", name, len(state.behind), len(state.lost), len(state.silent))
        self.project(name)
        for event in sorted(self.at_home.pop(name, set())):
            self.within(HOUR, DAY, partial(self.authors.say_again, event))

    # The end

    def heal(self) -> None:
        """All links are up, nothing is lost any more; until nobody has news for anybody."""
        self.network.faults = None
        self.network.down.clear()
        self.network.cut.clear()
        for name, whose in sorted(self.strangers):
            self._accept(name, whose)
        for name in self.names:
            self._finish(name, self.stage.clock.now)
            self._finish(name, self.stage.clock.now)
        self.stage.clock.turn(days=8)  # embargoes end
        self.time_passes()
        self._come_to_rest()
        self.stage.clock.turn(days=1)  # who refused what was signed anew since gets it by night
        self._come_to_rest()
        self.checks.at_end()

    def _come_to_rest(self) -> None:
        for _ in range(6):
            for name in self.names:
                self.project(name)
            news = 0
            for name in self.names:
                for source in self.names:
                    if name != source:
                        result = self.pull(name, source)
                        news += 1 if result is None else result.items
                self._repair(name, len(self.names))
            self.stage.clock.turn(minutes=1)
            if not news:
                break
