"""Judge the vectors of others that no package carries, from a checkout of theirs.

    python -m tests.vectors.outside --wycheproof DIR --cctv DIR --merkle DIR

Wycheproof and CCTV are the repositories of C2SP, merkle that of transparency-dev. Says for each
suite how many signatures or proofs we accept; ends with status 1 if any verdict is not ours.
Their files stay where they are: nothing of them is copied into this repository.
"""

import argparse
import json
import sys
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sharing.errors import UnreadableError
from sharing.seal.canonical import HASH_BYTES
from sharing.seal.keys import spki_of
from sharing.seal.tree import Stretch, fold
from tests.sharing.seal.wycheproof import Case, cases_of, registered

Verdict = tuple[str, bool, bool]  # what it is about, what we say, what must be said
REFUSED = {
    *("low_order_A", "low_order_component_A", "non_canonical_A"),  # at registration
    *("non_canonical_R", "low_order_residue", "reencoded_k"),
}


def main(arguments: list[str]) -> int:
    """Judge what was asked for; 0 when every verdict is as it must be."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in SUITES:
        parser.add_argument(f"--{name}", type=Path, metavar="DIR")
    chosen = {name: folder for name, folder in vars(parser.parse_args(arguments)).items() if folder}
    if not chosen:
        parser.error("name at least one checkout")
    wrong = 0
    for name, folder in chosen.items():
        for title, verdicts in SUITES[name](folder):
            wrong += tell(title, list(verdicts))
    return 1 if wrong else 0


def tell(title: str, verdicts: list[Verdict]) -> int:
    """Print one suite's figures and the verdicts that are wrong; how many are."""
    wrong = [name for name, said, right in verdicts if said is not right]
    counts = Counter(said for _, said, _ in verdicts)
    print(f"{title}: {counts[True]} accepted, {counts[False]} refused, {len(wrong)} wrong")
    for name in wrong:
        print(f"  wrong: {name}")
    return len(wrong)


Suite = Iterator[tuple[str, Iterator[Verdict]]]


# Wycheproof


def wycheproof(folder: Path) -> Suite:
    """The newest files; the tests take those of a package."""
    files = folder / "testvectors_v1"
    ed25519 = cases_of((files / "ed25519_test.json").read_bytes(), "ed25519")
    yield "Wycheproof Ed25519", (judged(case, case.accepted) for case in ed25519)
    ml_dsa = cases_of((files / "mldsa_65_verify_test.json").read_bytes(), "ml-dsa-65")
    yield "Wycheproof ML-DSA-65", (judged(case, in_its_context(case)) for case in ml_dsa)


def judged(case: Case, said: bool) -> Verdict:
    """What they call acceptable is refused: the registry does not take such a key."""
    return case.name, said, case.result == "valid"


def in_its_context(case: Case) -> bool:
    """Whether it is accepted under the context it was made for, in place of ours."""
    with patch("sharing.seal.keys.ML_DSA_CONTEXT", case.context):
        try:
            return case.accepted
        except ValueError:  # a context of over 255 bytes
            return False


# CCTV: every pair of odd points


def cctv(folder: Path) -> Suite:
    """Accepted are valid signatures by keys of prime order, with R in its one spelling."""
    vectors = json.loads((folder / "ed25519" / "ed25519vectors.json").read_bytes())
    yield "CCTV Ed25519", (odd_points(vector) for vector in vectors)


def odd_points(vector: Mapping[str, Any]) -> Verdict:
    flags = set(vector["flags"] or [])
    spki = spki_of(Ed25519PublicKey.from_public_bytes(bytes.fromhex(vector["key"])))
    key = registered("ed25519", spki)
    signature = bytes.fromhex(vector["sig"])
    said = key is not None and key.verifies(vector["msg"].encode(), signature)
    return f"{vector['number']} {sorted(flags)}", said, not flags & REFUSED


# transparency-dev: proofs of RFC 9162


def merkle(folder: Path) -> Suite:
    """Inclusion proofs. Consistency proofs have no place in our format: see its frontier."""
    files = sorted((folder / "testdata" / "inclusion").rglob("*.json"))
    yield "transparency-dev inclusion", (inclusion(file) for file in files)


def inclusion(file: Path) -> Verdict:
    told = json.loads(file.read_bytes())
    leaf, root = b64decode(told["leafHash"] or ""), b64decode(told["root"] or "")
    proof = [b64decode(node) for node in told["proof"] or []]
    return f"{file.parent.name}/{file.stem}", includes(told, leaf, root, proof), not told["wantErr"]


def includes(told: Mapping[str, int], leaf: bytes, root: bytes, proof: list[bytes]) -> bool:
    """As check 5 does, after checks 1 and 2: the place lies in the log, a hash has 32 bytes."""
    index, size = told["leafIdx"], told["treeSize"]
    if not 0 <= index < size or any(len(node) != HASH_BYTES for node in [leaf, root, *proof]):
        return False
    try:
        return fold([Stretch(index, [leaf])], size, proof).root == root
    except UnreadableError:
        return False


SUITES: Mapping[str, Callable[[Path], Suite]] = {
    "wycheproof": wycheproof,
    "cctv": cctv,
    "merkle": merkle,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
