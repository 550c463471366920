"""Plays one seed from beginning to end."""

import logging
import shutil
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import structlog

from tests.simulation.checks import WrongError
from tests.simulation.stage import Stage
from tests.simulation.story import Scale, Story


@dataclass(frozen=True)
class Outcome:
    """How a seed went: the first thing that was wrong, or None; and what happened."""

    error: str | None
    trace: str
    counts: Mapping[str, int]
    story: tuple[str, ...]


def play(place: Path, seed: int, scale: Scale) -> Outcome:
    """Play a seed on copies of the template in `place`."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    chance = Random(seed)
    into = place / f"seed-{seed}"
    stage = Stage.copy_of(place / "template", into, chance)
    story = Story(stage, chance, scale)
    error = None
    try:
        story.play()
    except WrongError as wrong:
        error = str(wrong)
    except Exception as fault:  # noqa: BLE001  what nobody thought of fails a seed, not the run
        error = f"{type(fault).__name__}: {fault}\n{traceback.format_exc()}"
    finally:
        stage.close()
        shutil.rmtree(into)
    return Outcome(error, story.trace.hexdigest(), story.counts, tuple(story.checks.story))
