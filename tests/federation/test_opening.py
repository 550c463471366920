"""Check 2: a sender that signs the wrong thing, or somebody who signs in its place."""

from dataclasses import replace
from datetime import timedelta

import pytest

from federation.call import Bookmark
from federation.errors import BadPageError
from federation.opening import OpenedPage, open_page
from federation.transfer import TransferStatement, write_trailer
from federation.wire import HeaderLine, ItemLine, Op
from sharing.seal.keys import KeyRegistry, Signer
from sharing.seal.tree import root_of
from tests.federation.simulator import Receiver, SimulatedPeer
from tests.federation.strategies import (
    BE,
    DE,
    FR,
    INCARNATION,
    NOW,
    OTHER_EVENT,
    REGISTRY,
    RULEBOOK,
    nonce,
    put_line,
    registry_where,
    sealed,
    signer,
)

START = Receiver(BE).question(SimulatedPeer(FR))
ASK = replace(START, bookmark=Bookmark(INCARNATION, 4, "cursor4"))


def withdrawal(pos: int, event: str = OTHER_EVENT) -> ItemLine:
    return replace(put_line(sealed(event=event), pos), op=Op.WITHDRAW, digest=None)


ITEMS = (withdrawal(5), withdrawal(9, FR))
HEADER = HeaderLine(FR, BE, INCARNATION, 1, "national/1", RULEBOOK, "cursor4")


def statement(items: tuple[ItemLine, ...] = ITEMS, **changes: object) -> TransferStatement:
    told = TransferStatement(
        sender=FR,
        to=BE,
        incarnation=INCARNATION,
        after=4,
        upto=items[-1].pos if items else 4,
        head=20,
        more=True,
        next="cursor9",
        count=len(items),
        root=root_of(line.write() for line in items).hex(),
        rulebook=RULEBOOK,
        roster=1,
        nonce=ASK.nonce,
        at=NOW,
        keys=(signer(FR).kid,),
    )
    return replace(told, **changes)  # type: ignore[arg-type]  # lies


def page(
    told: TransferStatement,
    items: tuple[ItemLine, ...] = ITEMS,
    *,
    header: HeaderLine = HEADER,
    by: Signer | None = None,
) -> bytes:
    lines = [
        header.write(),
        *(item.write() for item in items),
        write_trailer(told, by or signer(FR)),
    ]
    return b"\n".join([*lines, b""])


def opened(raw: bytes, registry: KeyRegistry = REGISTRY) -> OpenedPage:
    return open_page(raw, ASK, registry=registry, now=NOW)


def refused(raw: bytes, reason: str, registry: KeyRegistry = REGISTRY) -> None:
    with pytest.raises(BadPageError) as caught:
        opened(raw, registry)
    assert (caught.value.check, caught.value.reason) == (2, reason)


def test_an_honest_page_opens() -> None:
    page_ = opened(page(statement()))
    assert [item.line for item in page_.items] == list(ITEMS)
    assert page_.bookmark == Bookmark(INCARNATION, 9, "cursor9")
    assert page_.more


def test_a_page_with_no_items_stays_where_it_was() -> None:
    assert opened(page(statement(()), ())).bookmark.pos == 4


def test_a_bad_trailer_signature_is_refused() -> None:
    raw = page(statement(), by=replace(signer(DE), kid=signer(FR).kid))
    refused(raw, "signature")


def test_a_trailer_signed_by_another_member_is_refused() -> None:
    refused(page(statement(keys=(signer(DE).kid,)), by=signer(DE)), "signature")


def test_a_trailer_signed_by_a_seal_key_is_refused() -> None:
    seal_key = signer(FR, "seal")
    refused(page(statement(keys=(seal_key.kid,)), by=seal_key), "signature")


def test_a_trailer_whose_keys_are_not_its_signatures_is_refused() -> None:
    refused(page(statement(keys=(signer(DE).kid,))), "signature")
    refused(page(statement(keys=())), "key")


@pytest.mark.parametrize(
    ("dates", "reason"),
    [
        ({"revoked_at": "2026-11-22T12:00:00Z"}, "key"),
        ({"not_after": "2026-11-22T12:00:00Z"}, "key"),
        ({"not_before": "2026-11-22T14:00:00Z"}, "key"),
        ({"compromised_since": "2026-11-22T12:00:00Z"}, "signature"),
    ],
)
def test_a_trailer_signed_out_of_the_keys_time_is_refused(
    dates: dict[str, str], reason: str
) -> None:
    refused(page(statement()), reason, registry_where(FR, **dates))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sender": DE}, "from"),
        ({"to": DE}, "to"),
        ({"nonce": nonce("an earlier request")}, "nonce"),
        ({"incarnation": "f" * 32}, "incarnation"),
        ({"after": 3}, "after"),
        ({"after": None}, "after"),
        ({"count": 1}, "count"),
        ({"count": 3}, "count"),
        ({"root": "0" * 64}, "root"),
        ({"upto": 10}, "order"),
        ({"upto": 8}, "order"),
        ({"head": 8}, "order"),
        ({"rulebook": "0" * 64}, "header"),
        ({"roster": 2}, "header"),
    ],
)
def test_a_statement_about_something_else_is_refused(
    changes: dict[str, object], reason: str
) -> None:
    refused(page(replace(statement(), **changes)), reason)  # type: ignore[arg-type]  # lies


def test_item_order_is_checked() -> None:
    swapped = (ITEMS[1], ITEMS[0])
    refused(page(statement(swapped, upto=9), swapped), "order")
    twice = (ITEMS[0], ITEMS[0])
    refused(page(statement(twice), twice), "order")
    before = (withdrawal(4), ITEMS[1])
    refused(page(statement(before), before), "order")


def test_items_that_were_not_signed_are_refused() -> None:
    refused(page(statement(), ITEMS[:1]), "count")
    refused(page(statement(count=1, upto=5), ITEMS[:1]), "root")
    other = (ITEMS[0], withdrawal(9, DE))
    refused(page(statement(), other), "root")


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": DE},
        {"to": DE},
        {"incarnation": "f" * 32},
        {"roster": 9},
        {"rulebook_digest": "0" * 64},
        {"cursor": None},
    ],
)
def test_a_header_that_differs_from_the_trailer_is_refused(changes: dict[str, object]) -> None:
    refused(page(statement(), header=replace(HEADER, **changes)), "header")  # type: ignore[arg-type]  # lies


def test_the_start_of_a_feed_takes_any_life() -> None:
    told = statement((), after=0, upto=0, incarnation="f" * 32)
    raw = page(told, (), header=replace(HEADER, incarnation="f" * 32, cursor=None))
    ask = replace(ASK, bookmark=None)
    assert open_page(raw, ask, registry=REGISTRY, now=NOW).bookmark.incarnation == "f" * 32


def test_a_page_says_nothing_about_the_age_of_its_signature() -> None:
    """The nonce makes a page fresh; the sender's clock may say what it will."""
    assert opened(page(statement(at=NOW - timedelta(days=30)))).items
