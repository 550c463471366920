"""Deltas that were altered, or are signed and wrong: each case, and the check that refuses it."""

import pytest

from sharing.seal.canonical import read_base64, write_base64
from sharing.seal.delta import read_delta
from sharing.seal.holding import Holding
from sharing.seal.package import read_package, write_package
from tests.sharing.seal.altering import (
    Alteration,
    Json,
    Row,
    both,
    decoded,
    flipped,
    lacking,
    lines,
    put,
    refused_by,
    rows,
    spelled_otherwise,
    text,
    turn,
    with_head,
)
from tests.sharing.seal.notary import (
    sealed,
    updated,
)
from tests.sharing.seal.shapes import HELD, LATER, LONG, SHAPES

# 90 records are held; 50, 72 and 73 become void and four are appended, which have headers 0, 1, 2
# and 3 in ALL. In PART the third is withheld, and the second slot of the second.
ALL, PART = SHAPES["delta"].raw, SHAPES["delta, partly withheld"].raw
HEAD: Json = {}
with_head(PART, HEAD.update)
SIZE = HELD.statement.size
LEAF, TAIL, BASE = HEAD["tail"][2], HEAD["tail"], HEAD["base"]
SEED = read_delta(ALL).disclosure.chunks[0].seed
COMMITMENT = PART.split(b"\n")[3]
SALT = 16


def tail(*entries: object) -> Alteration:
    return put("tail", list(entries))


def runs(*chunks: tuple[object, object, bytes]) -> Alteration:
    return put("runs", [(first, count, write_base64(seed)) for first, count, seed in chunks])


def nodes(*hashes: bytes) -> str:
    return write_base64(b"".join(hashes))


def frontier_of(size: int) -> tuple[bytes, ...]:
    frontier = LONG.tree.frontier(size)
    assert frontier is not None
    return frontier.hashes


