"""Logs of any shape: labels, kinds, slots, texts; and what of them is withheld."""

from itertools import combinations

from hypothesis import strategies as st

from policies.label import CATEGORIES, Label
from policies.tlp import Pap, Tlp
from sharing.seal.holding import Holding
from sharing.seal.labels import addressee_record, label_record
from sharing.seal.records import Header, Kind, Record, SlotType
from tests.sharing.seal.notary import COMMUNITY, NOW, OTHER, sealed, uuid_of

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


def _record(name: int, numbered: list[int], choice: bytes) -> Record:
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
def masks_of(draw: st.DrawFn, holding: Holding) -> dict[int, int]:
    """Any part of what is held that still verifies: label records in use stay."""
    chosen = draw(st.binary(min_size=2 * len(holding.masks), max_size=2 * len(holding.masks)))
    return {
        index: mask
        if holding.records[index].header.kind == Kind.LABEL
        else mask & int.from_bytes(chosen[2 * at : 2 * at + 2])
        for at, (index, mask) in enumerate(holding.masks.items())
    }
