"""`seal-versions.json`: a log through its versions; projections, deltas and merges of it.

Packages have names and stand in the file once. What is refused is refused by a recipient that holds
the package so named.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from sharing.seal.delta import Base, write_delta
from sharing.seal.holding import Holding
from sharing.seal.merging import merge
from sharing.seal.package import write_package
from sharing.seal.records import Kind, Record
from sharing.seal.seal import compact, reseal, seal
from tests.vectors.originator import (
    ISSUER,
    OTHER,
    SIGNER,
    Json,
    addressee,
    attribute,
    label,
    minutes,
    record,
    secrets_of,
    told,
    uuid_of,
)

EVENT = uuid_of("a log with versions")
CORE = record("010201000603", f'{{"uuid":"{uuid_of("core")}","info":"Λάρισα"}}', '{"org":"one"}')
BEDS = record("0a0301020a100b02", '{"field":"beds"}', '{"value":412}', '{"value":"250-500"}')
RECORDS = [
    *(attribute(f"bulk-{number}") for number in range(28)),
    *(attribute(f"told-{number}", text="ward 17") for number in range(3)),
    attribute("ours", 16),
    BEDS,
    CORE,
    label(0, "green", pap="green"),
    label(16, "amber", categories=["personal"], only=True, relay=False),
    addressee(16, party=OTHER),
]
OPEN = {0, 1, 2}  # label bytes of what anybody may have

# name, records to append, names of what becomes void
STEPS: Sequence[tuple[str, Sequence[Record], Sequence[str]]] = [
    ("v2", [attribute("new", text="ward 3"), attribute("strict", 16)], []),
    ("v3", [], ["bulk-8"]),
    ("v4", [attribute("told-1", 2), label(0, "clear")], ["told-1", "label 0"]),
    ("v5", [], []),
]


def versions() -> dict[str, Holding]:
    """The log, version by version, as its originator holds it."""
    seed, class_salt = secrets_of("v1")
    log = {
        "v1": seal(
            RECORDS,
            log="event",
            event=EVENT,
            issuer=ISSUER,
            signers=[SIGNER],
            seed=seed,
            class_salt=class_salt,
            at=minutes(1),
        )
    }
    held = log["v1"]
    for number, (name, append, void) in enumerate(STEPS, 2):
        seed, class_salt = secrets_of(name)
        held = log[name] = reseal(
            held,
            append=append,
            void=[place_of(held, what) for what in void],
            signers=[SIGNER],
            seed=seed,
            class_salt=class_salt,
            at=minutes(number),
        )
    seed, class_salt = secrets_of("epoch 1")
    log["epoch 1"] = compact(
        held,
        signers=[SIGNER],
        seed=seed,
        class_salt=class_salt,
        at=minutes(9),
    )
    return log


def place_of(held: Holding, name: str) -> int:
    """The index of an attribute, or of the event's label record."""
    text = b'"label":0,' if name == "label 0" else f'"{uuid_of(name)}"'.encode()
    (index,) = (at for at, item in held.records.items() if text in (item.slots[0] or b""))
    return index


# What a recipient has of a version


def everything(held: Holding) -> dict[int, int]:
    """All that is live."""
    return dict(held.masks)


def public(held: Holding) -> dict[int, int]:
    """What is under an open label byte, and every label record; no addressee."""
    masks = {}
    for index, item in held.records.items():
        slots = enumerate(item.header.labels)
        if item.header.kind != Kind.ADDRESSEE:
            masks[index] = sum(1 << slot for slot, byte in slots if byte in OPEN)
    return {index: mask for index, mask in masks.items() if mask}


def sparse(held: Holding) -> dict[int, int]:
    """Of what is public every fifth attribute, and the event's label."""
    event_label = place_of(held, "label 0")
    return {
        index: mask
        for index, mask in public(held).items()
        if index == event_label
        or (index % 5 == 1 and held.records[index].header.kind == Kind.ATTRIBUTE)
    }


PROJECTIONS: Mapping[str, Callable[[Holding], dict[int, int]]] = {
    "everything": everything,
    "public": public,
    "sparse": sparse,
}


def package(held: Holding, name: str) -> bytes:
    """What such a recipient gets; the class table goes to who has everything."""
    return write_package(held, PROJECTIONS[name](held), class_table=name == "everything")


