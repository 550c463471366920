"""One item judged, and what is expected to become of it."""

from datetime import timedelta

from federation.admit import (
    Admitted,
    Known,
    Outcome,
    Quarantined,
    admit_item,
)
from federation.call import Wants
from federation.opening import Item
from federation.wire import ItemLine
from sharing.seal.holding import Holding
from sharing.seal.keys import KeyRegistry
from sharing.seal.package import write_package
from sharing.seal.seal import reseal
from tests.federation.simulator import Receiver
from tests.federation.strategies import (
    BE,
    FR,
    INCARNATION,
    NOW,
    REGISTRY,
    attribute,
    put_line,
    sealed,
    signer,
)

HOLDING = sealed()
PACKAGE = write_package(HOLDING)
LINE = put_line(HOLDING, 5)


def item(line: ItemLine = LINE, raw: bytes = PACKAGE, incarnation: str = INCARNATION) -> Item:
    return Item(line, line.write(), raw, incarnation)


def admitted(
    what: Item,
    known: Known | None = None,
    *,
    source: str = FR,
    wants: Wants = Wants.ALL,
    registry: KeyRegistry = REGISTRY,
    me: str = BE,
) -> Outcome:
    return admit_item(
        what,
        source=source,
        me=Receiver(me).me,
        registry=registry,
        known=known or Known(),
        wants=wants,
        now=NOW,
    )


def quarantined(
    what: Item, check: int, reason: str, known: Known | None = None, *, source: str = FR
) -> Quarantined:
    outcome = admitted(what, known, source=source)
    assert isinstance(outcome, Quarantined)
    assert outcome.check == check
    assert reason in outcome.reason
    return outcome


def passed(what: Item, known: Known | None = None, *, source: str = FR) -> Admitted:
    outcome = admitted(what, known, source=source)
    assert isinstance(outcome, Admitted), outcome
    return outcome


def next_version(
    held: Holding,
    *,
    void: tuple[int, ...] = (),
    attributes: tuple[int, ...] = (),
    salt: bytes = b"next",
) -> Holding:
    return reseal(
        held,
        append=[attribute(n) for n in attributes],
        void=void,
        signers=[signer(held.statement.iss, "seal")],
        seed=salt.ljust(32, b"."),
        class_salt=salt.ljust(16, b"."),
        at=NOW + timedelta(minutes=1),
    )