WHERE_IT_STARTS: list[Row] = [
    ("from less", 1, put("from", SIZE - 1)),
    ("from more", 1, put("from", SIZE + 1)),
    ("from zero", 2, put("from", 0)),
    ("from negative", 2, put("from", -1)),
    ("from null", 2, put("from", None)),
    ("from true", 2, put("from", True)),
    ("from a float", 2, put("from", float(SIZE))),
    ("from a text", 2, put("from", str(SIZE))),
    ("from past the largest log", 2, put("from", (1 << 20) + 1)),
    (
        "from less, and a record more",
        6,
        both(
            put("from", SIZE - 1),
            tail(nodes(LONG.tree.node(0, SIZE - 1) or b""), *TAIL),
            put("frontier", nodes(*frontier_of(SIZE - 1))),
        ),
    ),
    ("base null", 2, put("base", None)),
    ("base empty", 2, put("base", "")),
    ("base a number", 2, put("base", 0)),
    ("base upper case", 2, put("base", BASE.upper())),
    ("base cut", 2, put("base", BASE[:-2])),
    ("base in base64", 2, put("base", write_base64(bytes.fromhex(BASE)))),
    ("base of zeros", 6, put("base", "00" * 32)),
    ("base of another log", 6, put("base", sealed().statement.seal)),
    ("base is its own seal", 6, put("base", LATER.statement.seal)),
    ("frontier short", 5, decoded("frontier", lambda hashes: hashes[:-32])),
    ("frontier short at the front", 5, decoded("frontier", lambda hashes: hashes[32:])),
    ("frontier long", 5, decoded("frontier", lambda hashes: hashes + bytes(32))),
    ("frontier empty", 5, put("frontier", "")),
    ("frontier is the root", 5, put("frontier", nodes(HELD.statement.root))),
    ("frontier reordered", 5, put("frontier", nodes(*frontier_of(SIZE)[::-1]))),
    ("frontier bit", 5, decoded("frontier", flipped)),
    ("frontier of another size", 5, put("frontier", nodes(*frontier_of(SIZE - 3)))),
    ("frontier a byte less", 2, decoded("frontier", lambda hashes: hashes[:-1])),
    ("frontier unpadded", 2, turn("frontier", lambda hashes: hashes.rstrip("="))),
    ("frontier spelled otherwise", 2, turn("frontier", spelled_otherwise)),
    ("frontier null", 2, put("frontier", None)),
    ("frontier an array", 2, put("frontier", [nodes(*frontier_of(SIZE))])),
]
WHAT_BECAME_VOID: list[Row] = [
    ("void+ missing", 2, lacking("void+")),
    ("void+ empty", 4, put("void+", [])),
    ("void+ one less", 4, put("void+", [50, 72])),
    ("void+ one more", 4, put("void+", [50, 72, 73, 74])),
    ("void+ another", 4, put("void+", [50, 72, 74])),
    ("void+ a withheld record of the tail too", 4, put("void+", [50, 72, 73, 92])),
    ("void+ a disclosed record of the tail too", 4, put("void+", [50, 72, 73, 90])),
    ("void+ past the log", 4, put("void+", [50, 72, 73, 94])),
    ("void+ past the largest log", 2, put("void+", [50, 72, 73, 1 << 20])),
    ("void+ descending", 2, put("void+", [73, 72, 50])),
    ("void+ twice", 2, put("void+", [50, 72, 72, 73])),
    ("void+ negative", 2, put("void+", [-1, 50, 72, 73])),
    ("void+ true", 2, put("void+", [True, 50, 72, 73])),
    ("void+ a float", 2, put("void+", [50.0, 72, 73])),
    ("void+ a text", 2, put("void+", ["50", 72, 73])),
    ("void+ runs", 2, put("void+", [[50, 1], [72, 2]])),
    ("void+ null", 2, put("void+", None)),
    ("void+ a number", 2, put("void+", 50)),
    ("void+ in base64", 2, put("void+", "MhUA")),
]
WHAT_IS_APPENDED: list[Row] = [
    ("tail null", 2, put("tail", None)),
    ("tail empty", 2, tail()),
    ("tail one less", 1, tail(*TAIL[:2], TAIL[3])),
    ("tail one more", 1, tail(*TAIL, LEAF)),
    ("tail past the headers", 2, tail(*TAIL[:3], 3)),
    ("tail negative", 2, tail(*TAIL[:3], -1)),
    ("tail true", 2, tail(0, True, *TAIL[2:])),
    ("tail a float", 2, tail(0.0, *TAIL[1:])),
    ("tail null in it", 2, tail(*TAIL[:2], None, TAIL[3])),
    ("tail an array in it", 2, tail(*TAIL[:2], [LEAF], TAIL[3])),
    ("tail leaf empty", 2, tail(*TAIL[:2], "", TAIL[3])),
    ("tail leaf of 31 bytes", 2, tail(*TAIL[:2], write_base64(bytes(31)), TAIL[3])),
    ("tail leaf of 33 bytes", 2, tail(*TAIL[:2], write_base64(bytes(33)), TAIL[3])),
    ("tail leaf unpadded", 2, tail(*TAIL[:2], LEAF.rstrip("="), TAIL[3])),
    ("tail leaf spelled otherwise", 2, tail(*TAIL[:2], spelled_otherwise(LEAF), TAIL[3])),
    ("tail leaf in hex", 2, tail(*TAIL[:2], read_base64(LEAF).hex(), TAIL[3])),
    ("tail leaf bit", 5, tail(*TAIL[:2], write_base64(flipped(read_base64(LEAF))), TAIL[3])),
    ("tail leaf in another place", 4, tail(0, LEAF, 1, 2)),
    ("tail leaf of a disclosed record", 2, tail(LEAF, *TAIL[1:])),
    ("tail entries swapped", 4, tail(1, 0, *TAIL[2:])),
    ("hdr null", 2, put("hdr", None)),
    ("hdr not used", 2, turn("hdr", lambda hdr: [*hdr, "7f010101"])),
    ("hdr twice", 2, both(turn("hdr", lambda hdr: [*hdr, hdr[0]]), tail(3, *TAIL[1:]))),
    ("hdr upper case", 2, turn("hdr", lambda hdr: [*hdr, "7F010101"])),
    ("hdr of label 6", 2, turn("hdr", lambda hdr: [*hdr[:-1], "02010106"])),
    ("hdr of no slot", 2, turn("hdr", lambda hdr: [*hdr[:-1], "0200"])),
    ("hdr swapped", 4, turn("hdr", lambda hdr: [hdr[1], hdr[2], hdr[0]])),
    ("xs one less", 2, decoded("xs", lambda xs: xs[:-SALT])),
    ("xs one more", 2, decoded("xs", lambda xs: xs + bytes(SALT))),
    ("xs a byte less", 2, decoded("xs", lambda xs: xs[:-1])),
    ("xs empty", 2, put("xs", "")),
    ("xs bit", 5, decoded("xs", flipped)),
    ("xs swapped", 5, decoded("xs", lambda xs: xs[SALT : 2 * SALT] + xs[:SALT] + xs[2 * SALT :])),
    ("seed of a held record", 2, runs((5, 1, SEED))),
    ("seed of held and appended", 2, runs((SIZE - 1, 2, SEED))),
    ("seed of a withheld record", 2, runs((SIZE + 2, 1, SEED))),
    ("seed up to a withheld record", 2, runs((SIZE, 3, SEED))),
    ("seed of a withheld slot", 2, runs((SIZE + 1, 1, SEED))),
    ("seed of a void record", 2, runs((72, 1, SEED))),
    ("seed past the log", 2, runs((SIZE + 4, 1, SEED))),
    ("seed beside the salt", 2, runs((SIZE, 1, SEED))),
    ("line missing", 1, lines(lambda all_: all_[:-1])),
    ("line added", 1, lines(lambda all_: [*all_, b"{}"])),
    ("line doubled", 1, lines(lambda all_: [*all_, all_[-1]])),
    ("no lines", 1, lines(lambda _: [])),
    ("lines swapped", 5, lines(lambda all_: [*all_[:3], all_[4], all_[3]])),
    ("line edited", 5, text(b".example", b".exampel")),
    ("line no JSON", 5, text(b'"type"', b'"type')),
    ("line an array", 2, lines(lambda all_: [*all_[:-1], b"[1]"])),
    ("blank line inside", 2, lines(lambda all_: [*all_[:-1], b""])),
    ("blank line at the end", 1, lambda raw: raw + b"\n"),
    ("no line feed at the end", 1, lambda raw: raw[:-1]),
    ("cut", 1, lambda raw: raw[: len(raw) // 2]),
    ("twice", 1, lambda raw: raw * 2),
    ("CRLF", 2, lambda raw: raw.replace(b"\n", b"\r\n")),
    ("commitment of another slot", 5, text(COMMITMENT, b"!" + write_base64(bytes(32)).encode())),
    ("commitment of 31 bytes", 2, text(COMMITMENT, b"!" + write_base64(bytes(31)).encode())),
    ("commitment unpadded", 2, text(COMMITMENT, COMMITMENT[:-1])),
    ("slot in place of its commitment", 2, text(COMMITMENT, b'{"comment":"ward 3"}')),
    (
        "one-slot record withheld by a commitment",
        2,
        both(
            lines(lambda all_: [COMMITMENT, *all_[1:]]),
            decoded("xs", lambda xs: xs[SALT:]),
        ),
    ),
    (
        "every slot withheld",
        2,
        both(
            lines(lambda all_: [all_[0], *[COMMITMENT] * 3, all_[-1]]),
            decoded("xs", lambda xs: xs[:SALT] + xs[3 * SALT :]),
        ),
    ),
]
HEAD_ALTERED: list[Row] = [
    *((f"{name} missing", 2, lacking(name)) for name in HEAD if name not in ("cls", "void+")),
    *((f"{name} an object", 2, put(name, {})) for name in HEAD),
    ("package and delta", 2, put("fise", 1)),
    ("a package", 2, text(b'"fise-delta"', b'"fise"')),
    ("version 2", 2, put("fise-delta", 2)),
    ("version 0", 2, put("fise-delta", 0)),
    ("version true", 2, put("fise-delta", True)),
    ("version 1.0", 2, put("fise-delta", 1.0)),
    ("version a text", 2, put("fise-delta", "1")),
    ("version null", 2, put("fise-delta", None)),
    ("a member more", 2, put("erase", [])),
    *((f"{name} of a package", 2, put(name, "")) for name in ("void", "recs", "hrl", "proof")),
    ("name twice", 2, text(b'{"fise-delta":1', b'{"fise-delta":1,"fise-delta":1')),
    ("head an array", 2, lambda raw: b"[" + raw.replace(b"\n", b"]\n", 1)),
    ("byte order mark", 2, lambda raw: b"\xef\xbb\xbf" + raw),
    ("payload bit", 2, decoded("payload", flipped)),
    ("payload in other words", 3, decoded("payload", lambda raw: raw.replace(b":", b": ", 1))),
    ("payload of the base", 1, put("payload", write_base64(HELD.payload))),
    ("signature bit", 3, turn("sigs", lambda s: [s[0] | {"sig": "A" + s[0]["sig"][1:]}])),
    ("no signature", 3, put("sigs", [])),
    ("signatures of the base", 3, turn("sigs", lambda _: _sigs(HELD))),
    ("cls null", 2, put("cls", None)),
    ("cls empty", 2, put("cls", "")),
    ("cls relabelled", 4, decoded("cls", flipped)),
    (
        "cls of the base",
        4,
        put("cls", write_base64(LONG.classes.encode() if LONG.classes else b"")),
    ),
    ("cls of another salt", 4, decoded("cls", lambda cls: bytes(16) + cls[16:])),
    ("cls cut", 2, decoded("cls", lambda cls: cls[:-1])),
]
SEEDED: list[Row] = [
    ("seed bit", 5, runs((SIZE, 4, flipped(SEED)))),
    ("seed of 31 bytes", 2, runs((SIZE, 4, SEED[:-1]))),
    ("seed of two chunks", 5, runs((SIZE, 2, SEED), (SIZE + 2, 2, SEED))),
    ("seeds overlapping", 2, runs((SIZE, 3, SEED), (SIZE + 2, 2, SEED))),
    ("seeds descending", 2, runs((SIZE + 2, 2, SEED), (SIZE, 2, SEED))),
    ("seed of one less", 2, runs((SIZE, 3, SEED))),
    ("seed of one more", 2, runs((SIZE, 5, SEED))),
    ("seed of one earlier", 2, runs((SIZE - 1, 5, SEED))),
    ("seed from the first appended record as 0", 2, runs((0, 4, SEED))),
    ("seed of 33", 2, runs((SIZE, 33, SEED))),
    ("seed of none", 2, runs((SIZE, 4, SEED), (SIZE + 4, 0, SEED))),
    ("seed of true", 2, runs((SIZE, True, SEED))),
    ("seed and salts", 2, put("xs", write_base64(bytes(7 * SALT)))),
    ("no seed", 2, put("runs", [])),
]
HEADERS = {  # of record 91: 02 03, 01 00, 02 10, 03 02
    "kind": "0903" + "0100" + "0210" + "0302",
    "type": "0203" + "0100" + "0210" + "0402",
    "label stripped": "0203" + "0100" + "0200" + "0302",
    "label loosened": "0203" + "0100" + "0210" + "0301",
    "label of a withheld slot": "0203" + "0100" + "0201" + "0302",
}


def _sigs(holding: Holding) -> list[dict[str, str]]:
    return [{"keyid": s.keyid, "sig": write_base64(s.sig)} for s in holding.signatures]


@rows([*WHERE_IT_STARTS, *WHAT_BECAME_VOID, *WHAT_IS_APPENDED, *HEAD_ALTERED])
def test_an_altered_delta_is_refused(check: int, alter: Alteration) -> None:
    assert refused_by(lambda raw: updated(raw, HELD), alter(PART)) == check


@rows(SEEDED)
def test_seeds_are_those_of_what_is_appended(check: int, alter: Alteration) -> None:
    assert refused_by(lambda raw: updated(raw, HELD), alter(ALL)) == check


@pytest.mark.parametrize("header", HEADERS.values(), ids=list(HEADERS))
def test_another_header_than_was_signed_is_refused(header: str) -> None:
    """By the class table where it travels, and by the root where it does not."""
    alter = turn("hdr", lambda hdr: [hdr[0], header, hdr[2]])
    assert refused_by(lambda raw: updated(raw, HELD), alter(PART)) == 4
    assert refused_by(lambda raw: updated(raw, HELD), both(alter, lacking("cls"))(PART)) == 5


def test_a_delta_is_read_as_one_and_a_package_as_one() -> None:
    assert refused_by(read_package, PART) == 2
    assert refused_by(read_delta, write_package(HELD)) == 2