def had(held: Holding, name: str) -> Holding:
    """What such a recipient holds."""
    return held.narrowed(PROJECTIONS[name](held))


# From one version to the next

# case, recipient and version before, recipient and version after
DELTAS: Sequence[tuple[str, str, str, str, str]] = [
    ("records appended", "everything", "v1", "everything", "v2"),
    ("a record void", "everything", "v2", "everything", "v3"),
    ("a record edited, the event relabelled", "everything", "v3", "everything", "v4"),
    ("nothing changed", "everything", "v4", "everything", "v5"),
    ("several versions at once", "everything", "v1", "everything", "v5"),
    ("what was appended partly withheld", "public", "v1", "public", "v2"),
    ("something void that was withheld", "sparse", "v2", "sparse", "v3"),
    ("several versions, some withheld", "public", "v1", "public", "v4"),
    ("less than before", "everything", "v1", "public", "v2"),
    ("less than before, nothing new", "public", "v4", "sparse", "v5"),
]


# The file


def history() -> Json:
    """All of it."""
    log = versions()
    return {
        "source": "sharing/README.md; keys, roster and first_seen_at as in seal-refused.json."
        " A recipient holds `held`; `erase` is [first, count, mask], as the sender says it",
        "event": EVENT,
        "issuer": ISSUER,
        "versions": [_version(log[name], name, append, void) for name, append, void in _steps(log)],
        "projections": [_projection(log, name, whose) for name in log for whose in PROJECTIONS],
        "deltas": [_delta(log, *row) for row in DELTAS],
        "merges": [_merged(log["v1"], *row) for row in MERGES],
    }


def _steps(log: Mapping[str, Holding]) -> Iterator[tuple[str, Sequence[Record], list[int]]]:
    yield "v1", RECORDS, []
    held = log["v1"]
    for name, append, void in STEPS:
        yield name, append, [place_of(held, what) for what in void]
        held = log[name]
    yield "epoch 1", [], []


def _version(held: Holding, name: str, append: Sequence[Record], void: Sequence[int]) -> Json:
    seed, class_salt = secrets_of(name)
    return {
        "version": name,
        "S": seed.hex(),
        "csalt": class_salt.hex(),
        "append": told(append),
        "void": void,
        "payload": held.payload.decode(),
        "seal": held.statement.seal,
    }


def _projection(log: Mapping[str, Holding], name: str, whose: str) -> Json:
    held = had(log[name], whose)
    return {
        "name": f"{name} {whose}",
        "map": held.encoded_map.hex(),
        "digest": held.digest,
        "package": package(log[name], whose).decode(),
    }


def _delta(log: Mapping[str, Holding], case: str, mine: str, old: str, wish: str, new: str) -> Json:
    wanted = PROJECTIONS[wish](log[new])
    step = write_delta(
        log[new], Base.of(had(log[old], mine)), wanted, class_table=wish == "everything"
    )
    if step is None:
        raise ValueError(f"{case}: no delta leads there")
    return {
        "case": case,
        "held": f"{old} {mine}",
        "delta": step.raw.decode(),
        "erase": [[run.start, run.count, run.mask] for run in step.erase],
        "makes": f"{new} {wish}",
    }


CHUNK = {**dict.fromkeys(range(31), 1), 31: 0b11}
# Which records of version 1 either of two copies discloses, and under which mask
MERGES: Sequence[tuple[str, Mapping[int, int], Mapping[int, int]]] = [
    ("records of either", {0: 1, 1: 1, 5: 1, 6: 1}, {0: 1, 1: 1, 6: 1, 30: 1}),
    ("slots of one record", {0: 1, 1: 1, 33: 0b01, 35: 0b001}, {0: 1, 1: 1, 33: 0b10, 35: 0b110}),
    ("a whole chunk and a part of it", CHUNK, {0: 1, 1: 1, 3: 1, 20: 1, 32: 1}),
]


def _merged(held: Holding, case: str, left: Mapping[int, int], right: Mapping[int, int]) -> Json:
    copies = [held.narrowed(masks) for masks in (left, right)]
    union = merge(*copies)
    return {
        "case": case,
        "packages": [write_package(copy).decode() for copy in copies],
        "merged": write_package(union).decode(),
        "digest": union.digest,
    }
