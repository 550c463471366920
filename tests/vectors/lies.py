"""`seal-signed.json`: what an originator signed, at the edge of the format and beyond it.

Whatever the case does not name is right about them: signature, tables, root. Who only checks hashes
accepts them all.
"""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence

from sharing.seal.package import write_package
from sharing.seal.records import Record
from sharing.seal.tables import ClassTable, encode_void, void_digest
from tests.vectors.originator import (
    COMMUNITY,
    ISSUER,
    OTHER,
    Json,
    addressee,
    attribute,
    known,
    label,
    lie,
    record,
    uuid_of,
    with_head,
    with_payload,
)

GREEN = label(0, "green")
RAW, RAW_PAYLOAD = write_package(known()), known().payload
HEAD = f'{{"uuid":"{uuid_of("one")}"}}'
SIXTEEN = "0210" + "".join(f"{number:02x}00" for number in range(1, 17))


def slot(text: str, header: str = "02010100") -> bytes:
    """A log with this text as its one attribute."""
    return lie([GREEN, record(header, text)])


def labels(*records: Record) -> bytes:
    """A log with these label and addressee records, and one attribute."""
    return lie([*records, attribute("one")])


def nested(depth: int) -> str:
    """A text of so many objects and arrays, one in the other."""
    return '{"a":' + "[" * (depth - 1) + "]" * (depth - 1) + "}"


def statement(**changed: object) -> bytes:
    """The known-answer package with other members in its statement."""
    members = {**json.loads(RAW_PAYLOAD), **changed}
    return with_payload(RAW, json.dumps(members).encode())


def lacking(name: str) -> bytes:
    """The known-answer package without one member of its statement."""
    members = json.loads(RAW_PAYLOAD)
    del members[name]
    return with_payload(RAW, json.dumps(members).encode())


def voiding(*indices: int, live: int) -> bytes:
    """The known-answer package with a void set, signed, while every record is disclosed."""
    encoded = encode_void(indices)
    raw = statement(void=void_digest(encoded).hex(), live=live)
    return with_head(raw, lambda head: {**head, "void": b64encode(encoded).decode()})


def bare(raw: bytes) -> bytes:
    """The package without its class table."""
    return with_head(raw, lambda head: {name: head[name] for name in head if name != "cls"})


def classed(*runs: str) -> bytes:
    """The known-answer package with another class table, signed."""
    table = ClassTable.decode(bytes(16) + bytes.fromhex("".join(runs)))
    raw = statement(classes=table.digest.hex())
    return with_head(raw, lambda head: {**head, "cls": b64encode(table.encode()).decode()})


STRICT = label(16, "amber", only=True, relay=False)
TWO_LABELS = record("0202010002" + "11", HEAD, "{}")
NO_NUMBER = GREEN.slots[0].decode().replace('"label":0', '"label":true')
CAPITALS = HEAD.upper().replace("UUID", "uuid")
TABLE = ("010c010101", "0101010100", "01020201000203", "0102010104")

