"""What the seal costs, at each size: time beside others, redaction, appending, bytes, memory.

All times of one size are measured in turns (`turns.py`), the least disturbed round is told.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from node.bench.rivals import JWS, MISSING, RAW, SD_JWT, Rival, is_installed, rivals
from node.bench.subject import (
    REDACTIONS,
    Redaction,
    append_to,
    attributes,
    log_records,
    registry,
    seal_log,
    verify_appended,
    verify_package,
)
from node.bench.turns import Row, Spent, in_turns, peak_bytes
from sharing.seal.holding import Holding
from sharing.seal.keys import KeyRegistry
from sharing.seal.package import read_package, write_package

SIZES = (1_000, 10_000)
ALL_SIZES = (10, 100, 1_000, 10_000, 100_000)

_SEAL, _VERIFY = "seal", "read and verify"
_APPEND, _FOLLOW, _PLACE = "make", "read and verify", "and apply"


@dataclass(frozen=True, slots=True)
class _Shown:
    """One package of the log: what stays, and how it is made and checked."""

    name: str
    raw: bytes
    make: Callable[[], bytes]
    check: Callable[[], object]

    def row(self, size: int, spent: Mapping[str, Spent]) -> Row:
        """Its line of the table; overhead is what is not slots, beside the slots."""
        package = read_package(self.raw)
        return {
            "attributes": f"{size:,}",
            "what stays": self.name,
            "make, ms": _number(spent[f"make {self.name}"].least),
            "read and verify, ms": _number(spent[f"check {self.name}"].least),
            "proof hashes": f"{len(package.proof):,}",
            **_weight(len(self.raw), sum(map(len, package.disclosure.slots))),
        }


@dataclass(frozen=True, slots=True)
class _Sized:
    """The rows of one size, by table."""

    beside: list[Row]
    packages: list[Row]
    append: Row
    memory: Row


def run(sizes: Sequence[int] = SIZES, rounds: int = 9) -> Iterator[tuple[str, Sequence[Row]]]:
    """The tables, each with its title."""
    done = [_measure(size, rounds) for size in sizes]
    others = "" if is_installed() else f". {MISSING}"
    yield f"Seal, beside others, CPU ms{others}", [row for one in done for row in one.beside]
    yield "Packages, full and redacted, CPU ms", [row for one in done for row in one.packages]
    yield "Append 10 attributes, CPU ms", [one.append for one in done]
    yield "Peak memory, in sizes of the full package", [one.memory for one in done]


def _measure(size: int, rounds: int) -> _Sized:
    """One size, everything in turns; memory apart."""
    keys, records = registry(), log_records(size)
    holding = seal_log(records)
    others = rivals(records, holding)
    packages = [_package(holding, keys, redaction) for redaction in (None, *REDACTIONS)]
    make_delta = partial(append_to, holding, attributes(10, seed=8))
    delta = make_delta()
    works: dict[str, Callable[[], object]] = {
        _SEAL: partial(seal_log, records),
        f"append, {_APPEND}": make_delta,
        f"append, {_FOLLOW}": partial(verify_appended, delta, holding, keys),
        f"append, {_PLACE}": lambda: verify_appended(delta, holding, keys).holding,
    }
    for other in others:
        works |= {f"{_SEAL} {other.name}": other.make, f"{_VERIFY} {other.name}": other.check}
    for package in packages:
        works |= {f"make {package.name}": package.make, f"check {package.name}": package.check}
    spent = in_turns(rounds, works)
    spent[_VERIFY] = spent[f"check {packages[0].name}"]
    slots = sum(map(len, holding.disclosure.slots))
    return _Sized(
        beside=[_beside(what, size, spent) for what in (_SEAL, _VERIFY)],
        packages=[package.row(size, spent) for package in packages]
        + [_other_row(size, other, slots, spent) for other in others if other.size_bytes],
        append=_append_row(size, delta, spent),
        memory=_memory(size),
    )


def _package(holding: Holding, keys: KeyRegistry, redaction: Redaction | None) -> _Shown:
    masks = redaction.masks(holding) if redaction else None
    make = partial(write_package, holding, masks)
    raw = make()
    return _Shown(str(redaction or "all"), raw, make, partial(verify_package, raw, keys))


def _beside(what: str, size: int, spent: Mapping[str, Spent]) -> Row:
    ours, raw = spent[what], spent[f"{what} {RAW}"]
    row: Row = {"attributes": f"{size:,}", "what": what, "ours": _number(ours.least)}
    for name in (JWS, SD_JWT):
        other = spent.get(f"{what} {name}")
        row[name] = _number(other.least) if other else ""
        row[f"{name}/ours"] = _number(other.least / ours.least) if other else ""
    row[RAW] = _number(raw.least)
    row["of medians"] = _number(ours.median / raw.median)
    row[f"ours/{RAW}"] = _number(ours.least / raw.least)
    return row


def _other_row(size: int, other: Rival, slots: int, spent: Mapping[str, Spent]) -> Row:
    """What another way makes of all of it, in the table of packages."""
    return {
        "attributes": f"{size:,}",
        "what stays": f"all, as {other.name}",
        "make, ms": _number(spent[f"{_SEAL} {other.name}"].least),
        "read and verify, ms": _number(spent[f"{_VERIFY} {other.name}"].least),
        "proof hashes": "",
        **_weight(other.size_bytes, slots),
    }


def _append_row(size: int, delta: bytes, spent: Mapping[str, Spent]) -> Row:
    times = {what: spent[f"append, {what}"].least for what in (_APPEND, _FOLLOW, _PLACE)}
    return {
        "attributes": f"{size:,}",
        "delta, bytes": f"{len(delta):,}",
        **{what: _number(time) for what, time in times.items()},
    }


def _weight(travels: int, slots: int) -> Row:
    """Bytes that travel, and by how much they are more than the slots they disclose."""
    return {"bytes": f"{travels:,}", "overhead": f"{(travels - slots) / slots:.1%}"}


def _memory(size: int) -> Row:
    """Peaks, what is given included, as multiples of the full package."""
    keys = registry()
    raw = write_package(seal_log(log_records(size)))
    peaks = {
        _SEAL: peak_bytes(lambda: log_records(size), seal_log),
        "write": peak_bytes(lambda: seal_log(log_records(size)), write_package),
        _VERIFY: peak_bytes(lambda: bytes(bytearray(raw)), lambda it: verify_package(it, keys)),
    }
    return {
        "attributes": f"{size:,}",
        "package, bytes": f"{len(raw):,}",
        **{what: _number(peak / len(raw)) for what, peak in peaks.items()},
    }


def _number(number: float) -> str:
    """Three digits that say something."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
