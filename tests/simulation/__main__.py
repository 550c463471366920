"""`python -m tests.simulation --seeds 200 --nodes 27 --days 40`: one line a seed."""

import argparse
import sys
import time

from tests.simulation.run import Outcome, play
from tests.simulation.stage import folder, make_template
from tests.simulation.story import Scale


def main() -> int:
    """Play the seeds; 1 if one of them failed."""
    ask = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    ask.add_argument("--seeds", type=int, default=10, help="up to which one")
    ask.add_argument("--first", type=int, default=1, help="from which one on, to go on with a run")
    ask.add_argument("--seed", type=int, help="only this one, and tell its story if it fails")
    ask.add_argument("--nodes", type=int, default=27, help="national ones, beside the hub")
    ask.add_argument("--days", type=int, default=40)
    ask.add_argument("--words", type=float, default=5, help="what sources say in a day, in all")
    asked = ask.parse_args()
    seeds = [asked.seed] if asked.seed is not None else range(asked.first, asked.seeds + 1)
    scale = Scale(nodes=asked.nodes, days=asked.days, words=asked.words)
    failed = list[int]()
    with folder() as place:
        make_template(place / "template", scale.nodes)
        for seed in seeds:
            began = time.process_time()
            outcome = play(place, seed, scale)
            print(_line(seed, outcome, time.process_time() - began), flush=True)
            if outcome.error is not None:
                failed.append(seed)
                print(f"  {outcome.error}")
                if asked.seed is not None:
                    print("\n".join(outcome.story[-200:]))
    print(f"{len(list(seeds)) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def _line(seed: int, outcome: Outcome, seconds: float) -> str:
    counts = ", ".join(f"{n} {what}" for what, n in sorted(outcome.counts.items()))
    state = "ok  " if outcome.error is None else "FAIL"
    return f"seed {seed:4d} {state} {outcome.trace[:16]} {seconds:6.1f} s CPU  {counts}"


if __name__ == "__main__":
    sys.exit(main())
