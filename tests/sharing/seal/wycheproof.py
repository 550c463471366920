"""Wycheproof's files as cases for our key registry, wherever the files come from."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sharing.seal.canonical import write_base64url
from sharing.seal.keys import Key, KeyRegistry
from tests.sharing.seal.notary import roster


@dataclass(frozen=True)
class Case:
    """One signature of theirs, the key it is said to be by, and their verdict.

    No key where our registry does not take it; no context where they name none.
    """

    name: str
    key: Key | None
    message: bytes
    signature: bytes
    context: bytes
    result: str
    flags: frozenset[str]

    @property
    def accepted(self) -> bool:
        """Whether our registry takes the key and the key then verifies the signature."""
        return self.key is not None and self.key.verifies(self.message, self.signature)


def registered(alg: str, spki: bytes) -> Key | None:
    """The key as a member of a federation would have it registered, or none."""
    kid = write_base64url(sha256(spki).digest())
    entry = {"kid": kid, "alg": alg, "spki": b64encode(spki).decode(), "use": "seal"}
    registry = KeyRegistry.read(roster(entry))
    assert (kid in registry.keys) is not (kid in registry.unusable)
    return registry.keys.get(kid)


def groups_of(raw: bytes) -> list[Mapping[str, Any]]:
    """The groups of tests in one of their files, none of them lost."""
    told = json.loads(raw)
    groups: list[Mapping[str, Any]] = told["testGroups"]
    assert sum(len(group["tests"]) for group in groups) == told["numberOfTests"]
    return groups


def cases_of(raw: bytes, alg: str) -> Iterator[Case]:
    """The cases of a file of signatures to verify."""
    for group in groups_of(raw):
        key = registered(alg, bytes.fromhex(group["publicKeyDer"]))
        for test in group["tests"]:
            yield Case(
                f"{test['tcId']} {test['comment']}",
                key,
                bytes.fromhex(test["msg"]),
                bytes.fromhex(test["sig"]),
                bytes.fromhex(test.get("ctx", "")),
                test["result"],
                frozenset(test["flags"]),
            )
