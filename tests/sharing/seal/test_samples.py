"""Packages of an independent implementation, valid and altered, with the verdicts they deserve."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sharing.seal.cli import Status, verify_package
from sharing.seal.delta import Base, read_delta, write_delta
from sharing.seal.keys import KeyRegistry
from sharing.seal.package import read_package, write_package
from sharing.seal.verify import verify, verify_delta

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "data" / "seal-samples"
NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"no samples of another implementation: put them in {SAMPLES}"
)


def rows() -> list[dict[str, str]]:
    if not SAMPLES.is_dir():
        return []
    listed: list[dict[str, str]] = json.loads((SAMPLES / "expected.json").read_bytes())["rows"]
    return listed


def prev_of(row: dict[str, str]) -> bytes | None:
    return (SAMPLES / row["prev"]).read_bytes() if row["prev"] else None


def roster() -> bytes:
    return (SAMPLES / "roster.json").read_bytes()


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["file"])
def test_a_package_gets_the_verdict_it_deserves(row: dict[str, str]) -> None:
    raw = (SAMPLES / row["file"]).read_bytes()
    outcome = verify_package(raw, roster(), now=NOW, prev=prev_of(row))
    assert outcome.status is {"accept": Status.DONE, "refuse": Status.REFUSED}[row["verdict"]]


def test_what_another_implementation_wrote_is_written_again_byte_for_byte() -> None:
    registry = KeyRegistry.read(roster())
    accepted = [row for row in rows() if row["verdict"] == "accept"]
    assert len(accepted) > 10
    for row in accepted:
        raw, prev = (SAMPLES / row["file"]).read_bytes(), prev_of(row)
        if prev is None:
            holding = verify(read_package(raw), registry, first_seen_at=NOW).holding
            assert write_package(holding) == raw
            continue
        base = verify(read_package(prev), registry, first_seen_at=NOW).holding
        after = verify_delta(read_delta(raw), registry, first_seen_at=NOW, held=base).holding
        step = write_delta(after, Base.of(base))
        assert step is not None
        assert (step.raw, step.erase) == (raw, ())
