"""Packages and deltas of every shape there is, each of them accepted as it stands."""

from dataclasses import dataclass, replace

from sharing.seal.delta import Base, write_delta
from sharing.seal.holding import Holding
from sharing.seal.limits import CHUNK_RECORDS
from sharing.seal.package import write_package
from tests.sharing.seal.notary import (
    EVENT_LABEL,
    HYBRID,
    again,
    attribute,
    event_records,
    sealed,
    updated,
    verified,
)


@dataclass(frozen=True)
class Shape:
    """Bytes, and for a delta what it starts from."""

    raw: bytes
    held: Holding | None = None

    def read(self, raw: bytes) -> Holding:
        """What bytes that came in their place prove."""
        return verified(raw).holding if self.held is None else updated(raw, self.held)


def partly(holding: Holding) -> dict[int, int]:
    """Masks that leave out every fifth record behind the first chunk, and slots of some others."""
    kept = {at: mask for at, mask in holding.masks.items() if at < CHUNK_RECORDS or at % 5}
    return {at: mask if at % 3 or mask < 4 else 0b010 for at, mask in kept.items()}


def to_delta(later: Holding, held: Holding, masks: dict[int, int] | None = None) -> Shape:
    """What leads from what is held to what `masks` discloses."""
    step = write_delta(later, Base.of(held), masks)
    assert step is not None
    assert not step.erase
    return Shape(step.raw, held)


# Records 0..2 are labels and an addressee; 10..89 attributes of one slot
LONG = sealed([*event_records(), *(attribute(name) for name in range(80))])
NEW = [
    attribute("new"),
    attribute("new, in three slots", (0, 16, 2), b'{"comment":"ward 3"}', b'{"first_seen":null}'),
    attribute("new, strict", (16,)),
    attribute("new, of a colour", (3,)),
]
LATER = again(LONG, NEW, [50, 72, 73])
HELD = verified(write_package(LONG, partly(LONG))).holding
SIGNED_TWICE = sealed(signers=HYBRID)


def _shapes() -> dict[str, Shape]:
    small, size = sealed(), LONG.statement.size
    unseeded = replace(LONG, disclosure=replace(LONG.disclosure, chunks=()))
    kept = {at: mask for at, mask in partly(LONG).items() if at not in LATER.void}
    tail = {size: 1, size + 1: 0b101, size + 3: 1}
    after = LATER.narrowed(partly(LATER))
    packages = {
        "full": write_package(small),
        "one record": write_package(sealed([EVENT_LABEL])),
        "redacted": write_package(LONG, partly(LONG)),
        "heads only": write_package(small, dict.fromkeys(small.masks, 1)),
        "one in a hundred": write_package(LONG, {0: 1, 1: 1, 70: 1}),
        "salts one by one": write_package(unseeded, dict.fromkeys(range(2, 40), 1) | {0: 1, 1: 1}),
        "some of it void": write_package(after),
        "without class table": write_package(after, class_table=False),
        "two signatures": write_package(SIGNED_TWICE),
        "two signatures, redacted": write_package(SIGNED_TWICE, partly(SIGNED_TWICE)),
    }
    everything = {at: LATER.masks[at] for at in range(size, LATER.statement.size)}
    deltas = {
        "delta": to_delta(LATER, HELD, kept | everything),
        "delta, partly withheld": to_delta(LATER, HELD, kept | tail),
        "delta, withheld": to_delta(LATER, HELD, kept),
        "delta from far back": to_delta(
            again(again(LATER, [attribute("x")], [30]), [], [93]), LONG
        ),
        "delta of voids": to_delta(again(small, [], [4, 7]), small),
        "delta, signed twice": to_delta(
            again(SIGNED_TWICE, NEW, [4], signers=HYBRID), SIGNED_TWICE
        ),
    }
    return {name: Shape(raw) for name, raw in packages.items()} | deltas


SHAPES = _shapes()
