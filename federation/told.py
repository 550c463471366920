"""What a peer was told of a log, as 32 bytes, and sums over many of them.

Sender and receiver each keep a set of these names: of the sender's outbox for this peer, and of
what the receiver was last told by this source. A PUT is named by what it discloses (epoch and map),
not by its seal: a later version that discloses the same is no news to a peer (D20) and must not
look like a difference. A RECALL is named by its version; a WITHDRAW leaves nothing.

A fingerprint is the count and the sum modulo 2**256, so that one name more or less is one addition.
Honest ends differ unless SHA-256 collides. A dishonest one may well find sets of equal sum; but it
could as well leave the items out of its feed, and no sum makes anybody believe an item.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

_PUT, _RECALL = b"\x09", b"\x0a"  # domains: the seal uses those below
_MODULUS = 2**256
NAME_BYTES = 32
WAYS = 16  # a stretch has one part for each next hex digit


def told_put(origin: str, event: str, epoch: int, encoded_map: bytes) -> bytes:
    """The name of: you hold exactly these slots of this log."""
    return _named(_PUT, origin, event, epoch.to_bytes(8) + encoded_map)


def told_recall(origin: str, event: str, version: tuple[int, int]) -> bytes:
    """The name of: this log is recalled up to this version."""
    return _named(_RECALL, origin, event, b"".join(number.to_bytes(8) for number in version))


def _named(domain: bytes, origin: str, event: str, rest: bytes) -> bytes:
    return sha256(domain + UUID(origin).bytes + UUID(event).bytes + rest).digest()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """How many names, and their sum; `n` is below 0 in a difference only."""

    n: int = 0
    sum: int = 0

    @classmethod
    def of(cls, names: Sequence[bytes]) -> "Fingerprint":
        """Of these names."""
        return cls(len(names), sum(map(int.from_bytes, names)) % _MODULUS)

    @classmethod
    def step(cls, before: bytes | None, after: bytes | None) -> "Fingerprint":
        """What changes where one name takes the place of another; None: there is none."""
        return cls.of([] if after is None else [after]) - cls.of([] if before is None else [before])

    def __add__(self, other: "Fingerprint") -> "Fingerprint":
        """Of both together."""
        return Fingerprint(self.n + other.n, (self.sum + other.sum) % _MODULUS)

    def __sub__(self, other: "Fingerprint") -> "Fingerprint":
        """What is left without the other."""
        return Fingerprint(self.n - other.n, (self.sum - other.sum) % _MODULUS)

    @property
    def hex(self) -> str:
        """The sum, as it travels."""
        return f"{self.sum:064x}"


def total(parts: Iterable[Fingerprint]) -> Fingerprint:
    """Of all parts together."""
    whole = Fingerprint()
    for part in parts:
        whole += part
    return whole


def bounds(stretch: str) -> tuple[bytes, bytes]:
    """First and last name there can be in the stretch, which is named by how its names begin."""
    digits = 2 * NAME_BYTES
    return bytes.fromhex(stretch.ljust(digits, "0")), bytes.fromhex(stretch.ljust(digits, "f"))


def parts_of(stretch: str) -> tuple[str, ...]:
    """The parts of a stretch, in order."""
    return tuple(f"{stretch}{digit:x}" for digit in range(WAYS))
