"""Verdicts a second, cold and remembered; and a large event projected for a whole federation.

The event has 10,000 attributes, half of them with a comment, one in ten AMBER; who is named there
differs by row. A projection ends in the map and the digest that a peer's feed would offer; verdicts
are remembered from before, as they are in a node that runs.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import count, product

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.bench.turns import Row, in_turns
from policies.decide import Judge, decide, decide_all
from policies.label import Label
from policies.party import STANDARD_ROLES, Party
from policies.rulebook import shipped
from policies.subject import Relation, Subject
from policies.tlp import Pap, Tlp
from sharing.event import NOBODY, Attribute, Audience, Draft, Event, Mark
from sharing.project import Projector
from sharing.seal.holding import Holding
from sharing.seal.keys import Signer
from sharing.seal.seal import seal
from sharing.slots import Names, cut_event
from sharing.verdicts import Standing

ATTRIBUTES = 10_000
ROUNDS = 9

_COLD = "verdicts of the engine, one by one"
_AT = datetime(2026, 11, 22, 13, tzinfo=UTC)
_TIMESTAMP = 1_700_000_000
_COUNTRIES = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
_COMMUNITY = "0c0ffee0-0000-4000-8000-000000000001"
_STANDING = Standing(own=False, client=False, direct=True, published=True)


def federation() -> list[Party]:
    """Return 27 nodes in as many countries, all in one community, and the hub."""
    kinds = [("node", country) for country in _COUNTRIES.split()] + [("hub", "")]
    return [
        Party(_uuid(n), kind, country, STANDARD_ROLES[kind], frozenset({_COMMUNITY}))
        for n, (kind, country) in enumerate(kinds, start=1)
    ]


def run(attributes: int = ATTRIBUTES) -> Sequence[Row]:
    """Return one row a measurement: what, its unit, what it is held against, and the ratio."""
    return [*_verdicts(), *_projections(attributes)]


def _verdicts() -> Iterator[Row]:
    rulebook = shipped("national")
    judge, peer = Judge(rulebook), federation()[0]
    asked = [
        (_subject(tlp, only=only), _relation(named=named, direct=direct))
        for tlp in Tlp
        for only, named, direct in product((False, True), repeat=3)
    ]
    for each in asked:
        judge.decide(*each, peer)
    spent = in_turns(
        ROUNDS,
        {
            _COLD: lambda: [decide(*each, peer, rulebook) for each in asked],
            "verdicts of the engine, all at once": lambda: decide_all(asked, peer, rulebook),
            "verdicts remembered": lambda: [judge.decide(*each, peer) for each in asked],
        },
    )
    rates = {what: 1000 * len(asked) / took.least for what, took in spent.items()}
    for what, rate in rates.items():
        yield _row(what, "a second", rates[_COLD], rate)


def _projections(attributes: int) -> Iterator[Row]:
    parties = federation()
    orgs = [party.org for party in parties]
    for named, audience in (
        ("nobody", NOBODY),
        ("their community", Audience(communities=frozenset({_COMMUNITY}))),
        ("three nodes", Audience(frozenset(orgs[:3]))),
        ("each of them", Audience(frozenset(orgs))),
    ):
        one, everybody = _project(_event(attributes, audience), parties)
        what = f"{attributes:,} attributes for {len(parties)} parties, not one; named: {named}"
        yield _row(what, "ms", one, everybody)


def _project(holding: Holding, parties: Sequence[Party]) -> tuple[float, float]:
    judge = Judge(shipped("national"))

    def project(those: Sequence[Party]) -> None:
        projector = Projector(holding, judge, _AT)
        for party in those:
            if not projector.project(party, _STANDING).encoded_map:
                raise RuntimeError(f"nothing was projected for {party.org}")

    project(parties)
    spent = in_turns(
        ROUNDS, {"one": lambda: project(parties[:1]), "everybody": lambda: project(parties)}
    )
    return spent["one"].least, spent["everybody"].least


def _event(attributes: int, audience: Audience) -> Holding:
    amber = Mark(Label(Tlp.AMBER), audience)
    told = Event(
        _uuid(10**6),
        "Phishing",
        "2026-11-22",
        4,
        0,
        _TIMESTAMP,
        attributes=tuple(
            Attribute(
                uuid=_uuid(10**7 + n),
                type="domain",
                category="Network activity",
                value=f"{n}.example",
                to_ids=True,
                timestamp=_TIMESTAMP,
                comment="seen by the team on call" if n % 2 else "",
                mark=amber if n % 10 == 0 else None,
            )
            for n in range(attributes)
        ),
    )
    fresh = count(1)
    names = Names(lambda: _uuid(10**8 + next(fresh)))
    return seal(
        cut_event(Draft(told, Label(Tlp.GREEN), _uuid(0)), names),
        log="event",
        event=told.uuid,
        issuer=_uuid(0),
        signers=[Signer.from_private(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))],
        seed=bytes(32),
        class_salt=bytes(16),
        at=_AT,
    )


def _row(what: str, unit: str, base: float, figure: float) -> Row:
    digits = 2 if unit == "ms" else None
    return {
        "what": what,
        "unit": unit,
        "base": round(base, digits),
        "figure": round(figure, digits),
        "ratio": round(figure / base, 2),
    }


def _uuid(n: int) -> str:
    return f"{n:08x}-0000-4000-8000-000000000000"


def _subject(tlp: Tlp, *, only: bool) -> Subject:
    return Subject("event", 2, 1, tlp, Pap.GREEN, frozenset({"clinical"}), only=only, relay=True)


def _relation(*, named: bool, direct: bool) -> Relation:
    return Relation(
        own=False,
        client=False,
        direct=direct,
        named=named,
        released=False,
        embargoed=False,
        published=True,
    )
