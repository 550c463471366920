"""Classes of slots: the facts a verdict rests on, each set of them stored once.

Thousands of slots share a few dozen classes, so readers' verdicts are found per class and applied
in SQL as `class IN (…)`: search and lists pass the same gate as everything else (D15, D34). Beside
the sealed facts a class holds what the verdict needs besides: end of embargo and addressees (D7).
Classes are never changed nor deleted.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection, bindparam, delete, insert, select, tuple_

from node.storage.store import insert_new
from node.storage.tables import log_class, slot_class
from policies.label import Label
from policies.subject import Subject
from policies.tlp import Pap, Tlp

LogKey = tuple[str, str]  # (origin, event)

_FORGET = delete(log_class).where(
    tuple_(log_class.c.origin, log_class.c.event).in_(bindparam("keys", expanding=True))
)
_NOTE = insert(log_class)
_IDS = select(slot_class.c.digest, slot_class.c.id).where(
    slot_class.c.digest.in_(bindparam("digests", expanding=True))
)


@dataclass(frozen=True, slots=True)
class SlotFacts:
    """All that the verdict on a slot depends on, save who asks and when."""

    log: str
    kind: int
    type: int
    label: Label
    addressees: frozenset[str]
    subject: Subject = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out, once, the part that rules may mention."""
        subject = Subject(
            log=self.log,
            kind=self.kind,
            type=self.type,
            tlp=self.label.tlp,
            pap=self.label.pap,
            categories=self.label.categories,
            only=self.label.only,
            relay=self.label.relay,
        )
        object.__setattr__(self, "subject", subject)

    @property
    def text(self) -> str:
        """The facts as JSON, alike for equal facts."""
        until = self.label.until
        facts = {
            "log": self.log,
            "kind": self.kind,
            "type": self.type,
            "tlp": self.label.tlp.word,
            "pap": self.label.pap.word,
            "categories": sorted(self.label.categories),
            "until": None if until is None else until.isoformat(),
            "only": self.label.only,
            "relay": self.label.relay,
            "addressees": sorted(self.addressees),
        }
        return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def class_ids(conn: Connection, facts: Collection[SlotFacts]) -> Mapping[SlotFacts, int]:
    """Give the id of each class, making the rows that are missing.

    Missing rows are made in one order, so that two units making the same ones do not deadlock.
    """
    by_digest = {hashlib.sha256(one.text.encode()).hexdigest(): one for one in facts}
    known = _ids(conn, by_digest)
    for digest in sorted(by_digest.keys() - known.keys()):
        insert_new(conn, slot_class, {"digest": digest, "facts": by_digest[digest].text})
    if len(known) < len(by_digest):
        known = _ids(conn, by_digest)
    return {one: known[digest] for digest, one in by_digest.items()}


def all_classes(conn: Connection) -> Mapping[int, SlotFacts]:
    """Give every class there is, by its id."""
    rows = conn.execute(select(slot_class.c.id, slot_class.c.facts).order_by(slot_class.c.id))
    return {row.id: _read_facts(row.facts) for row in rows}


def set_log_classes(
    conn: Connection, classes: Mapping[LogKey, tuple[str, Collection[int]]]
) -> None:
    """Note which classes occur in what a source gave us of each log, instead of those before."""
    conn.execute(_FORGET, {"keys": list(classes)})
    rows = [
        {"origin": key[0], "event": key[1], "src": src, "class_id": one}
        for key, (src, ids) in classes.items()
        for one in sorted(set(ids))
    ]
    if rows:
        conn.execute(_NOTE, rows)


def logs_with_classes(conn: Connection, ids: Collection[int]) -> tuple[tuple[str, str], ...]:
    """Give the logs, as (origin, event), in which one of the classes occurs."""
    rows = conn.execute(
        select(log_class.c.origin, log_class.c.event)
        .where(log_class.c.class_id.in_(sorted(ids)))
        .distinct()
        .order_by(log_class.c.origin, log_class.c.event)
    )
    return tuple((row.origin, row.event) for row in rows)


def _ids(conn: Connection, digests: Collection[str]) -> dict[str, int]:
    rows = conn.execute(_IDS, {"digests": list(digests)})
    return {row.digest: row.id for row in rows}


@lru_cache(maxsize=16384)
def _read_facts(text: str) -> SlotFacts:
    facts = json.loads(text)
    until = facts["until"]
    label = Label(
        tlp=_TLP[facts["tlp"]],
        pap=_PAP[facts["pap"]],
        categories=frozenset(facts["categories"]),
        until=None if until is None else datetime.fromisoformat(until),
        only=facts["only"],
        relay=facts["relay"],
    )
    return SlotFacts(
        log=facts["log"],
        kind=facts["kind"],
        type=facts["type"],
        label=label,
        addressees=frozenset(facts["addressees"]),
    )


_TLP = {tlp.word: tlp for tlp in Tlp}
_PAP = {pap.word: pap for pap in Pap}
