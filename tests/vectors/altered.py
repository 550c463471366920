"""`seal-refused.json`, `seal-altered.json`: packages of `seal.json`, altered without any key.

An alteration is some texts and what stands in their place, so that a reader sees the one thing that
is wrong. The first file is older and stays as it is; what came to mind later is in the other.
"""

import re
from collections.abc import Mapping, Sequence

from sharing.seal.canonical import read_base64, write_base64
from sharing.seal.package import write_package
from tests.vectors.originator import KNOWN_MASKS, ROSTER, Json, known

Alteration = tuple[int, str, str, Mapping[str, str]]  # check, case, package, what replaces what


def classes(runs: str) -> str:
    """A class table in base64."""
    return write_base64(bytes(16) + bytes.fromhex(runs))


PROOF = "IdORRYNyVFDIV9OacCJEs5eIv+UyEvThOGWMBE92m6A="
SALT = "Asa+wEAq3iN4soCJdufDow=="  # of record 0
SALTS = "Asa+wEAq3iN4soCJdufDo57ZuHSqubSAeMjo4N14EscPsyx4V3VRpqexAnpqHPu1"
SEED = "OLi6511kB18pYuJA+/VFs2Ftt1r2mxLBxfKNVfCMt8I="
RUN = f'[0,4,"{SEED}"]'
COMMITMENT = "!Stn+S1vWggNODOEW5qkfjYh9/VMn5QYPCr2FZSjKrTo="
KID = "oFCDfYUHBYLM9zlLCYiEfMMSy4glm4lImfbyOc8XkaU"
SIG = "a0NWJnswWSWisYxb29iCDBgjPKHucjHuP22kaAtuiZpVG2qSbaHGb2E+VAk/Anf6ZkK7Xvi21ls2gRtnYvWlBg=="
SIGNED = f'{{"keyid":"{KID}","sig":"{SIG}"}}'
CLASSES = classes("010c01010101010101000102020100020301" + "02010104")
DOMAIN = '{"type":"domain","value":"evil.example"}\n'
COMMENT = '{"comment":"ext 4711"}'
PHISH = '{"info":"phish"}'
LAST = '{"type":"ip-dst","value":"198.51.100.7"}\n'

