"""What `isac seal verify|redact|merge|show|diff` do, on bytes: for anybody, without a node.

Status 0: accepted, done. 1: refused, with the numbered check and the reason on one line. 2: asked
the wrong way, which includes a file of keys that is no roster.

Wherever a package is taken a delta is, too, given what it starts from (`prev`). Without a roster
nobody has proved anything; then everything but signatures is checked.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from policies.tlp import read_tlp
from sharing.errors import BadRosterError, ForeignFault, RefusedError
from sharing.seal.delta import is_delta, read_delta
from sharing.seal.holding import Holding
from sharing.seal.keys import KeyRegistry
from sharing.seal.labels import read_addressee, read_label
from sharing.seal.merging import merge
from sharing.seal.package import read_package, write_package
from sharing.seal.records import EVENT_LABEL, Kind
from sharing.seal.shown import changed, proof_of, shown, summary
from sharing.seal.verify import examine, examine_delta, verify, verify_delta

_CHOSEN = re.compile(r"(\d{1,7})(?:-(\d{1,7})|:(\d{1,2}))?", re.ASCII)


class Status(IntEnum):
    """What the command exits with."""

    DONE = 0
    REFUSED = 1
    MISUSED = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """Exit status, what to tell, and the package that was made, if one was."""

    status: Status
    text: str
    package: bytes = b""


class _MisuseError(Exception):
    """The command was asked the wrong way."""


def verify_package(
    raw: bytes, roster: bytes, *, now: datetime, prev: bytes | None = None
) -> Outcome:
    """Whether this is what its originator said, seen first `now`, after `prev` if given."""

    def work() -> Outcome:
        return Outcome(Status.DONE, f"accepted: {summary(_open(raw, prev, _keys(roster, now)))}")

    return _outcome(work)


def redact_package(
    raw: bytes,
    withhold: Sequence[str],
    *,
    stricter_than: str | None = None,
    class_table: bool = True,
    prev: bytes | None = None,
) -> Outcome:
    """The package without what is named: `7` a record, `3-9` records, `2:2` a slot of a record.

    `stricter_than` names a TLP colour: every slot above it is withheld. Label and addressee records
    stay where anything is left under them; to name a label record that must stay is
    refused. No key is needed, and no signature is asked for.
    """

    def work() -> Outcome:
        holding = _open(raw, prev)
        masks = dict(holding.masks)
        for item in withhold:
            _withhold(holding, masks, item)
        if stricter_than is not None:
            _withhold_stricter(holding, masks, stricter_than)
        asked = dict(masks)
        _settle_labels(holding, masks)
        stays = [index for index, mask in masks.items() if mask & ~asked[index]]
        if stays:
            raise _MisuseError(f"record {stays[0]} stays: it labels something that is disclosed")
        return _made(write_package(holding, masks, class_table=class_table))

    return _outcome(work)


def merge_packages(
    raws: Sequence[bytes],
    *,
    roster: bytes | None = None,
    now: datetime,
    prev: bytes | None = None,
) -> Outcome:
    """One package of what any of these discloses, all of one version.

    No key is needed to make it; with a roster each of them is verified first.
    """

    def work() -> Outcome:
        if len(raws) < 2:
            raise _MisuseError("merging takes two packages or more")
        first, *others = [_open(raw, prev, _keys(roster, now)) for raw in raws]
        try:
            for other in others:
                first = merge(first, other)
        except ValueError as error:
            raise _MisuseError(str(error)) from None
        return _made(write_package(first))

    return _outcome(work)


def show_package(
    raw: bytes, roster: bytes | None = None, *, now: datetime, prev: bytes | None = None
) -> Outcome:
    """What is disclosed and what is withheld, of which kind, under which label, proved by whom."""

    def work() -> Outcome:
        holding = _open(raw, prev, _keys(roster, now))
        lines = [summary(holding), proof_of(holding, verified=roster is not None)]
        return Outcome(Status.DONE, "\n".join([*lines, *shown(holding)]))

    return _outcome(work)


def diff_packages(
    raw: bytes, prev: bytes, roster: bytes | None = None, *, now: datetime
) -> Outcome:
    """What `raw` tells that `prev` did not, and the other way round: one line a slot."""

    def work() -> Outcome:
        keys, base = _keys(roster, now), prev if is_delta(raw) else None
        old, new = _open(prev, None, keys), _open(raw, base, keys)
        if old.statement.origin != new.statement.origin:
            raise _MisuseError("two logs: only versions or copies of one can be compared")
        lines = [f"old: {summary(old)}", f"new: {summary(new)}"]
        lines.append(proof_of(new, verified=roster is not None))
        return Outcome(Status.DONE, "\n".join([*lines, *changed(old, new)]))

    return _outcome(work)


def _outcome(work: Callable[[], Outcome]) -> Outcome:
    """What `work` gives; what is wrong is told, and whose fault it is shows in the status."""
    try:
        return work()
    except (_MisuseError, BadRosterError) as error:
        return Outcome(Status.MISUSED, str(error))
    except ForeignFault as error:
        return Outcome(Status.REFUSED, f"refused: {error}")


def _made(package: bytes) -> Outcome:
    """A package of ours, which must be one that anybody accepts."""
    return Outcome(Status.DONE, summary(examine(read_package(package))), package)


@dataclass(frozen=True, slots=True)
class _Keys:
    """Whose signatures count, for what was first seen at that time."""

    registry: KeyRegistry
    seen_at: datetime


def _keys(roster: bytes | None, now: datetime) -> _Keys | None:
    return None if roster is None else _Keys(KeyRegistry.read(roster), now)


def _open(raw: bytes, prev: bytes | None, keys: _Keys | None = None) -> Holding:
    """The holding these bytes make, on top of `prev`; verified where keys are given."""
    try:
        held = None if prev is None else _open_package(prev, None, keys)
    except RefusedError as error:
        raise RefusedError(error.check, f"of what came before: {error.reason}") from None
    if not is_delta(raw):
        return _open_package(raw, held, keys)
    delta = read_delta(raw)
    if held is None:
        raise RefusedError(6, f"base: a delta from version {delta.base}, which is not given")
    if keys is None:
        return examine_delta(delta, held)
    return verify_delta(delta, keys.registry, first_seen_at=keys.seen_at, held=held).holding


def _open_package(raw: bytes, held: Holding | None, keys: _Keys | None) -> Holding:
    package = read_package(raw)
    if keys is None:
        return examine(package, held)
    return verify(package, keys.registry, first_seen_at=keys.seen_at, held=held).holding


# Redact


def _withhold(holding: Holding, masks: dict[int, int], item: str) -> None:
    """Take what `item` names from the masks; it is a slip to name what is not there."""
    chosen = _CHOSEN.fullmatch(item)
    indices = range(int(chosen[1]), int(chosen[2] or chosen[1]) + 1) if chosen else ()
    if not chosen or not indices:
        raise _MisuseError(f"not a record, a range of records or a slot: {item}")
    for index in indices:
        held = holding.masks.get(index, 0)
        slots = 1 << int(chosen[3]) >> 1 if chosen[3] else held
        if not slots & held:
            what = f"slot {chosen[3]} of record {index}" if chosen[3] else f"record {index}"
            raise _MisuseError(f"{what} is not disclosed")
        masks[index] &= ~slots


def _withhold_stricter(holding: Holding, masks: dict[int, int], colour: str) -> None:
    limit = read_tlp(colour)
    if limit is None:
        raise _MisuseError(f"no TLP colour: {colour}")
    for index, record in holding.records.items():
        for slot, byte in enumerate(record.header.labels):
            if holding.labels.effective(byte).tlp > limit:
                masks[index] &= ~(1 << slot)


def _settle_labels(holding: Holding, masks: dict[int, int]) -> None:
    """Keep the label and addressee records under which something is left, and no other."""
    labelling = {Kind.LABEL: read_label, Kind.ADDRESSEE: read_addressee}
    left = [record for index, record in holding.records.items() if masks[index]]
    used = {EVENT_LABEL} | {
        byte
        for record in left
        if record.header.kind not in labelling
        for byte in record.header.labels
    }
    for index, record in holding.records.items():
        text = record.slots[0]
        if record.header.kind == Kind.LABEL and text:
            masks[index] = int(read_label(text)[0] in used)
        elif record.header.kind == Kind.ADDRESSEE and text:
            masks[index] &= int(read_addressee(text).byte in used)
