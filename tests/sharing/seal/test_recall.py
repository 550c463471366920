"""Recall: the originator alone takes a log back."""

import json
from dataclasses import replace

import pytest

from sharing.errors import RefusedError
from sharing.seal import limits
from sharing.seal.keys import KeyRegistry, Signer
from sharing.seal.recall import REASONS, Recall, make_recall, verify_recall
from tests.sharing.seal.notary import (
    EVENT,
    KEY,
    NOW,
    ORG,
    OTHER,
    OTHER_KEY,
    REGISTRY,
    SIGNER,
    roster,
    roster_key,
)

RECALL = Recall(event=EVENT, iss=ORG, epoch=0, seq=3, reason="error", iat=NOW)


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_a_recall_reads_back(reason: str) -> None:
    recall = replace(RECALL, reason=reason)
    assert verify_recall(make_recall(recall, [SIGNER]), REGISTRY) == recall


def test_nobody_recalls_the_log_of_another() -> None:
    foreign = make_recall(replace(RECALL, iss=OTHER), [SIGNER])
    with pytest.raises(RefusedError, match="another organisation") as refused:
        verify_recall(foreign, REGISTRY)
    assert refused.value.check == 3
    with pytest.raises(RefusedError, match="unknown"):
        verify_recall(make_recall(RECALL, [Signer.from_private(OTHER_KEY)]), REGISTRY)


def test_every_flipped_bit_of_a_recall_is_refused() -> None:
    raw = make_recall(RECALL, [SIGNER])
    for place in range(8 * len(raw)):
        changed = bytearray(raw)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(RefusedError):
            verify_recall(bytes(changed), REGISTRY)


def test_a_key_once_compromised_recalls_what_was_seen_before_alone() -> None:
    registry = KeyRegistry.read(roster(roster_key(KEY, compromised_since="2026-11-22T14:00:00Z")))
    raw = make_recall(RECALL, [SIGNER])
    assert verify_recall(raw, registry, first_seen_at=NOW) == RECALL
    with pytest.raises(RefusedError, match="compromised"):
        verify_recall(raw, registry)


@pytest.mark.parametrize("name", ["payload", "payloadType", "signatures"])
def test_an_envelope_misses_nothing(name: str) -> None:
    members = json.loads(make_recall(RECALL, [SIGNER]))
    del members[name]
    with pytest.raises(RefusedError, match="check 2"):
        verify_recall(json.dumps(members).encode(), REGISTRY)


def test_another_type_of_envelope_is_no_recall() -> None:
    members = json.loads(make_recall(RECALL, [SIGNER]))
    members["payloadType"] = "application/vnd.fisn.seal.v1+json"
    with pytest.raises(RefusedError, match="payloadType"):
        verify_recall(json.dumps(members).encode(), REGISTRY)


def test_an_endless_recall_is_refused_unread() -> None:
    with pytest.raises(RefusedError, match="check 1"):
        verify_recall(b" " * (limits.RECALL_BYTES + 1), REGISTRY)


def test_a_recall_of_ours_has_a_reason_of_the_list() -> None:
    with pytest.raises(ValueError, match="boredom"):
        make_recall(replace(RECALL, reason="boredom"), [SIGNER])
