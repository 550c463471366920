"""A declaration holds what was chosen, under its labels, and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from sharing.declaration import cut_declaration
from sharing.seal.holding import Holding
from sharing.seal.package import read_package, write_package
from sharing.seal.records import Kind
from sharing.seal.verify import verify
from tests.sharing.incidents.cassiopee import notified, report_log
from tests.sharing.making import NOW, REGISTRY, sealed

POLICE = "1c9e6a10-54c1-4f55-8a41-94a9d4b2aa09"
DECLARATION = "aaaaaaaa-0000-4000-8000-00000000000e"
REPORT = report_log(notified())
SIDE = {Kind.LABEL, Kind.ADDRESSEE}
THINGS = [n for n, record in REPORT.records.items() if record.header.kind not in SIDE]


@st.composite
def choices(draw: st.DrawFn) -> dict[int, int]:
    """Some records of a report, some slots of each, heads among them."""
    chosen = draw(st.lists(st.sampled_from(THINGS), min_size=1, max_size=6, unique=True))
    return {n: draw(st.integers(0, REPORT.masks[n])) | 1 for n in sorted(chosen)}


def declared(masks: dict[int, int]) -> Holding:
    records = cut_declaration(REPORT, masks, authority=POLICE)
    package = write_package(sealed(records, DECLARATION, log="declaration"))
    return verify(read_package(package), REGISTRY, first_seen_at=NOW).holding


def slots_of(holding: Holding, masks: dict[int, int]) -> set[bytes]:
    return {
        slot
        for index, mask in masks.items()
        for n, slot in enumerate(holding.records[index].slots)
        if mask >> n & 1 and slot is not None
    }


@given(choices())
def test_what_was_chosen_is_in_it_and_nothing_else_with_its_labels(masks: dict[int, int]) -> None:
    made = declared(masks)
    things = {n: r for n, r in made.records.items() if r.header.kind not in SIDE}
    inside = {slot for record in things.values() for slot in record.slots if slot is not None}
    assert inside == slots_of(REPORT, masks)
    for record in things.values():
        for byte in record.header.labels:
            assert made.labels.effective(byte) == REPORT.labels.effective(byte)
            if byte == 0 or byte >= 16:
                assert made.labels.addressees(byte) >= {POLICE}
    assert len(things) == len(masks)
    assert made.statement.live == len(made.records)
