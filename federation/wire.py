"""The lines of fed/1 that carry items: header line and item line (federation.md §1.2).

A page (`page.py`) is the header line, then per item its line and exactly `size` raw bytes of a
package, then the trailer line (`transfer.py`), which signs the item lines; the header is a hint
that must agree with it. What is read here is well-formed, not yet true: `admit` decides.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

import orjson

from federation.errors import BadLineError
from federation.lines import (
    CURSOR,
    HEX_32,
    INCARNATION,
    UUID,
    WORD,
    Fields,
    read_line,
    write_line,
)
from sharing.seal import limits
from sharing.seal.maps import MaskRun

MEDIA_TYPE = "application/vnd.fisn.feed"
VERSION = 1
INLINE_CAP = 1024 * 1024  # a larger package has size 0 and is fetched by its digest
HOPS_CAP = 16
ITEMS_CAP = 200

ERASE_CAP = 1024  # stretches; where more must go, the package is sent

GROUNDS = ("label", "audience", "category", "agreement", "embargo", "policy", "erased")
_GROUND = re.compile("|".join(GROUNDS))
_MASKS = 1 << limits.SLOTS_PER_RECORD
_FIELD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,95}")
_OP = re.compile("PUT|WITHDRAW|RECALL")


class Op(StrEnum):
    """What an item asks of its receiver."""

    PUT = "PUT"
    WITHDRAW = "WITHDRAW"
    RECALL = "RECALL"


@dataclass(frozen=True, slots=True)
class Ground:
    """Why the sender withheld something of this kind, how much, and which incident fields."""

    ground: str
    kind: int
    records: int
    slots: int
    fields: tuple[str, ...] = ()

    def members(self) -> dict[str, object]:
        """As it stands in an item line."""
        return {
            "ground": self.ground,
            "kind": self.kind,
            "records": self.records,
            "slots": self.slots,
            "fields": list(self.fields),
        }

    @classmethod
    def read(cls, fields: Fields) -> "Ground":
        """Take the members of one ground.

        Raises:
            BadLineError: not of its form, or a ground outside the closed list.
        """
        ground = cls(
            ground=fields.text("ground", _GROUND),
            kind=fields.integer("kind", 0, 255),
            records=fields.integer("records", 0, limits.RECORDS),
            slots=fields.integer("slots", 0, limits.RECORDS * limits.SLOTS_PER_RECORD),
            fields=fields.texts("fields", _FIELD, 256),
        )
        fields.close()
        return ground


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stands in the feed, which log it is about, how many raw bytes follow it."""

    pos: int
    origin: str
    event: str
    size: int


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One well-formed item line.

    `digest` names the projection and is there for PUT only; `recall` is the originator's signed
    envelope and is there for RECALL only, whose version is the recall's. `size` 0 with PUT means:
    fetch the package by its digest. With `base` the bytes are a delta from the projection of that
    digest, and `erase` is what goes of it besides (`sealing.md` §2.9).
    """

    pos: int
    op: Op
    origin: str
    event: str
    epoch: int
    seq: int
    seal: str
    digest: str | None = None
    hops: int = 0
    urgent: bool = False
    size: int = 0
    withheld: tuple[Ground, ...] = ()
    recall: bytes | None = None
    base: str | None = None
    erase: tuple[MaskRun, ...] = ()

    @property
    def version(self) -> tuple[int, int]:
        """(epoch, seq), assigned by the originator."""
        return (self.epoch, self.seq)

    @property
    def fetched_apart(self) -> bool:
        """Whether the package is asked for by its digest."""
        return self.op is Op.PUT and self.size == 0

    @property
    def is_delta(self) -> bool:
        """Whether the bytes lead on from what its receiver holds, instead of being all of it."""
        return self.base is not None

    def as_package(self) -> "ItemLine":
        """The same news, its package still to be fetched."""
        return replace(self, size=0, base=None, erase=())

    def write(self) -> bytes:
        """The line, without its line feed."""
        return write_line(
            {
                "pos": self.pos,
                "op": self.op.value,
                "origin": self.origin,
                "event": self.event,
                "epoch": self.epoch,
                "seq": self.seq,
                "seal": self.seal,
                "digest": self.digest,
                "as": _form(self.op, is_delta=self.is_delta),
                "base": self.base,
                "erase": [[run.start, run.count, run.mask] for run in self.erase],
                "hops": self.hops,
                "urgent": self.urgent,
                "size": self.size,
                "withheld": [ground.members() for ground in self.withheld],
                "recall": None if self.recall is None else orjson.loads(self.recall),
            }
        )


def read_place(line: bytes) -> Place:
    """What framing needs of an item line; the rest may still be wrong.

    Raises:
        BadLineError: it cannot even be placed, so the page cannot be read on.
    """
    fields = read_line(line, "item line")
    return Place(
        pos=fields.integer("pos", 1),
        origin=fields.text("origin", UUID),
        event=fields.text("event", UUID),
        size=fields.integer("size", 0, INLINE_CAP),
    )


def read_item_line(line: bytes) -> ItemLine:
    """A well-formed item line.

    Raises:
        BadLineError: a member is missing, unknown, or not of its form.
    """
    fields = read_line(line, "item line")
    op = Op(fields.text("op", _OP))
    base = fields.text_or_null("base", HEX_32)
    fields.exactly("as", _form(op, is_delta=base is not None))
    item = ItemLine(
        pos=fields.integer("pos", 1),
        op=op,
        origin=fields.text("origin", UUID),
        event=fields.text("event", UUID),
        epoch=fields.integer("epoch", 0, limits.COUNTER),
        seq=fields.integer("seq", 0, limits.COUNTER),
        seal=fields.text("seal", HEX_32),
        digest=fields.text_or_null("digest", HEX_32),
        hops=fields.integer("hops", 0, HOPS_CAP),
        urgent=fields.flag("urgent"),
        size=fields.integer("size", 0, INLINE_CAP),
        withheld=tuple(Ground.read(ground) for ground in fields.nested_list("withheld", 512)),
        recall=_read_recall(fields),
        base=base,
        erase=_read_erase(fields),
    )
    fields.close()
    _check_shape(item)
    return item


def _read_recall(fields: Fields) -> bytes | None:
    envelope = fields.take("recall")
    if envelope is None:
        return None
    if not isinstance(envelope, dict):
        raise fields.wrong("recall", "an envelope or null")
    return orjson.dumps(envelope)


def _read_erase(fields: Fields) -> tuple[MaskRun, ...]:
    stretches = fields.take("erase")
    if not isinstance(stretches, list) or len(stretches) > ERASE_CAP:
        raise fields.wrong("erase", f"a list of at most {ERASE_CAP}")
    runs, end = list[MaskRun](), 0
    for stretch in stretches:
        if not isinstance(stretch, list) or [type(each) for each in stretch] != [int] * 3:
            raise fields.wrong("erase", "stretches [first, count, mask]")
        run = MaskRun(*stretch)
        if run.start < end or not 0 < run.count <= limits.RECORDS - run.start:
            raise fields.wrong("erase", "stretches that ascend within the log")
        if not 0 < run.mask < _MASKS:
            raise fields.wrong("erase", "stretches with masks")
        runs.append(run)
        end = run.start + run.count
    return tuple(runs)


def _form(op: Op, *, is_delta: bool) -> str:
    """How an item's bytes are to be read."""
    if op is not Op.PUT:
        return "none"
    return "delta" if is_delta else "package"


