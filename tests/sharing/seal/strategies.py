"""Logs of any shape: labels, kinds, slots, texts; and what of them is withheld."""

from dataclasses import replace
from datetime import timedelta
from itertools import combinations

from hypothesis import strategies as st

from policies.label import CATEGORIES, Label
from policies.tlp import Pap, Tlp
from sharing.seal.holding import HeldRecord, Holding
from sharing.seal.labels import addressee_record, label_record, read_label
from sharing.seal.records import Header, Kind, Record, SlotType
from sharing.seal.salts import Chunk
from tests.sharing.seal.notary import COMMUNITY, NOW, OTHER, again, sealed, uuid_of

LABELS = st.builds(
    Label,
    tlp=st.sampled_from(Tlp),
    pap=st.sampled_from(Pap),
    categories=st.frozensets(st.sampled_from(sorted(CATEGORIES)), max_size=2),
    until=st.sampled_from([None, NOW]),
    only=st.booleans(),
    relay=st.booleans(),
)
CONTENT_KINDS = [kind for kind in Kind if kind not in (Kind.LABEL, Kind.ADDRESSEE)] + [0x42]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text('aé\U0001f600"', max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=3,
)
SHAPES = [types for k in (1, 1, 1, 2, 2, 3, 5, 11) for types in combinations(SlotType, k)]
WORDS = ["x", "Λάρισα", "a\\nb", '\\"', "{[", "\\u0000", "\U0001f600", "/", "\\/"]


def _record(name: object, numbered: list[int], choice: bytes) -> Record:
    """A record whose every property follows from the bytes of `choice`."""
    types = SHAPES[(choice[0] << 8 | choice[1]) % len(SHAPES)]
    bytes_of_labels = [0, 1, 2, 3, 4, 5, *numbered]
    labels = tuple(
        bytes_of_labels[(choice[2] + choice[3] * at) % len(bytes_of_labels)]
        for at, _ in enumerate(types)
    )
    texts = [
        f'{{"text":"{WORDS[(choice[4] + slot) % len(WORDS)]}","mark":"mark-{name}-{slot}"}}'.encode()
        for slot, _ in enumerate(types)
    ]
    if types[0] == SlotType.HEAD:
        texts[0] = texts[0].replace(b"{", b'{"uuid":"%b",' % uuid_of(name).encode(), 1)
    kind = CONTENT_KINDS[choice[5] % len(CONTENT_KINDS)]
    return Record(Header(kind, types, labels), tuple(texts))


@st.composite
def logs(draw: st.DrawFn, most: int = 24) -> list[Record]:
    """Records of a log that can be sealed."""
    numbered = draw(st.lists(st.integers(16, 255), max_size=2, unique=True))
    labelling = [label_record(byte, draw(LABELS)) for byte in [0, *numbered]]
    for byte in [0, *numbered]:
        if draw(st.booleans()):
            labelling.append(addressee_record(byte, party=OTHER))
        if draw(st.booleans()):
            labelling.append(addressee_record(byte, community=COMMUNITY))
    choices = draw(st.lists(st.binary(min_size=6, max_size=6), max_size=most))
    return [*labelling, *(_record(name, numbered, choice) for name, choice in enumerate(choices))]


holdings = logs().map(sealed)


@st.composite
def changes_of(draw: st.DrawFn, held: Holding) -> tuple[list[Record], set[int]]:
    """Records to append to a log and indices that become void.

    Some things are new, some gone, some edited, and some labels mean something else.
    """
    seq = held.statement.seq
    labels = {read_label(record.slots[0] or b"")[0]: index for index, record in _labelling(held)}
    numbered = sorted(labels.keys() - {0})
    live = [i for i, record in held.records.items() if record.header.kind != Kind.LABEL]
    append, void = list[Record](), set[int]()
    for at, choice in enumerate(draw(st.lists(st.binary(min_size=8, max_size=8), max_size=6))):
        what, which = choice[6] % 5, choice[7]
        if what < 2 or not live:
            append.append(_record(f"{seq}-{at}", numbered, choice))
        elif what == 2 and labels:
            byte = sorted(labels)[which % len(labels)]
            void.add(labels.pop(byte))
            until = NOW + timedelta(days=seq)  # so that no two records of one label are alike
            append.append(label_record(byte, replace(draw(LABELS), until=until)))
        else:
            index = live.pop(which % len(live))
            void.add(index)
            if what == 3 and held.records[index].header.kind != Kind.ADDRESSEE:
                append.append(_edited(held.records[index], b"%d" % seq))
    return append, void


def _labelling(held: Holding) -> list[tuple[int, HeldRecord]]:
    return [item for item in held.records.items() if item[1].header.kind == Kind.LABEL]


def _edited(record: HeldRecord, mark: bytes) -> Record:
    """The same thing with other texts."""
    texts = [
        (slot or b"").replace(b'"mark":"', b'"mark":"again-%b-' % mark) for slot in record.slots
    ]
    return Record(record.header, tuple(texts))


@st.composite
def histories(draw: st.DrawFn, most: int = 4) -> list[Holding]:
    """The versions of a log, two or more, as its originator has them."""
    versions = [draw(logs(most=12).map(sealed))]
    for _ in range(draw(st.integers(1, most - 1))):
        append, void = draw(changes_of(versions[-1]))
        versions.append(again(versions[-1], append, void))
    return versions


@st.composite
def masks_of(draw: st.DrawFn, holding: Holding) -> dict[int, int]:
    """Any part of what is held that still verifies: label records in use stay."""
    chosen = draw(st.binary(min_size=2 * len(holding.masks), max_size=2 * len(holding.masks)))
    return {
        index: mask
        if holding.records[index].header.kind == Kind.LABEL
        else mask & int.from_bytes(chosen[2 * at : 2 * at + 2])
        for at, (index, mask) in enumerate(holding.masks.items())
    }


def cut_short(log: Holding, most: int) -> Holding:
    """The same with its seeds said to cover no more than so many records each, as a relay might."""
    chunks = tuple(
        Chunk(chunk.first, min(chunk.count, most), chunk.seed) for chunk in log.disclosure.chunks
    )
    return replace(log, disclosure=replace(log.disclosure, chunks=chunks))
