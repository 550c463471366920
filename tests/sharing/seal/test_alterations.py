"""Packages that somebody without a key altered: each case, and the check that refuses it."""

from base64 import urlsafe_b64encode
from itertools import chain

import pytest

from sharing.seal.canonical import read_base64, write_base64
from sharing.seal.package import write_package
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
from tests.sharing.seal.notary import accepted, verified
from tests.sharing.seal.shapes import LATER, NEW

# 0..31 stand under one seed; 50, 72 and 73 are void; of 91 the second slot is withheld.
KEPT = [*range(32), *range(40, 46), *range(64, 70), 90]
MASKS = {at: LATER.masks[at] for at in KEPT} | {91: 0b101}
RAW = write_package(LATER, MASKS)
BARE = write_package(LATER, MASKS, class_table=False)  # or the table would be what disagrees
HEAD: Json = {}
with_head(RAW, HEAD.update)
RECS, HRL, HDR = HEAD["recs"], HEAD["hrl"], HEAD["hdr"]
(FIRST, COUNT, SEED), *_ = HEAD["runs"]
LINES = RAW.split(b"\n")[1:-1]
AT = next(at for at, line in enumerate(LINES) if line.startswith(b"!"))
COMMITMENT = LINES[AT].decode()
SLOT = NEW[1].slots[1]  # what is withheld there
SALT = 16


def recs(*pairs: object) -> Alteration:
    return put("recs", list(pairs))


def swapped(items: list[bytes], one: int, other: int) -> list[bytes]:
    changed = list(items)
    changed[one], changed[other] = items[other], items[one]
    return changed


def commitment(raw: bytes) -> Alteration:
    return text(COMMITMENT.encode(), b"!" + write_base64(raw).encode())