def _check_shape(item: ItemLine) -> None:
    if (item.digest is not None) != (item.op is Op.PUT):
        raise BadLineError(f"item line: {item.op} with or without a digest")
    if (item.recall is not None) != (item.op is Op.RECALL):
        raise BadLineError(f"item line: {item.op} with or without a recall")
    if item.op is not Op.PUT and (item.size or item.withheld or item.is_delta):
        raise BadLineError(f"item line: {item.op} with bytes or grounds")
    if item.is_delta and not item.size:
        raise BadLineError("item line: a delta without bytes")
    if item.erase and not item.is_delta:
        raise BadLineError("item line: erase without a delta")


@dataclass(frozen=True, slots=True)
class HeaderLine:
    """First line of a page: who sends, to whom, and from which cursor on."""

    sender: str
    to: str
    incarnation: str
    roster: int
    rulebook_version: str
    rulebook_digest: str
    cursor: str | None

    def write(self) -> bytes:
        """The line, without its line feed."""
        rulebook = {"version": self.rulebook_version, "digest": self.rulebook_digest}
        return write_line(
            {
                "fed": VERSION,
                "from": self.sender,
                "to": self.to,
                "incarnation": self.incarnation,
                "roster": self.roster,
                "rulebook": rulebook,
                "cursor": self.cursor,
            }
        )

    @classmethod
    def read(cls, line: bytes) -> "HeaderLine":
        """A well-formed header line.

        Raises:
            BadLineError: it is none, or of another version of the protocol.
        """
        fields = read_line(line, "header line")
        fields.exactly("fed", VERSION)
        rulebook = fields.nested("rulebook")
        header = cls(
            sender=fields.text("from", UUID),
            to=fields.text("to", UUID),
            incarnation=fields.text("incarnation", INCARNATION),
            roster=fields.integer("roster"),
            rulebook_version=rulebook.text("version", WORD),
            rulebook_digest=rulebook.text("digest", HEX_32),
            cursor=fields.text_or_null("cursor", CURSOR),
        )
        rulebook.close()
        fields.close()
        return header