FIRST: Sequence[Alteration] = [
    (1, "last LF missing", "full", {LAST: LAST[:-1]}),
    (1, "a line too many", "full", {LAST: LAST + "{}\n"}),
    (1, "a line missing", "full", {LAST: ""}),
    (2, "CRLF", "full", {"\n": "\r\n"}),
    (2, "delta", "full", {'"fise"': '"fise-delta"'}),
    (2, "another version", "full", {'"fise":1': '"fise":2'}),
    (2, "version true", "full", {'"fise":1': '"fise":true'}),
    (2, "version 1.0", "full", {'"fise":1': '"fise":1.0'}),
    (2, "name twice", "full", {'"fise":1': '"fise":1,"fise":1'}),
    (2, "unknown member", "full", {'="}\n': '=","note":1}\n'}),
    (2, "missing member", "full", {'"xs":"",': ""}),
    (2, "void not canonical base64", "full", {'"void":""': '"void":"AB=="'}),
    (2, "proof unpadded", "redacted", {PROOF: PROOF[:-1]}),
    (2, "recs empty", "full", {"[[0,4]]": "[]"}),
    (2, "recs touching", "full", {"[[0,4]]": "[[0,2],[2,2]]"}),
    (1, "recs beyond the log", "full", {"[[0,4]]": "[[1,4]]"}),
    (2, "hrl odd", "full", {"2,1,3,1]": "2,1,3,1,0]"}),
    (2, "hrl for fewer records", "full", {"2,1,3,1]": "2,1]"}),
    (2, "upper-case header", "full", {'"0c010101"': '"0C010101"'}),
    (2, "header twice", "full", {'"02010104"': '"02010104","0c010101"'}),
    (2, "label byte 6", "full", {'"02010104"': '"02010106"'}),
    (2, "types not ascending", "full", {"020201000203": "020202000103"}),
    (
        *(2, "seed over a withheld slot", "redacted"),
        {'"runs":[]': f'"runs":[[0,3,"{SEED}"]]', SALTS: ""},
    ),
    (2, "salts left over", "redacted", {SALTS: SALTS + SALT}),
    (
        *(2, "every slot withheld", "redacted"),
        {SALTS: SALTS[:42] + "c=", DOMAIN: COMMITMENT + "\n"},
    ),
    (3, "signature of another key id", "full", {KID: "A" * len(KID)}),
    (3, "no signature", "full", {SIGNED: ""}),
    (3, "signature bit", "full", {SIG: "b" + SIG[1:]}),
    (4, "another void set", "full", {'"void":""': '"void":"Aw=="'}),
    (4, "another class table", "full", {CLASSES: CLASSES[:-2] + "M="}),
    (5, "slot changed", "full", {"phish": "fishy"}),
    (5, "slots swapped", "full", {PHISH: COMMENT, COMMENT: PHISH}),
    (5, "label loosened", "full", {"green": "clear"}),
    (5, "proof too short", "redacted", {PROOF: ""}),
    (5, "proof too long", "full", {'"proof":""': f'"proof":"{PROOF}"'}),
    (5, "commitment changed", "redacted", {COMMITMENT: "!Stn/" + COMMITMENT[5:]}),
]
MORE: Sequence[Alteration] = [
    (1, "an empty line at the end", "full", {LAST: LAST + "\n"}),
    (1, "hrl for more records", "full", {"2,1,3,1]": "2,1,3,2]"}),
    (2, "head is no object", "full", {'{"fise":1': '[{"fise":1', '="}\n': '="}]\n'}),
    (2, "head after a space", "full", {'{"fise"': ' {"fise"'}),
    (2, "head is no JSON", "full", {'"fise":1,': '"fise":01,'}),
    (2, "CR inside a slot", "full", {'{"info":': '{"info":\r'}),
    (2, "line of another kind", "full", {PHISH: '"phish"'}),
    (2, "line empty", "full", {PHISH: ""}),
    (2, "proof in url base64", "redacted", {PROOF: PROOF.replace("+", "-")}),
    (2, "base64 with a space", "full", {'"void":""': '"void":" "'}),
    (2, "proof of 31 bytes", "redacted", {PROOF: PROOF[:-4] + "mw=="}),
    (2, "void set cut short", "full", {'"void":""': '"void":"gA=="'}),
    (2, "void set with a long varint", "full", {'"void":""': '"void":"gAA="'}),
    (2, "recs null", "full", {"[[0,4]]": "null"}),
    (2, "recs of texts", "full", {"[[0,4]]": '[["0","4"]]'}),
    (2, "recs of three numbers", "full", {"[[0,4]]": "[[0,4,1]]"}),
    (2, "recs with none", "full", {"[[0,4]]": "[[0,0]]"}),
    (2, "recs negative", "full", {"[[0,4]]": "[[-1,4]]"}),
    (2, "recs false", "full", {"[[0,4]]": "[[false,4]]"}),
    (2, "hrl neighbours equal", "full", {"2,1,3,1]": "2,1,2,1,3,1]"}),
    (2, "hrl past the headers", "full", {"2,1,3,1]": "2,1,4,1]"}),
    (2, "hrl with none", "full", {"2,1,3,1]": "2,1,3,0]"}),
    (2, "header never used", "full", {'"02010104"': '"02010104","02010105"'}),
    (2, "header of no slot", "full", {'"02010104"': '"0200"'}),
    (2, "header of 17 slots", "full", {'"02010104"': f'"0211{"0100" * 17}"'}),
    (2, "header cut short", "full", {'"02010104"': '"020101"'}),
    (2, "kind 0", "full", {'"02010104"': '"00010104"'}),
    (2, "type 0", "full", {'"02010104"': '"02010004"'}),
    (2, "types equal", "full", {"020201000203": "020201000103"}),
    (2, "label byte 15", "full", {'"02010104"': '"0201010f"'}),
    (2, "label record under a label", "full", {'"0c010101"': '"0c010100"'}),
    (2, "label record of two slots", "full", {'"0c010101"': '"0c0201010201"'}),
    (2, "label record of another type", "full", {'"0c010101"': '"0c010201"'}),
    (2, "seed of 31 bytes", "full", {SEED: SEED[:-4] + "tw=="}),
    (2, "seed twice", "full", {RUN: f"{RUN},{RUN}"}),
    (2, "seeds overlap", "full", {RUN: f'[0,3,"{SEED}"],[2,2,"{SEED}"]'}),
    (2, "seeds not ascending", "full", {RUN: f'[2,2,"{SEED}"],[0,2,"{SEED}"]'}),
    (2, "seed over 33 records", "full", {RUN: f'[0,33,"{SEED}"]'}),
    (2, "seed beyond what is disclosed", "full", {RUN: f'[0,5,"{SEED}"]'}),
    (2, "seed of no record", "full", {RUN: f'[0,0,"{SEED}"]'}),
    (2, "salts missing", "full", {RUN: f'[0,3,"{SEED}"]'}),
    (2, "salts of 15 bytes", "redacted", {SALTS: SALTS[:-4]}),
    (2, "the one slot withheld", "full", {PHISH: COMMITMENT, RUN: ""}),
    (2, "commitment of 31 bytes", "redacted", {COMMITMENT: COMMITMENT[:-4] + "rQ=="}),
    (2, "commitment unpadded", "redacted", {COMMITMENT: COMMITMENT[:-1]}),
    (2, "signature with a third member", "full", {'{"keyid"': '{"alg":"none","keyid"'}),
    (2, "class table cut short", "full", {CLASSES: classes("010c0101010101010100010202")}),
    (2, "class table shorter than its salt", "full", {CLASSES: "AAAA"}),
    (2, "class table run of none", "full", {CLASSES: classes("000c010101")}),
    (2, "class table neighbours equal", "full", {CLASSES: classes("010c010101" * 2)}),
    (3, "signature twice", "full", {SIGNED: f"{SIGNED},{SIGNED}"}),
    (3, "signature of no bytes", "full", {SIG: ""}),
    (3, "signature with a byte more", "full", {SIG: SIG[:-2] + "AA"}),
    (5, "seed changed", "full", {SEED: "P" + SEED[1:]}),
    (5, "salt changed", "redacted", {SALTS: "B" + SALTS[1:]}),
    (5, "hash of the proof changed", "redacted", {PROOF: "J" + PROOF[1:]}),
    (5, "hash of the proof twice", "redacted", {PROOF: write_base64(2 * read_base64(PROOF))}),
    (5, "a space in a slot", "full", {PHISH: '{"info": "phish"}'}),
]
NO_TABLE = {f',"cls":"{CLASSES}"': ""}  # or it would be the table that disagrees
WITHOUT_TABLE: Sequence[Alteration] = [
    (5, "kind changed", "full", {'"01010100"': '"03010100"'}),
    (5, "type changed", "full", {'"01010100"': '"01010200"'}),
    (5, "label byte loosened", "full", {'"02010104"': '"02010101"'}),
    (5, "label byte of a withheld slot loosened", "redacted", {"020201000203": "020201000201"}),
    (5, "a slot in place of its hash", "redacted", {COMMITMENT: COMMENT, SALTS: SALTS + SALT}),
]


def refused() -> Json:
    """The older file."""
    return {
        "source": "alterations of the packages of seal.json;"
        " `check` is the numbered check of sealing.md §2.7 that refuses",
        "roster": ROSTER,
        "first_seen_at": "2026-11-22T13:00:00Z",
        "refused": [_row(alteration) for alteration in FIRST],
    }


def altered() -> Json:
    """The later file."""
    bare = [
        (check, case, name, {**texts, **NO_TABLE}) for check, case, name, texts in WITHOUT_TABLE
    ]
    return {
        "source": "alterations of the packages of seal.json; `check` is that of"
        " sharing/README.md, Verify; roster and first_seen_at as in seal-refused.json",
        "refused": [_row(alteration) for alteration in [*MORE, *bare]],
    }


def _row(alteration: Alteration) -> Json:
    check, case, name, texts = alteration
    masks = KNOWN_MASKS if name == "redacted" else None
    package = write_package(known(), masks).decode()
    for text in texts:
        if text not in package:
            raise ValueError(f"{case}: nothing to alter in the {name} package")
    pattern = re.compile("|".join(map(re.escape, texts)))
    return {
        "case": case,
        "check": check,
        "package": pattern.sub(lambda found: texts[found[0]], package),
    }