WHAT_IS_DISCLOSED: list[Row] = [
    ("recs null", 2, put("recs", None)),
    ("recs an object", 2, put("recs", {"0": 3})),
    ("recs flat", 2, put("recs", list(chain(*RECS)))),
    ("recs empty", 2, put("recs", [])),
    ("recs triples", 2, put("recs", [[*pair, 0] for pair in RECS])),
    ("recs of texts", 2, put("recs", [[str(start), str(count)] for start, count in RECS])),
    ("recs of floats", 2, put("recs", [[float(start), count] for start, count in RECS])),
    ("recs of booleans", 2, recs([False, 32], *RECS[1:])),
    ("recs count true", 2, recs(*RECS[:-1], [RECS[-1][0], True])),
    ("recs negative", 2, recs([-1, 33], *RECS[1:])),
    ("recs of none", 2, recs(*RECS, [93, 0])),
    ("recs touching", 2, recs([0, 16], [16, 16], *RECS[1:])),
    ("recs overlapping", 2, recs([0, 42], *RECS[1:])),
    ("recs descending", 2, put("recs", RECS[::-1])),
    ("recs twice", 2, recs(RECS[0], *RECS)),
    ("recs huge", 2, recs([0, 1 << 40])),
    ("recs past the largest log", 2, recs(*RECS[:-1], [1 << 20, 1])),
    ("recs up to past the largest log", 2, recs(*RECS[:-1], [(1 << 20) - 1, 2])),
    ("recs past the log", 1, recs(*RECS[:-1], [90, 5])),
    ("recs one later", 5, recs(RECS[0], [41, 6], *RECS[2:])),
    ("recs one earlier", 5, recs(RECS[0], [39, 6], *RECS[2:])),
    ("recs one more", 1, recs(*RECS[:-1], [89, 3])),
    ("recs one less", 1, recs(*RECS[:-1], [90, 1])),
    ("recs over a void record", 4, recs(RECS[0], [45, 6], *RECS[2:])),
    ("hrl null", 2, put("hrl", None)),
    ("hrl odd", 2, turn("hrl", lambda hrl: hrl[:-1])),
    ("hrl past the table", 2, turn("hrl", lambda hrl: [*hrl[:-2], len(HDR), 1])),
    ("hrl negative place", 2, turn("hrl", lambda hrl: [*hrl[:-2], -1, 1])),
    ("hrl place true", 2, turn("hrl", lambda hrl: [*hrl[:2], True, *hrl[3:]])),
    ("hrl place a float", 2, turn("hrl", lambda hrl: [0.0, *hrl[1:]])),
    ("hrl count of none", 2, turn("hrl", lambda hrl: [*hrl, 0, 0])),
    ("hrl negative count", 2, turn("hrl", lambda hrl: [*hrl[:-1], -1])),
    ("hrl huge count", 2, turn("hrl", lambda hrl: [*hrl[:-1], 1 << 40])),
    ("hrl one more", 1, turn("hrl", lambda hrl: [*hrl[:-1], 2])),
    ("hrl one less", 1, turn("hrl", lambda hrl: [hrl[0], hrl[1] - 1, *hrl[2:]])),
    ("hrl not maximal", 2, turn("hrl", lambda hrl: [hrl[0], 1, hrl[0], hrl[1] - 1, *hrl[2:]])),
    ("hrl pairs swapped", 4, turn("hrl", lambda hrl: [*hrl[2:4], *hrl[:2], *hrl[4:]])),
    ("hdr null", 2, put("hdr", None)),
    ("hdr empty", 2, put("hdr", [])),
    ("hdr of numbers", 2, turn("hdr", lambda hdr: [1, *hdr[1:]])),
    ("hdr twice", 2, turn("hdr", lambda hdr: [*hdr[:-1], hdr[0]])),
    ("hdr not used", 2, turn("hdr", lambda hdr: [*hdr, "7f010101"])),
    ("hdr one too few", 2, turn("hdr", lambda hdr: hdr[:-1])),
    ("hdr upper case", 2, turn("hdr", lambda hdr: [hdr[0].upper(), *hdr[1:]])),
    ("hdr odd hex", 2, turn("hdr", lambda hdr: [*hdr[:-1], hdr[-1][:-1]])),
    ("hdr of no bytes", 2, turn("hdr", lambda hdr: [*hdr[:-1], ""])),
    ("hdr without a slot", 2, turn("hdr", lambda hdr: [*hdr[:-1], "0200"])),
    ("hdr of 17 slots", 2, turn("hdr", lambda hdr: [*hdr[:-1], "0211" + "0100" * 17])),
    ("hdr counts one slot more", 2, turn("hdr", lambda hdr: [*hdr[:-1], "0204" + hdr[-1][4:]])),
    ("hdr of kind 0", 2, turn("hdr", lambda hdr: [*hdr[:-1], "00" + hdr[-1][2:]])),
    ("hdr of type 0", 2, turn("hdr", lambda hdr: [*hdr[:-1], "0203000001020210"])),
    ("hdr types descending", 2, turn("hdr", lambda hdr: [*hdr[:-1], "0203010003020210"])),
    ("hdr types equal", 2, turn("hdr", lambda hdr: [*hdr[:-1], "0203010001020210"])),
    ("hdr label 6", 2, turn("hdr", lambda hdr: [*hdr[:-1], "0203010002060310"])),
    ("hdr label 15", 2, turn("hdr", lambda hdr: [*hdr[:-1], "02030100020f0310"])),
    ("hdr label under RED", 2, turn("hdr", lambda hdr: ["0c010105", *hdr[1:]])),
    ("hdr addressee of another type", 2, turn("hdr", lambda hdr: [hdr[0], "0d010201", *hdr[2:]])),
]
HEADERS = {  # of record 91: 02 03, 01 00, 02 10, 03 02
    "kind": "09" + HDR[-1][2:],
    "type": "0203" + "0100" + "0210" + "0402",
    "label stripped": "0203" + "0100" + "0200" + "0302",
    "label loosened": "0203" + "0100" + "0210" + "0301",
    "label of a withheld slot": "0203" + "0100" + "0201" + "0302",
}
LINES_ALTERED: list[Row] = [
    ("lines swapped", 5, lines(lambda all_: swapped(all_, 4, 5))),
    ("first and last line swapped", 2, lines(lambda all_: swapped(all_, 0, AT))),
    ("line lost", 1, lines(lambda all_: all_[:-1])),
    ("line doubled", 1, lines(lambda all_: [*all_, all_[-1]])),
    ("no lines", 1, lines(lambda _: [])),
    ("line in place of another", 5, lines(lambda all_: [*all_[:5], all_[4], *all_[6:]])),
    ("letter edited", 5, text(b".example", b".exampel")),
    ("space in a slot", 5, text(b'{"uuid":', b'{"uuid": ')),
    ("space behind a slot", 5, text(b'.example"}\n', b'.example"} \n')),
    ("space before a slot", 2, text(b"\n{", b"\n {")),
    ("slot no JSON", 5, text(b'"type"', b'"type')),
    ("slot an array", 2, lines(lambda all_: [*all_[:-1], b"[1]"])),
    ("blank line inside", 2, lines(lambda all_: [*all_[:5], b"", *all_[6:]])),
    ("blank line more", 1, lines(lambda all_: [*all_[:5], b"", *all_[5:]])),
    ("blank line at the end", 1, lambda raw: raw + b"\n"),
    ("no line feed at the end", 1, lambda raw: raw[:-1]),
    ("cut", 1, lambda raw: raw[: len(raw) // 2]),
    ("cut behind the head", 1, lambda raw: raw[: raw.index(b"\n") + 1]),
    ("twice", 1, lambda raw: raw + raw),
    ("empty", 1, lambda _: b""),
    ("line feeds alone", 2, lambda _: b"\n\n"),
    ("CRLF", 2, lambda raw: raw.replace(b"\n", b"\r\n")),
    ("CR at the end", 1, lambda raw: raw + b"\r"),
    ("NUL at the end", 1, lambda raw: raw + b"\x00"),
    ("another line end", 1, lambda raw: raw[:-1] + "\u2028".encode()),
    ("commitment of another slot", 5, commitment(bytes(32))),
    ("commitment of 31 bytes", 2, commitment(bytes(31))),
    ("commitment of 33 bytes", 2, commitment(bytes(33))),
    ("commitment of none", 2, commitment(b"")),
    ("commitment unpadded", 2, text(COMMITMENT.encode(), COMMITMENT[:-1].encode())),
    ("commitment padded twice", 2, text(COMMITMENT.encode(), COMMITMENT.encode() + b"=")),
    (
        "commitment spelled otherwise",
        2,
        text(COMMITMENT.encode(), spelled_otherwise(COMMITMENT).encode()),
    ),
    ("commitment in hex", 2, text(COMMITMENT.encode(), b"!" + b"00" * 32)),
    ("commitment behind a space", 2, text(b"\n!", b"\n! ")),
    ("commitment not ASCII", 2, text(COMMITMENT.encode(), "!é".encode())),
    ("slot in place of its commitment", 2, text(COMMITMENT.encode(), SLOT)),
    (
        "slot in place of its commitment, with some salt",
        5,
        both(
            text(COMMITMENT.encode(), SLOT),
            decoded("xs", lambda xs: xs[:-SALT] + bytes(SALT) + xs[-SALT:]),
        ),
    ),
    (
        "one-slot record withheld by a commitment",
        2,
        both(
            lines(lambda all_: [*all_[:32], COMMITMENT.encode(), *all_[33:]]),
            decoded("xs", lambda xs: xs[SALT:]),
        ),
    ),
    (
        "every slot withheld",
        2,
        both(
            lines(lambda all_: [*all_[: AT - 1], *[COMMITMENT.encode()] * 3]),
            decoded("xs", lambda xs: xs[: -2 * SALT]),
        ),
    ),
]
PROOF_AND_SALTS: list[Row] = [
    ("proof empty", 5, put("proof", "")),
    ("proof one less", 5, decoded("proof", lambda proof: proof[:-32])),
    ("proof one less at the front", 5, decoded("proof", lambda proof: proof[32:])),
    ("proof one more", 5, decoded("proof", lambda proof: proof + bytes(32))),
    ("proof twice", 5, decoded("proof", lambda proof: proof * 2)),
    ("proof is the root", 5, put("proof", write_base64(LATER.statement.root))),
    ("proof and root", 5, decoded("proof", lambda proof: proof + LATER.statement.root)),
    ("proof swapped", 5, decoded("proof", lambda p: p[32:64] + p[:32] + p[64:])),
    ("proof bit", 5, decoded("proof", flipped)),
    ("proof of 31 bytes", 2, decoded("proof", lambda proof: proof[:-1])),
    ("proof an array", 2, put("proof", [])),
    (
        "nothing disclosed but the root",
        2,
        both(
            *(put(name, []) for name in ("recs", "hdr", "hrl", "runs")),
            put("xs", ""),
            put("proof", write_base64(LATER.statement.root)),
            lines(lambda _: []),
        ),
    ),
    ("xs empty", 2, put("xs", "")),
    ("xs one less", 2, decoded("xs", lambda xs: xs[:-SALT])),
    ("xs one more", 2, decoded("xs", lambda xs: xs + bytes(SALT))),
    ("xs of odd length", 2, decoded("xs", lambda xs: xs + b"\x00")),
    ("xs a byte less", 2, decoded("xs", lambda xs: xs[:-1])),
    ("xs swapped", 5, decoded("xs", lambda xs: xs[SALT : 2 * SALT] + xs[:SALT] + xs[2 * SALT :])),
    ("xs bit", 5, decoded("xs", flipped)),
    ("runs null", 2, put("runs", None)),
    ("runs empty", 2, put("runs", [])),
    ("runs flat", 2, put("runs", [FIRST, COUNT, SEED])),
    ("runs pairs", 2, put("runs", [[FIRST, COUNT]])),
    ("runs of four", 2, put("runs", [[FIRST, COUNT, SEED, 0]])),
    ("seed bit", 5, put("runs", [[FIRST, COUNT, write_base64(flipped(read_base64(SEED)))]])),
    ("seed of 31 bytes", 2, put("runs", [[FIRST, COUNT, write_base64(bytes(31))]])),
    ("seed of 33 bytes", 2, put("runs", [[FIRST, COUNT, write_base64(bytes(33))]])),
    ("seed null", 2, put("runs", [[FIRST, COUNT, None]])),
    ("seed twice", 2, put("runs", [[FIRST, COUNT, SEED]] * 2)),
    ("seed of no record", 2, put("runs", [[FIRST, COUNT, SEED], [FIRST + COUNT, 0, SEED]])),
    ("seed of 33 records", 2, put("runs", [[0, 33, SEED]])),
    ("seed of true", 2, put("runs", [[FIRST, COUNT, SEED], [40, True, SEED]])),
    ("seed of a negative record", 2, put("runs", [[-1, 2, SEED], [FIRST, COUNT, SEED]])),
    ("seed past the log", 2, put("runs", [[FIRST, COUNT, SEED], [94, 1, SEED]])),
    ("seed of a withheld record", 2, put("runs", [[FIRST, COUNT, SEED], [46, 1, SEED]])),
    ("seed of a void record", 2, put("runs", [[FIRST, COUNT, SEED], [50, 1, SEED]])),
    ("seed of a withheld slot", 2, put("runs", [[FIRST, COUNT, SEED], [91, 1, SEED]])),
    (
        "seed of a withheld slot, and a salt less",
        2,
        both(
            put("runs", [[FIRST, COUNT, SEED], [91, 1, SEED]]),
            decoded("xs", lambda xs: xs[:-SALT]),
        ),
    ),
    (
        "seed across what is withheld, and no salts",
        2,
        both(
            put("runs", [[FIRST, COUNT - 1, SEED], [31, 10, SEED]]),
            decoded("xs", lambda xs: xs[9 * SALT :]),
        ),
    ),
    ("seeds descending", 2, put("runs", [[16, 16, SEED], [0, 16, SEED]])),
    ("seeds overlapping", 2, put("runs", [[0, 17, SEED], [16, 16, SEED]])),
    ("seed of two chunks", 5, put("runs", [[0, 16, SEED], [16, 16, SEED]])),
    (
        "seed and salts at once",
        2,
        decoded("xs", lambda xs: bytes(COUNT * SALT) + xs),
    ),
    (
        "seed also of a record with a salt",
        5,
        both(
            put("runs", [[FIRST, COUNT, SEED], [40, 1, SEED]]),
            decoded("xs", lambda xs: xs[SALT:]),
        ),
    ),
]
SIDE_TABLES: list[Row] = [
    ("void empty", 4, put("void", "")),
    ("void bit", 4, decoded("void", flipped)),
    ("void one more", 4, decoded("void", lambda void: void + b"\x00")),
    ("void one less", 4, decoded("void", lambda void: void[:-1])),
    ("void cut in a number", 2, decoded("void", lambda void: void + b"\x80")),
    ("void with a long number", 2, decoded("void", lambda void: void + b"\x80\x00")),
    ("void past the largest log", 2, decoded("void", lambda void: void + b"\xff\xff\xff\x7f")),
    ("void of six bytes", 2, decoded("void", lambda void: void + b"\xff\xff\xff\xff\xff\x01")),
    ("void null", 2, put("void", None)),
    ("void an array", 2, put("void", [50, 72, 73])),
    ("cls null", 2, put("cls", None)),
    ("cls empty", 2, put("cls", "")),
    ("cls its salt alone", 4, decoded("cls", lambda cls: cls[:16])),
    ("cls shorter than its salt", 2, decoded("cls", lambda cls: cls[:15])),
    ("cls of another salt", 4, decoded("cls", lambda cls: bytes(16) + cls[16:])),
    ("cls relabelled", 4, decoded("cls", flipped)),
    ("cls without its last run", 4, decoded("cls", lambda cls: cls[:-5])),
    ("cls cut", 2, decoded("cls", lambda cls: cls[:-1])),
    ("cls a run more", 4, decoded("cls", lambda cls: cls + b"\x01\x7f\x01\x01\x01")),
    ("cls a run of none", 2, decoded("cls", lambda cls: cls + b"\x00\x7f\x01\x01\x01")),
    ("cls a run of too many", 2, decoded("cls", lambda c: c + b"\xff\xff\xff\x7f\x7f\x01\x01\x01")),
    ("cls not maximal", 2, decoded("cls", lambda cls: cls + cls[-5:])),
    ("cls label 7", 2, decoded("cls", lambda cls: cls[:-1] + b"\x07")),
]
ENCODED = ("payload", "void", "xs", "proof", "cls")
HEAD_ALTERED: list[Row] = [
    *((f"{name} missing", 2, lacking(name)) for name in HEAD if name != "cls"),
    *((f"{name} null", 2, put(name, None)) for name in ("payload", "sigs", "xs", "proof")),
    *((f"{name} a number", 2, put(name, 7)) for name in HEAD if name != "fise"),
    *((f"{name} with a space", 2, turn(name, lambda value: f" {value}")) for name in ENCODED),
    *((f"{name} with a line feed", 2, turn(name, lambda value: f"{value}\n")) for name in ENCODED),
    *((f"{name} padded once more", 2, turn(name, lambda value: f"{value}=")) for name in ENCODED),
    ("fise 2", 2, put("fise", 2)),
    ("fise 0", 2, put("fise", 0)),
    ("fise true", 2, put("fise", True)),
    ("fise 1.0", 2, put("fise", 1.0)),
    ("fise a text", 2, put("fise", "1")),
    ("fise null", 2, put("fise", None)),
    ("a member more", 2, put("note", 1)),
    ("a recipient", 2, put("to", "9a1b5c77-3e0d-4f0e-8f5a-5f6f1f9b7c22")),
    ("package and delta", 2, put("fise-delta", 1)),
    ("a delta", 2, text(b'"fise"', b'"fise-delta"')),
    ("name twice", 2, text(b'{"fise":1', b'{"fise":1,"fise":1')),
    ("name twice, once escaped", 2, text(b'{"fise":1', b'{"fise":1,"\\u0066ise":1')),
    ("version upper case", 2, text(b'"fise"', b'"FISE"')),
    ("head an array", 2, lambda raw: b"[" + raw.replace(b"\n", b"]\n", 1)),
    ("head twice", 1, lambda raw: raw[: raw.index(b"\n") + 1] + raw),
    ("comma at the end", 2, text(b"}\n", b",}\n")),
    ("a comment", 2, text(b"}\n", b"}//\n")),
    ("byte order mark", 2, lambda raw: b"\xef\xbb\xbf" + raw),
    ("line feed first", 2, lambda raw: b"\n" + raw),
    ("space first", 2, lambda raw: b" " + raw),
    ("not UTF-8", 2, text(b'"void"', b'"vo\xffid"')),
    ("payload bit", 2, decoded("payload", flipped)),
    ("payload empty", 2, put("payload", "")),
    ("payload of spaces", 2, decoded("payload", lambda payload: payload + b" ")),
    ("payload in other words", 3, decoded("payload", lambda raw: raw.replace(b":", b": ", 1))),
]


@rows([*WHAT_IS_DISCLOSED, *LINES_ALTERED, *PROOF_AND_SALTS, *SIDE_TABLES, *HEAD_ALTERED])
def test_an_altered_package_is_refused(check: int, alter: Alteration) -> None:
    assert refused_by(verified, alter(RAW)) == check


@pytest.mark.parametrize("header", HEADERS.values(), ids=list(HEADERS))
def test_another_header_than_was_signed_is_refused(header: str) -> None:
    """By the class table where it travels, and by the root where it does not."""
    alter = turn("hdr", lambda hdr: [*hdr[:-1], header])
    assert refused_by(verified, alter(RAW)) == 4
    assert refused_by(verified, alter(BARE)) == 5


@pytest.mark.parametrize("name", ENCODED)
def test_base64_has_one_spelling(name: str) -> None:
    """Of bytes that need padding, made so where they do not."""
    raw = write_base64(b"\xfb\xff\xfe\xff")
    for value in (raw.rstrip("="), spelled_otherwise(raw), urlsafe_b64encode(b"\xfb\xff").decode()):
        assert refused_by(verified, put(name, value)(RAW)) == 2


def test_what_is_altered_is_accepted_as_it_stands() -> None:
    assert accepted(RAW)
    assert accepted(BARE)
    assert RECS == [[0, 32], [40, 6], [64, 6], [90, 2]]
    assert (FIRST, COUNT) == (0, 32)
    assert HDR[-1] == "0203" + "0100" + "0210" + "0302"
