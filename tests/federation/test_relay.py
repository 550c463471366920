from hypothesis import assume, given
from hypothesis import strategies as st

from federation.call import Wants
from federation.relay import Held, default_wants, hops_onward, refusal, relayed_from, unasked
from tests.federation.strategies import BE, DE, FR, HUB, orgs

wants = st.sampled_from(Wants)
helds = st.builds(
    Held,
    origin=orgs,
    src=orgs,
    hops=st.integers(0, 4),
    epoch=st.integers(0, 2),
    seq=st.integers(1, 5),
)


@given(helds, orgs, orgs, wants, st.integers(0, 3))
def test_what_is_offered_is_what_may_be_received(
    held: Held, me: str, peer: str, asked: Wants, relay_hops: int
) -> None:
    refused = refusal(held, me=me, peer=peer, wants=asked, relay_hops=relay_hops)
    arrived = unasked(
        origin=held.origin,
        source=me,
        me=peer,
        hops=hops_onward(held, me),
        wants=asked,
        relay_hops=relay_hops,
    )
    if refused is None:
        assert arrived is None


@given(helds, orgs, orgs, wants)
def test_nothing_goes_back_to_originator_or_source(
    held: Held, me: str, peer: str, asked: Wants
) -> None:
    offered = refusal(held, me=me, peer=peer, wants=asked) is None
    if peer == held.origin or (peer == held.src and held.origin != me):
        assert not offered


@given(helds, orgs, orgs)
def test_hops_end_every_relaying(held: Held, me: str, peer: str) -> None:
    offered = refusal(held, me=me, peer=peer, wants=Wants.ALL, relay_hops=1) is None
    assert not offered or hops_onward(held, me) <= 1


@given(orgs, orgs, wants, st.integers(0, 3))
def test_no_relay_claim_stops_another_delivery(
    origin: str, peer: str, asked: Wants, relay_hops: int
) -> None:
    """No fact a relay can claim goes into it: an originator's own gift is made and taken."""
    assume(origin != peer)
    own = Held(origin=origin, src=origin, hops=0, epoch=0, seq=1)
    assert refusal(own, me=origin, peer=peer, wants=asked, relay_hops=relay_hops) is None
    hops = hops_onward(own, origin)
    taken = unasked(
        origin=origin, source=origin, me=peer, hops=hops, wants=asked, relay_hops=relay_hops
    )
    assert taken is None


def test_own_logs_only_means_no_relayed_ones() -> None:
    held = Held(origin=FR, src=FR, hops=0, epoch=0, seq=1)
    assert refusal(held, me=BE, peer=DE, wants=Wants.OWN) == "the peer wants our own logs only"
    assert refusal(held, me=BE, peer=DE, wants=Wants.ALL) is None


def test_a_relay_may_not_pose_as_the_originator() -> None:
    assert unasked(origin=FR, source=BE, me=DE, hops=0, wants=Wants.ALL) is not None
    assert unasked(origin=BE, source=BE, me=DE, hops=1, wants=Wants.ALL) is not None


def test_our_own_log_never_comes_back() -> None:
    assert unasked(origin=DE, source=HUB, me=DE, hops=1, wants=Wants.ALL) == "our own log came back"


def test_a_log_is_relayed_from_its_own_else_newest_else_nearest_holding() -> None:
    own = Held(FR, FR, 0, 0, 1)
    newer_far = Held(FR, HUB, 1, 0, 5)
    newer_near = Held(FR, BE, 0, 0, 5)
    assert relayed_from([newer_far, own], me=FR) == own
    assert relayed_from([newer_far, newer_near, own], me=DE) == newer_near
    assert relayed_from([], me=DE) is None


def test_the_hub_is_asked_for_all_and_others_for_their_own() -> None:
    assert [default_wants(role) for role in ("hub", "node", "")] == [
        Wants.ALL,
        Wants.OWN,
        Wants.OWN,
    ]
