"""Rulebooks are compared over every way in which anybody is ever asked about."""

import pytest

from node.actions.gate import STANDINGS, TOWARDS_MEMBERS
from node.actions.waiting import AT_HOME, HANDED_OVER
from policies.compare import RELATIONS
from sharing.project import Standing


@pytest.mark.parametrize("standing", [*STANDINGS, *TOWARDS_MEMBERS, AT_HOME, HANDED_OVER])
def test_no_standing_is_left_out_where_rulebooks_are_compared(standing: Standing) -> None:
    asked = {(each.own, each.client, each.direct, each.published) for each in RELATIONS}
    assert (standing.own, standing.client, standing.direct, standing.published) in asked
