"""How many verdicts a second: asked of the engine (cold) and of a judge's memory (warm)."""

from itertools import product
from time import perf_counter

from policies.decide import Judge, decide
from policies.party import STANDARD_ROLES, Party
from policies.rulebook import shipped
from policies.subject import Relation, Subject
from policies.tlp import Pap, Tlp

PEER = Party("11111111-1111-4111-8111-111111111111", "node", "BE", STANDARD_ROLES["node"])
WARM_ROUNDS = 2_000


def run() -> list[dict[str, str | float]]:
    """Return one row per measurement: what, per_s, and how many times the cold rate it is."""
    rulebook = shipped("national")
    judge = Judge(rulebook)
    asked = [
        (_subject(tlp, only=only), _relation(named=named, direct=direct), PEER)
        for tlp in Tlp
        for only, named, direct in product((False, True), repeat=3)
    ]

    started = perf_counter()
    for subject, relation, party in asked * 5:
        decide(subject, relation, party, rulebook)
    cold = len(asked) * 5 / (perf_counter() - started)

    for each in asked:
        judge.decide(*each)
    started = perf_counter()
    for _ in range(WARM_ROUNDS):
        for subject, relation, party in asked:
            judge.decide(subject, relation, party)
    warm = len(asked) * WARM_ROUNDS / (perf_counter() - started)
    return [
        {"what": "verdicts, asked of the engine", "per_s": round(cold), "ratio": 1.0},
        {"what": "verdicts, remembered", "per_s": round(warm), "ratio": round(warm / cold, 1)},
    ]


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
