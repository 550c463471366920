"""Under which labels the parts of a report stand in its own log, so that rules can hold some back.

The submitter's colour is the log's (decisions.md D11). A part is RED where the table or its source
says so, and has a category where a rule may ask for it: the ransom lane, or whom it hit. None of
this touches what is cut into the event.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from policies.label import Label
from policies.tlp import Tlp, read_tlp
from sharing.incidents.fields import FIELDS, LISTS

_LANE = frozenset({"law-enforcement"})
_VICTIMS = frozenset({"personal"})


def field_label(name: str, colour: Tlp, choice: Tlp | None = None) -> Label:
    """Return the label of a field in a report of this colour; `choice` is its source's for it."""
    row = FIELDS[name]
    is_red = Tlp.RED in {row.tlp or Tlp.RED, choice}
    return Label(Tlp.RED if is_red else colour, categories=row.categories)


def indicator_label(colour: Tlp, tlp: Tlp | None, role: object) -> Label:
    """Return the label of an indicator in a report of this colour; `tlp` is its own, if it has one.

    A wallet or leak site that its source shares further than RED is an indicator like any other.
    """
    is_red = Tlp.RED in {tlp, colour}
    categories = frozenset[str]()
    if role in LISTS["victim_role"]:
        categories = _VICTIMS
    elif is_red and role in LISTS["lane_role"]:
        categories = _LANE
    return Label(Tlp.RED if is_red else colour, categories=categories)


@dataclass(frozen=True, slots=True)
class StageLabels:
    """The labels of what one stage said: of each member by its name, of each indicator in order."""

    fields: Mapping[str, Label]
    indicators: tuple[Label, ...]


def stage_labels(said: Mapping[str, object]) -> StageLabels:
    """Return the labels of a stage as it was submitted and taken; without a colour AMBER+STRICT."""
    colour = _colour(said.get("tlp")) or Tlp.AMBER_STRICT
    choices = said.get("choices")
    chosen = choices if isinstance(choices, dict) else {}
    given = said.get("indicators")
    indicators = (
        [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    )
    return StageLabels(
        {
            name: field_label(name, colour, _colour(chosen.get(name)))
            if name in FIELDS
            else Label(colour)
            for name in said
        },
        tuple(
            indicator_label(colour, _colour(each.get("tlp")), each.get("role"))
            for each in indicators
        ),
    )


def _colour(given: object) -> Tlp | None:
    return read_tlp(given) if isinstance(given, str) else None
