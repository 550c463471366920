from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given

from policies.errors import BadLabelError, BadPartyError
from policies.label import Label, join
from policies.party import KINDS, PUBLIC, ROLES, STANDARD_ROLES, Party
from policies.tlp import Tlp
from tests.policies.strategies import instants, labels


@given(labels, labels)
def test_join_is_commutative(a: Label, b: Label) -> None:
    assert join(a, b) == join(b, a)


@given(labels, labels, labels)
def test_join_is_associative(a: Label, b: Label, c: Label) -> None:
    assert join(join(a, b), c) == join(a, join(b, c))


@given(labels)
def test_join_is_idempotent(a: Label) -> None:
    assert join(a, a) == a


@given(labels)
def test_the_loosest_label_changes_nothing(a: Label) -> None:
    assert join(a, Label(Tlp.CLEAR)) == a


@given(labels, labels, instants)
def test_a_join_is_never_looser_than_either(a: Label, b: Label, now: datetime) -> None:
    joined = join(a, b)
    for each in (a, b):
        assert joined.tlp >= each.tlp
        assert joined.pap >= each.pap
        assert joined.categories >= each.categories
        assert joined.is_embargoed(now) >= each.is_embargoed(now)
        assert joined.only >= each.only
        assert joined.relay <= each.relay


def test_an_embargo_lasts_until_its_end_and_without_one_for_ever() -> None:
    end = datetime(2026, 2, 1, tzinfo=UTC)
    dated, endless = (
        Label(Tlp.CLEAR, until=end),
        Label(Tlp.CLEAR, categories=frozenset({"embargoed"})),
    )
    assert not Label(Tlp.RED).is_embargoed(end)
    assert dated.is_embargoed(end - timedelta(microseconds=1))
    assert not dated.is_embargoed(end)
    assert endless.is_embargoed(end)
    assert join(dated, endless).is_embargoed(end)
    assert not replace(endless, until=end).is_embargoed(end)


def test_an_unknown_category_makes_no_label() -> None:
    with pytest.raises(BadLabelError, match="unknown category clincal"):
        Label(Tlp.CLEAR, categories=frozenset({"clincal"}))


def test_an_embargo_needs_a_time_zone() -> None:
    with pytest.raises(BadLabelError, match="2026-02-01T00:00:00 has no time zone"):
        Label(Tlp.CLEAR, until=datetime(2026, 2, 1))  # noqa: DTZ001


def test_an_unknown_kind_or_role_makes_no_party() -> None:
    with pytest.raises(BadPartyError, match="unknown kind 'friend'"):
        Party(org="", kind="friend", country="FR", roles=frozenset())
    with pytest.raises(BadPartyError, match="unknown role 'owner'"):
        Party(org="", kind="node", country="FR", roles=frozenset({"owner"}))


def test_every_kind_has_its_usual_roles() -> None:
    assert frozenset(STANDARD_ROLES) == KINDS
    assert frozenset().union(*STANDARD_ROLES.values()) == ROLES
    assert not PUBLIC.roles
