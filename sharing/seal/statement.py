"""The seal statement: the few hundred bytes an originator signs for one version (§2.5).

Its bytes are kept and hashed as they came; a Statement is their meaning, and carries them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

import orjson

from sharing.errors import UnreadableError
from sharing.seal import limits
from sharing.seal.canonical import read_hash, read_instant, read_kid, read_uuid, write_instant
from sharing.seal.members import (
    count_up_to,
    member,
    one_of,
    or_null,
    read_list,
    read_members,
)

PAYLOAD_TYPE = "application/vnd.fisn.seal.v1+json"
LOGS = frozenset({"event", "note", "return", "report", "declaration"})

_TYPE = "fisn.seal/1"
_HASH = "sha2-256"
_MEMBERS = frozenset(
    [
        *("_type", "hash", "log", "event", "epoch", "seq", "size", "root", "live"),
        *("void", "classes", "prev", "iat", "iss", "keys"),
    ]
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One version of one log, as its originator signed it. Hashes are 32 bytes."""

    log: str
    event: str
    epoch: int
    seq: int
    size: int
    root: bytes
    live: int
    void: bytes
    classes: bytes
    prev: bytes | None
    iat: datetime
    iss: str
    keys: tuple[str, ...]
    payload: bytes = field(default=b"", repr=False, compare=False)

    def __post_init__(self) -> None:
        """Write the payload where none came."""
        if not self.payload:
            object.__setattr__(self, "payload", self._encode())

    @property
    def seal(self) -> str:
        """What names this version: H(payload), in hex."""
        return statement_digest(self.payload)

    @property
    def version(self) -> tuple[int, int]:
        """Place in the log's history."""
        return self.epoch, self.seq

    @property
    def origin(self) -> tuple[str, str]:
        """What names the log: originator and uuid, never the uuid alone (D1)."""
        return self.iss, self.event

    def _encode(self) -> bytes:
        return orjson.dumps(
            {
                "_type": _TYPE,
                "hash": _HASH,
                "log": self.log,
                "event": self.event,
                "epoch": self.epoch,
                "seq": self.seq,
                "size": self.size,
                "root": self.root.hex(),
                "live": self.live,
                "void": self.void.hex(),
                "classes": self.classes.hex(),
                "prev": self.prev.hex() if self.prev else None,
                "iat": write_instant(self.iat),
                "iss": self.iss,
                "keys": self.keys,
            }
        )

    @classmethod
    def decode(cls, payload: bytes) -> "Statement":
        """The meaning of a payload; raises UnreadableError naming the member that is wrong."""
        members = read_members(payload, _MEMBERS)
        member(members, "_type", one_of(frozenset({_TYPE})))
        member(members, "hash", one_of(frozenset({_HASH})))
        return cls(
            log=member(members, "log", one_of(LOGS)),
            event=member(members, "event", read_uuid),
            epoch=member(members, "epoch", count_up_to(limits.COUNTER)),
            seq=member(members, "seq", count_up_to(limits.COUNTER, least=1)),
            size=member(members, "size", count_up_to(limits.RECORDS, least=1)),
            root=member(members, "root", read_hash),
            live=member(members, "live", count_up_to(limits.RECORDS)),
            void=member(members, "void", read_hash),
            classes=member(members, "classes", read_hash),
            prev=member(members, "prev", or_null(read_hash)),
            iat=member(members, "iat", read_instant),
            iss=member(members, "iss", read_uuid),
            keys=member(members, "keys", read_kids),
            payload=payload,
        )


def read_kids(value: object) -> tuple[str, ...]:
    """The ids of 1..16 different keys."""
    kids = tuple(read_kid(kid) for kid in read_list(value))
    if not 1 <= len(kids) <= limits.KEYS or len(set(kids)) != len(kids):
        raise UnreadableError(f"not 1..{limits.KEYS} different key ids")
    return kids


def statement_digest(payload: bytes) -> str:
    """H(payload) in hex, called the `seal` of a version."""
    return sha256(payload).hexdigest()
