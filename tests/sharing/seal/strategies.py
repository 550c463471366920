"""Logs of any shape: labels, kinds, slots, texts; and what of them is withheld."""

import json
from collections.abc import Mapping

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
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(
        st.characters(exclude_categories=["Cs", "Cn"]), max_size=8
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("abcé", max_size=3), inner, max_size=2),
    max_leaves=4,
)


def _text(members: Mapping[str, object], *, escaped: bool) -> bytes:
    return json.dumps(members, ensure_ascii=escaped, separators=(",", ":") if escaped else None).encode()


@st.composite
def records(draw: st.DrawFn, name: int, numbered: list[int]) -> Record:
    types = sorted(draw(st.sets(st.sampled_from(SlotType), min_size=1, max_size=4)))
    bytes_of_labels = st.sampled_from([0, 1, 2, 3, 4, 5, *numbered])
    labels = draw(st.lists(bytes_of_labels, min_size=len(types), max_size=len(types)))
    escaped = draw(st.booleans())
    texts = [
        _text({"value": draw(VALUES), "mark": f"mark-{name}-{slot}"}, escaped=escaped)
        for slot, _ in enumerate(types)
    ]
    if types[0] == SlotType.HEAD:
        texts[0] = texts[0].replace(b"{", b'{"uuid":"%b",' % uuid_of(name).encode(), 1)
    kind = draw(st.sampled_from(CONTENT_KINDS))
    return Record(Header(kind, tuple(types), tuple(labels)), tuple(texts))


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
    count = draw(st.integers(0, most))
    return [*labelling, *(draw(records(name, numbered)) for name in range(count))]


holdings = logs().map(sealed)


@st.composite
def masks_of(draw: st.DrawFn, holding: Holding) -> dict[int, int]:
    """Any part of what is held that still verifies: label records in use stay."""
    kept = {}
    for index, mask in holding.masks.items():
        labelling = holding.records[index].header.kind == Kind.LABEL
        kept[index] = mask if labelling else mask & draw(st.integers(0, 0xFFFF))
    return kept
