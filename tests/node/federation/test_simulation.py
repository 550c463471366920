"""A federation that edits, narrows, recalls and fails at random, on a clock of its own.

Whatever happens: no byte that was ever above GREEN is on the wire, and once edits stop and links
are up, everybody holds exactly what policy lets him have. The seed is in the test's name.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import Random

import pytest

from federation.call import Call, Reply
from federation.errors import TransportError
from node.actions.exchange import pull
from policies.tlp import Tlp
from tests.node.federation.world import CrashError, CrashingStore, World, url_of

STEPS = 50
NATIONAL = ("FR", "BE", "DE")


@dataclass
class Truth:
    """What an event's source says of it now; None for the label: recalled."""

    owner: str
    tlp: Tlp | None
    marker: str


@dataclass
class Story:
    """One run: what was done so far, and how to do more of it."""

    world: World
    chance: Random
    truths: dict[str, Truth] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)

    def step(self) -> None:
        acts: list[Callable[[], None]] = [self.post, self.edit, self.recall, self.outage]
        weights = [4, 5, 1, 1]
        self.chance.choices(acts, weights)[0]()
        for _ in range(3):
            self.chance.choice([self.project, self.pull, self.pull, self.crash])()
        self.world.clock.turn(seconds=self.chance.randint(1, 600))

    def settle(self) -> None:
        self.world.memory.down.clear()
        self.world.memory.spoil = lambda call, reply: reply
        self.world.settle()

    def marker(self, tlp: Tlp) -> str:
        marker = f"{self.chance.randbytes(6).hex()}.example"
        if tlp > Tlp.GREEN:
            self.secrets.append(marker)
        return marker

    def colour(self) -> Tlp:
        return self.chance.choices([Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.RED], [2, 5, 3, 1])[0]

    def post(self) -> None:
        owner, tlp = self.chance.choice(NATIONAL), self.colour()
        marker = self.marker(tlp)
        event = self.world.post(owner, "Event", tlp, [marker])
        self.truths[event] = Truth(owner, tlp, marker)

    def edit(self) -> None:
        living = [event for event, truth in self.truths.items() if truth.tlp is not None]
        if living:
            event, tlp = self.chance.choice(living), self.colour()
            marker = self.marker(tlp)
            owner = self.truths[event].owner
            self.world.edit(owner, event, "Event", tlp, [marker])
            self.truths[event] = Truth(owner, tlp, marker)

    def recall(self) -> None:
        living = [event for event, truth in self.truths.items() if truth.tlp is not None]
        if living:
            event = self.chance.choice(living)
            self.world.recall(self.truths[event].owner, event)
            self.truths[event].tlp = None

    def outage(self) -> None:
        down = self.world.memory.down
        url = url_of(self.chance.choice(list(self.world.nodes)))
        down ^= {url}

    def project(self) -> None:
        self.world.project(self.chance.choice(list(self.world.nodes)))

    def pull(self) -> None:
        to, source = self.chance.sample(list(self.world.nodes), 2)
        self.world.pull(to, source)

    def crash(self) -> None:
        to, source = self.chance.sample(list(self.world.nodes), 2)
        store = CrashingStore(
            self.world[to].store, self.chance.randint(1, 3), committed=self.chance.random() < 0.5
        )
        with suppress(CrashError):
            pull(
                replace(self.world[to], store=store), self.world.peer(to, source), self.world.memory
            )

    def lossy(self, call: Call, reply: Reply) -> Reply:
        """Answers get lost after they were made: the server believes they came."""
        if self.chance.random() < 0.15:
            raise TransportError("lost on the way")
        return reply


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_overshare_at_any_step_of_the_simulation_and_all_agree_at_its_end(
    world: World, seed: int
) -> None:
    story = Story(world, Random(seed))
    world.memory.spoil = story.lossy
    for _ in range(STEPS):
        story.step()
    story.settle()
    wire = b"".join(reply.body for _, _, reply in world.memory.passed)
    assert [secret for secret in story.secrets if secret.encode() in wire] == []
    for event, truth in story.truths.items():
        for name in world.nodes:
            told = world.text(name, event)
            if name == truth.owner:
                assert (truth.marker in told) == (truth.tlp is not None)
            elif truth.tlp is not None and truth.tlp <= Tlp.GREEN:
                assert truth.marker in told, (name, event)
                assert told.count(".example") == 1, (name, event)
            else:
                assert told == "", (name, event)
    for name in world.nodes:
        assert world.dirt(name) == 0
