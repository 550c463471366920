"""Faults put into the product on purpose: each must be caught by some seed.

`python -m tests.simulation.mutants` plays seeds under each until one fails, and names it. One that
no seed catches ends it with 1. What other tests catch better (a foreign cursor, a wrong delta base,
whose result is measured against its digest anyway; a restored hub that relays too early,
a recall under a stolen key) is not here.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from federation.feed import OutboxRow, Plan, plan_page
from node import life
from node.actions import change, projector, restore, sealing, serve
from node.keys import read_keys
from node.settings import Suite
from tests.simulation.run import play
from tests.simulation.stage import folder, make_template
from tests.simulation.story import Scale

SMALL = Scale(nodes=4, days=40, words=1.5, hub_h=36, peer_h=48)

_take_away = change.take_away
_SUITE: Suite = "ed25519"


def _old_life(data: Path) -> str:
    return read_keys(data, _SUITE).incarnation


def _plan_all(rows: Iterable[OutboxRow], *, after: int, rulebook: str, limit: int) -> Plan:
    ruled = [replace(row, rulebook=rulebook, dirty=False) for row in rows]
    return plan_page(ruled, after=after, rulebook=rulebook, limit=limit)


def _nothing_goes(*given: object, **named: object) -> change.Change:
    return replace(_take_away(*given, **named), gone=(), is_bare=False)  # type: ignore[arg-type]


MUTANTS: Mapping[str, tuple[tuple[object, str, object], ...]] = {
    "what is taken back is not said": (
        (projector._Feeds, "_taken_back", lambda self, one, old: None),
    ),
    "other maps of one epoch are no news": (
        (projector, "_is_same", lambda old, new: (old.op, old.epoch) == (new.op, new.epoch)),
    ),
    "a page holds what was decided under other rules": (
        (serve, "plan_page", _plan_all),
        (serve, "_is_current", lambda *given: True),
    ),
    "WITHDRAW and RECALL leave the bytes": ((change, "take_away", _nothing_goes),),
    "a recall sets no floor": ((change, "floor_of", lambda log: None),),
    "everybody relays everything": ((projector, "refusal", lambda *given, **named: None),),
    "nobody wakes when an embargo ends": ((projector._Scene, "_note_wake", lambda self, at: None),),
    "a restored database is not noticed": ((life, "notice_restore", None),),
    "a restored feed keeps its life": ((life, "renew_incarnation", _old_life),),
    "a restored node seals on in the same epoch": ((sealing, "_floor", lambda unit, event: None),),
    "a restored node serves what it had taken back": (
        (restore, "_is_behind", lambda row, head: False),
    ),
}


@contextmanager
def mutated(name: str) -> Iterator[None]:
    """The product with this fault."""
    patches = [patch.object(where, what, by) for where, what, by in MUTANTS[name]]
    if name == "a restored database is not noticed":
        patches = [patch("node.node.notice_restore", lambda *given: None)]
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in patches:
            one.stop()


def caught_by(place: Path, name: str, seeds: range, scale: Scale) -> tuple[int, str] | None:
    """The first of the seeds that notices the fault, and what it says; None: none of them."""
    with mutated(name):
        for seed in seeds:
            outcome = play(place, seed, scale)
            if outcome.error is not None:
                return seed, outcome.error.splitlines()[0]
    return None


def main() -> int:
    """Try all mutants, or those named; 1 if one lives."""
    ask = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    ask.add_argument("names", nargs="*", default=list(MUTANTS))
    ask.add_argument("--seeds", type=int, default=40)
    asked = ask.parse_args()
    alive = 0
    with folder() as place:
        make_template(place / "template", SMALL.nodes)
        for name in asked.names:
            began = time.process_time()
            found = caught_by(place, name, range(1, asked.seeds + 1), SMALL)
            alive += found is None
            told = "LIVES" if found is None else f"caught by seed {found[0]}: {found[1]}"
            print(f"{name}: {told} ({time.process_time() - began:.0f} s CPU)", flush=True)
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
