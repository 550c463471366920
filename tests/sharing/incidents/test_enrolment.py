"""An enrolment rule names recipients for what may leave, and for nothing else."""

import pytest

from policies.tlp import Tlp
from sharing.incidents.enrolment import BadEnrolmentError, Enrolment, read_enrolment
from sharing.incidents.fields import Reach
from tests.sharing.incidents.cassiopee import FR_HEALTH
from tests.sharing.making import BE, DE, HUB


def test_a_rule_reads_as_it_is_written() -> None:
    expected = Enrolment(
        id="fr-health",
        version=3,
        hub=HUB,
        amber_to_hub=True,
        named={
            "supplier_name": frozenset({BE, DE, HUB}),
            "appointments_postponed": frozenset({BE, DE}),
        },
    )
    assert expected == FR_HEALTH
    assert FR_HEALTH.ground == "fr-health/3"


def test_the_hub_reads_amber_only_where_the_rule_says_so() -> None:
    shy = Enrolment("shy", 1, hub=HUB)
    assert shy.addressees("data_breach", Reach.HUB, Tlp.AMBER) == frozenset()
    assert shy.addressees("significant", Reach.HUB, Tlp.GREEN) == {HUB}
    assert FR_HEALTH.addressees("data_breach", Reach.HUB, Tlp.AMBER) == {HUB}
    assert FR_HEALTH.addressees("data_breach", Reach.HUB, Tlp.AMBER_STRICT) == frozenset()


def test_red_is_addressed_to_nobody_even_by_name() -> None:
    assert FR_HEALTH.addressees("supplier_name", Reach.ADDRESSED, Tlp.RED) == frozenset()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("id = ", "no TOML"),
        ("id = 'x'", "id .text. and a version"),
        ("id = 'x'\nversion = 1\nhubb = 'y'", "unknown member 'hubb'"),
        ("id = 'x'\nversion = 1\nhub = 'ENISA'", "hub wants a lower-case uuid"),
        ("id = 'x'\nversion = 1\nnamed = []", "table of field names"),
        ("id = 'x'\nversion = 1\n[named]\ntitles = []", "'titles', which never leaves"),
        ("id = 'x'\nversion = 1\n[named]\ncontact_email = []", "'contact_email', which never"),
        ("id = 'x'\nversion = 1\n[named]\ndeaths_possibly_linked = []", "which never leaves"),
        ("id = 'x'\nversion = 1\n[named]\nsupplier_name = 'x'", "wants a list of org uuids"),
        ("id = 'x'\nversion = 1\n[named]\nsupplier_name = ['x']", "supplier_name wants a lower"),
    ],
)
def test_a_rule_that_cannot_hold_is_refused_by_name(text: str, why: str) -> None:
    with pytest.raises(BadEnrolmentError, match=why):
        read_enrolment(text)
