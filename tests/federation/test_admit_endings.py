"""Checks 3 to 5 for items that end something: WITHDRAW and RECALL."""

from dataclasses import replace

import pytest

from federation.admit import (
    SEAL,
    Admitted,
    Known,
    NoOp,
    is_ended,
)
from federation.opening import Item
from federation.wire import Op, read_item_line
from sharing.seal.recall import Recall, make_recall
from tests.federation.judging import (
    HOLDING,
    LINE,
    admitted,
    item,
    passed,
    quarantined,
)
from tests.federation.strategies import (
    DE,
    EVENT,
    FR,
    HUB,
    INCARNATION,
    NOW,
    OTHER_EVENT,
    signer,
)

WITHDRAW = replace(LINE, op=Op.WITHDRAW, digest=None)


def recall_item(
    *,
    by: str = FR,
    iss: str | None = None,
    event: str = EVENT,
    version: tuple[int, int] = (0, 1),
    source: str = FR,
) -> Item:
    recall = Recall(event, iss or by, *version, "error", NOW)
    envelope = make_recall(recall, [signer(by, "seal")])
    hops = 0 if source == FR else 1
    line = replace(LINE, op=Op.RECALL, digest=None, recall=envelope, hops=hops)
    return item(read_item_line(line.write()), b"")


def test_a_withdrawal_needs_no_signature_but_the_pages() -> None:
    outcome = passed(item(WITHDRAW, b""), Known(INCARNATION, 4, (0, 1), HOLDING.digest))
    assert (outcome.op, outcome.holding, outcome.digest, outcome.floor) == (
        Op.WITHDRAW,
        None,
        None,
        None,
    )


def test_withdrawing_what_we_do_not_hold_is_a_no_op() -> None:
    assert isinstance(admitted(item(WITHDRAW, b"")), NoOp)


@pytest.mark.parametrize("source", [FR, HUB])
def test_a_recall_counts_from_whoever_hands_it_on(source: str) -> None:
    outcome = passed(recall_item(source=source), source=source)
    assert outcome.op is Op.RECALL
    assert outcome.floor == (0, 1)
    assert outcome.line.recall is not None


def test_a_recall_by_the_wrong_issuer_is_refused() -> None:
    quarantined(recall_item(by=DE, source=DE), SEAL, "by another than the originator", source=DE)
    quarantined(recall_item(by=DE, iss=FR, source=DE), SEAL, "belongs to another", source=DE)


def test_a_recall_of_another_log_or_version_is_refused() -> None:
    quarantined(recall_item(event=OTHER_EVENT), SEAL, "of another log")
    quarantined(recall_item(version=(0, 2)), SEAL, "another version")


def test_a_recall_signed_by_a_transport_key_is_refused() -> None:
    envelope = make_recall(Recall(EVENT, FR, 0, 1, "error", NOW), [signer(FR)])
    line = replace(LINE, op=Op.RECALL, digest=None, recall=envelope)
    quarantined(item(line, b""), SEAL, "a seal key is needed")


def test_a_recall_known_already_is_a_no_op() -> None:
    assert isinstance(admitted(recall_item(), Known(floor=(0, 1))), NoOp)
    assert isinstance(admitted(recall_item(), Known(floor=(0, 0))), Admitted)


def test_a_log_lives_again_in_a_later_epoch_only() -> None:
    assert [is_ended(version, (2, 5)) for version in ((1, 9), (2, 5), (2, 6), (3, 1))] == [
        True,
        True,
        True,
        False,
    ]