ACCEPTED: dict[str, bytes] = {
    "a slot of no members": slot("{}"),
    "spaces within a slot": slot('{ "a" : [ 1 , 2.5 , null ] }'),
    "text beyond the basic plane": slot('{"a":"\U0001f600","b":"\\ud83d\\ude00"}'),
    "names that differ in case": slot('{"a":1,"A":1}'),
    "nested 32 deep": slot(nested(32)),
    "kind and type that nobody knows": slot("{}", "4201f000"),
    "sixteen slots": lie([GREEN, record(SIXTEEN, HEAD, *["{}"] * 15)]),
    "a pad": slot('{"pad":"0000"}', "7f010101"),
    "one uuid under two kinds": lie([GREEN, attribute("one"), record("03010100", HEAD)]),
    "one uuid, once void": lie([GREEN, attribute("one"), attribute("one")], void=[1]),
    "a label that is not used": labels(GREEN, STRICT),
    "a category that nobody knows": labels(label(0, "green", categories=["weather"])),
    "an embargo with an offset": labels(label(0, "green", until="2026-11-22T14:00:00.5+01:00")),
    "one organisation under two labels": labels(
        GREEN, STRICT, addressee(0, party=OTHER), addressee(16, party=OTHER)
    ),
    "payload with spaces": with_payload(RAW, RAW_PAYLOAD.replace(b",", b", ")),
    "payload in another order": with_payload(
        RAW, json.dumps(json.loads(RAW_PAYLOAD), sort_keys=True).encode()
    ),
    "iat with an offset": statement(iat="2026-11-22T15:00:00.25+02:00"),
    "the last epoch and seq": statement(epoch=2**32 - 1, seq=2**32 - 1),
    "a note": statement(log="note"),
    "as many void as may be": lie([GREEN] * 2 + [attribute("one")] * 1024, void=range(1, 1025)),
}
REFUSED: Sequence[tuple[int, str, bytes]] = [
    (2, "payload is no object", with_payload(RAW, b"[]")),
    (2, "payload after a space", with_payload(RAW, b" " + RAW_PAYLOAD)),
    (2, "statement with a name twice", with_payload(RAW, b'{"epoch":0,' + RAW_PAYLOAD[1:])),
    (2, "statement of another type", statement(_type="fisn.seal/2")),
    (2, "statement with another hash", statement(hash="sha2-512")),
    (2, "statement of an unknown log", statement(log="diary")),
    (2, "statement with an unknown member", statement(note=1)),
    *[(2, f"statement without {name}", lacking(name)) for name in json.loads(RAW_PAYLOAD)],
    (2, "event not a uuid", statement(event="6f0c6a1e")),
    (2, "event in upper case", statement(event="6F0C6A1E-1111-4222-8333-444455556666")),
    (2, "epoch -1", statement(epoch=-1)),
    (2, "epoch 2^32", statement(epoch=2**32)),
    (2, "epoch true", statement(epoch=True)),
    (2, "seq 0", statement(seq=0)),
    (2, "seq 1.0", statement(seq=1.0)),
    (2, "seq a text", statement(seq="1")),
    (2, "size 0", statement(size=0)),
    (2, "size over 2^20", statement(size=2**20 + 1)),
    (2, "root in upper case", statement(root=known().statement.root.hex().upper())),
    (2, "root of 31 bytes", statement(root="00" * 31)),
    (2, "root null", statement(root=None)),
    (2, "prev an empty text", statement(prev="")),
    (2, "iat without an offset", statement(iat="2026-11-22T13:00:00")),
    (2, "iat a number", statement(iat=1795352400)),
    (2, "iat on no day", statement(iat="2026-02-30T13:00:00Z")),
    (2, "no keys", statement(keys=[])),
    (2, "a key twice", statement(keys=2 * known().statement.keys)),
    (2, "key id of 42 letters", statement(keys=["A" * 42])),
    (2, "key id of other letters", statement(keys=["+" * 43])),
    (2, "seventeen keys", statement(keys=[f"{number:A>43}" for number in range(17)])),
    (3, "another key than the one that signed", statement(keys=["A" * 43])),
    (3, "another organisation", statement(iss=OTHER)),
    (4, "live one too many", statement(live=5)),
    (4, "live one too few", statement(live=3)),
    (4, "void set not that of the package", statement(void="00" * 32)),
    (4, "void record that is disclosed", voiding(3, live=3)),
    (4, "void record beyond the log", voiding(4, live=3)),
    (
        4,
        "one void record too many",
        lie([GREEN] * 2 + [attribute("one")] * 1025, void=range(1, 1026)),
    ),
    (4, "class table not that of the package", statement(classes="00" * 32)),
    (4, "class table of fewer records", classed(*TABLE[:3])),
    (4, "class table of more records", classed(*TABLE[:3], "0202010104")),
    (4, "class table of another label", classed(*TABLE[:3], "0102010105")),
    (4, "class table of another kind", classed(*TABLE[:3], "0103010104")),
    (4, "class table in another order", classed(TABLE[0], TABLE[2], TABLE[1], TABLE[3])),
    (5, "root of another log", statement(root="00" * 32)),
    (5, "size of a longer log", bare(statement(size=5, live=5))),
    (7, "name twice", slot('{"a":1,"a":1}')),
    (7, "name twice, once escaped", slot('{"a":1,"\\u0061":2}')),
    (7, "name twice, further in", slot('{"a":[{"b":1,"b":2}]}')),
    (7, "name twice, the number longer", slot('{"a":1,"a":1e9}')),
    (7, "two objects", slot('{"a":1}{"b":2}')),
    (7, "comma at the end", slot('{"a":1,}')),
    (7, "no JSON number", slot('{"a":NaN}')),
    (7, "no UTF-8", slot('{"a":"\udcff"}')),
    (7, "UTF-8 of a surrogate", slot('{"a":"\udced\udca0\udc80"}')),
    (7, "UTF-8 longer than needed", slot('{"a":"\udcc0\udc80"}')),
    (7, "lone surrogate", slot('{"a":"\\ud800"}')),
    (7, "noncharacter", slot('{"a":"\ufdd0"}')),
    (7, "noncharacter, escaped", slot('{"a":"\\uffff"}')),
    (7, "nested 33 deep", slot(nested(33))),
    (7, "a tab in a text", slot('{"a":"\t"}')),
    (7, "uuid twice", lie([GREEN, attribute("one"), attribute("one")])),
    (
        7,
        "uuid twice, once in upper case",
        lie([GREEN, record("02010100", HEAD), record("02010100", CAPITALS)]),
    ),
    (7, "uuid a number", slot('{"uuid":7}')),
    (7, "no label record", lie([attribute("one")])),
    (7, "no label record for 0", labels(STRICT)),
    (7, "no label record for a byte in use", lie([GREEN, attribute("one", 16)])),
    (7, "no label record for a withheld slot", lie([GREEN, TWO_LABELS], masks={0: 1, 1: 1})),
    (7, "label record twice", labels(GREEN, label(0, "clear"))),
    (7, "label record for 5", labels(GREEN, label(5, "clear"))),
    (7, "label record for 256", labels(GREEN, label(256, "clear"))),
    (7, "label record for true", labels(record("0c010101", NO_NUMBER))),
    (7, "label record of no colour", labels(label(0, "white"))),
    (7, "label record of a colour in capitals", labels(label(0, "GREEN"))),
    (7, "label record of no PAP colour", labels(label(0, "green", pap="amber+strict"))),
    (7, "categories a text", labels(label(0, "green", categories="personal"))),
    (7, "category a number", labels(label(0, "green", categories=[1]))),
    (7, "embargo on no instant", labels(label(0, "green", until="tomorrow"))),
    (7, "only a text", labels(label(0, "green", only="no"))),
    (7, "relay null", labels(label(0, "green", relay=None))),
    (7, "label record of unknown members", labels(label(0, "green", note=1))),
    (7, "addressee twice", labels(GREEN, addressee(0, party=OTHER), addressee(0, party=OTHER))),
    (7, "addressee of no one", labels(GREEN, addressee(0))),
    (7, "addressee of two", labels(GREEN, addressee(0, party=OTHER, community=COMMUNITY))),
    (7, "addressee in upper case", labels(GREEN, addressee(0, party=OTHER.upper()))),
    (7, "addressee under 3", labels(GREEN, addressee(3, party=OTHER))),
]


