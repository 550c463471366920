"""Packages of an independent implementation, valid and altered, with the verdicts they deserve."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sharing.errors import RefusedError
from sharing.seal.cli import Status, verify_package
from sharing.seal.keys import KeyRegistry
from sharing.seal.package import read_package, write_package
from sharing.seal.verify import verify

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "data" / "seal-samples"
NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"no samples of another implementation: put them in {SAMPLES}"
)


def rows(*, deltas: bool) -> list[dict[str, str]]:
    if not SAMPLES.is_dir():
        return []
    listed: list[dict[str, str]] = json.loads((SAMPLES / "expected.json").read_bytes())["rows"]
    return [
        row for row in listed if (b'"fise-delta"' in (SAMPLES / row["file"]).read_bytes()) is deltas
    ]


def roster() -> bytes:
    return (SAMPLES / "roster.json").read_bytes()


@pytest.mark.parametrize("row", rows(deltas=False), ids=lambda row: row["file"])
def test_a_package_gets_the_verdict_it_deserves(row: dict[str, str]) -> None:
    raw = (SAMPLES / row["file"]).read_bytes()
    outcome = verify_package(raw, roster(), now=NOW)
    assert outcome.status is {"accept": Status.DONE, "refuse": Status.REFUSED}[row["verdict"]]


@pytest.mark.parametrize("row", rows(deltas=True), ids=lambda row: row["file"])
def test_a_delta_is_refused_as_not_supported_yet(row: dict[str, str]) -> None:
    raw = (SAMPLES / row["file"]).read_bytes()
    with pytest.raises(RefusedError, match="delta packages are not supported yet") as refused:
        read_package(raw)
    assert refused.value.check == 2


def test_what_another_implementation_wrote_is_written_again_byte_for_byte() -> None:
    registry = KeyRegistry.read(roster())
    accepted = [row["file"] for row in rows(deltas=False) if row["verdict"] == "accept"]
    assert len(accepted) > 10
    for name in accepted:
        raw = (SAMPLES / name).read_bytes()
        assert write_package(verify(read_package(raw), registry, first_seen_at=NOW).holding) == raw
