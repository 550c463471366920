"""Who must act, and on what ground, before something held may go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import BadRulebookError
from policies.release import SENTENCES, Act, Ground, Need, is_complete
from policies.rulebook import read_rulebook, shipped

AMELIE = Act("amelie", "operator")
ALSO_AMELIE = Act("amelie", "analyst")
BRUNO = Act("bruno", "operator")
HUGO = Act("hugo", "analyst")
EVERYBODY = (AMELIE, ALSO_AMELIE, BRUNO, HUGO)

acts = st.builds(
    Act,
    person=st.sampled_from(["amelie", "bruno", "hugo"]),
    role=st.sampled_from(["operator", "analyst"]),
    ground=st.sampled_from(Ground),
    reference=st.sampled_from(["", "PR 26/0412", "PR 26/0413"]),
)
needs = st.frozensets(st.sampled_from(Need))


def on(ground: Ground, reference: str, *by: Act) -> list[Act]:
    return [Act(act.person, act.role, ground, reference) for act in by]


@pytest.mark.parametrize(
    ("wanted", "given", "enough"),
    [
        ((), [], False),
        ((), [HUGO], False),  # an operator is always among them
        ((), [AMELIE], True),
        ((Need.TWO_PERSONS,), [AMELIE, AMELIE], False),
        ((Need.TWO_PERSONS,), [AMELIE, ALSO_AMELIE], False),
        ((Need.TWO_PERSONS,), [AMELIE, BRUNO], True),
        ((Need.TWO_ROLES,), [AMELIE, BRUNO], False),
        ((Need.TWO_ROLES,), [AMELIE, ALSO_AMELIE], False),
        ((Need.TWO_ROLES,), [AMELIE, HUGO], True),
        ((Need.GROUND,), [AMELIE], False),
        ((Need.GROUND,), on(Ground.CONSENT, "", AMELIE), False),
        ((Need.GROUND,), on(Ground.CONSENT, "letter of 3 Feb", AMELIE), True),
        ((Need.ORDER,), on(Ground.CONSENT, "letter of 3 Feb", AMELIE), False),
        ((Need.ORDER,), on(Ground.ORDER, "PR 26/0412", AMELIE), True),
        ((Need.TWO_PERSONS, Need.ORDER), on(Ground.ORDER, "PR 26/0412", AMELIE), False),
        ((Need.TWO_PERSONS, Need.ORDER), on(Ground.ORDER, "PR 26/0412", AMELIE, HUGO), True),
    ],
)
def test_a_release_counts_only_when_the_right_persons_have_acted(
    wanted: tuple[Need, ...], given: list[Act], enough: bool
) -> None:
    assert is_complete(wanted, given) is enough


def test_two_persons_who_mean_different_orders_have_not_agreed() -> None:
    one, other = on(Ground.ORDER, "PR 26/0412", AMELIE), on(Ground.ORDER, "PR 26/0413", HUGO)
    assert not is_complete({Need.TWO_PERSONS, Need.ORDER}, [*one, *other])


@given(needs, needs, st.lists(acts, max_size=5), st.lists(acts, max_size=3))
def test_more_needs_never_release_more_and_more_acts_never_less(
    wanted: frozenset[Need], more: frozenset[Need], given: list[Act], further: list[Act]
) -> None:
    if is_complete(wanted | more, given):
        assert is_complete(wanted, given)
    if is_complete(wanted, given):
        assert is_complete(wanted, [*given, *further])


def test_every_need_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Need)


def test_policies_that_hold_together_need_together() -> None:
    rulebook = shipped("national")
    assert rulebook.needs_of(["hold.clinical"]) == frozenset()
    assert rulebook.needs_of(["hold.ransom"]) == {Need.TWO_ROLES}
    assert rulebook.needs_of(["hold.handover", "hold.victim"]) == {
        Need.TWO_PERSONS,
        Need.GROUND,
        Need.ORDER,
    }


def test_a_need_nobody_knows_refuses_the_rulebook() -> None:
    text = (
        '@id("hold.odd") @reason("r") @needs("two-rolls")'
        ' forbid (principal, action == Action::"unattended", resource);'
    )
    with pytest.raises(BadRulebookError, match="two-rolls"):
        read_rulebook(text, name="odd", version="1")