# Whom the source addresses, which only a recipient can check

AMBER = lie([label(0, "amber"), addressee(0, party=OTHER), attribute("one")])
ONLY = lie([label(0, "green", only=True), addressee(0, community=COMMUNITY), attribute("one")])
COLOUR = lie([GREEN, addressee(0, party=OTHER), attribute("one", 5)])
NUMBERED = lie([GREEN, STRICT, addressee(16, community=COMMUNITY), attribute("one", 16)])
NOBODY = lie([label(0, "red"), attribute("one")])
STRANGER = uuid_of("a stranger")
# package, organisation, its communities, whether it is addressed
ADDRESSED: Mapping[str, tuple[bytes, str, Sequence[str], bool]] = {
    "AMBER, to whom it names": (AMBER, OTHER, [], True),
    "AMBER, to another": (AMBER, STRANGER, [COMMUNITY], False),
    "AMBER, to its originator": (AMBER, ISSUER, [], True),
    "only, to the community it names": (ONLY, STRANGER, [COMMUNITY], True),
    "only, to one outside": (ONLY, OTHER, [], False),
    "RED by its own byte, to whom the event names": (COLOUR, OTHER, [], True),
    "RED by its own byte, to another": (COLOUR, STRANGER, [], False),
    "a label of its own, to whom it names": (NUMBERED, OTHER, [COMMUNITY], True),
    "a label of its own, to another": (NUMBERED, OTHER, [], False),
    "RED that names nobody": (NOBODY, OTHER, [COMMUNITY], False),
}


def signed() -> Json:
    """The file."""
    return {
        "source": "packages signed by the key of seal.json over what the case says; `check` is that"
        " of sharing/README.md, Verify, null where it is accepted; `me` is who receives, where that"
        " matters; roster and first_seen_at as in seal-refused.json",
        "packages": list(_rows()),
    }


def _rows() -> Iterator[Json]:
    for case, raw in ACCEPTED.items():
        yield {"case": case, "check": None, **_text(raw)}
    for check, case, raw in REFUSED:
        yield {"case": case, "check": check, **_text(raw)}
    for case, (raw, org, communities, named) in ADDRESSED.items():
        me: Json = {"org": org, "communities": list(communities)}
        yield {"case": case, "check": None if named else 7, "me": me, **_text(raw)}


def _text(raw: bytes) -> Json:
    """The package as a text, or in base64 where it is none."""
    try:
        return {"package": raw.decode()}
    except UnicodeDecodeError:
        return {"package_base64": b64encode(raw).decode()}
