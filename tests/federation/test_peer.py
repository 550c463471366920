import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.call import Wants
from federation.peer import BadPeerError, peers_of, read_base_url
from sharing.seal.keys import KeyRegistry
from tests.federation.strategies import BE, DE, FR, HUB, REGISTRY, URLS, member_entry


def test_every_other_member_with_an_address_is_a_peer() -> None:
    found = peers_of(REGISTRY, FR)
    assert {peer.org: peer.base_url for peer in found} == {org: URLS[org] for org in (BE, DE, HUB)}
    assert {peer.org: peer.asks for peer in found} == {BE: Wants.OWN, DE: Wants.OWN, HUB: Wants.ALL}
    silent = KeyRegistry.read({"members": [{**member_entry(BE), "base_urls": []}]})
    assert peers_of(silent, FR) == ()


def test_a_peer_is_the_party_its_role_says() -> None:
    parties = {peer.org: peer.party for peer in peers_of(REGISTRY, FR)}
    assert parties[HUB].kind == "hub"
    assert parties[HUB].roles == {"hub", "community"}
    assert parties[BE].country == "BE"
    assert parties[BE].roles == {"member", "community"}


def test_a_role_no_rule_knows_is_the_operators_to_mend() -> None:
    odd = KeyRegistry.read({"members": [{**member_entry(BE), "role": "wizard"}]})
    with pytest.raises(BadPeerError, match="wizard"):
        _ = peers_of(odd, FR)[0].party


@pytest.mark.parametrize(
    ("text", "one"),
    [
        ("https://Node.Example", "https://node.example"),
        ("https://node.example/", "https://node.example"),
        ("HTTPS://node.example:443/isac/", "https://node.example/isac"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://127.0.0.1:28443/", "http://127.0.0.1:28443"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_an_address_has_one_spelling(text: str, one: str) -> None:
    assert read_base_url(text) == one
    assert read_base_url(one) == one


@pytest.mark.parametrize(
    "text",
    [
        "",
        "node.example",
        "ftp://node.example",
        "https://",
        "https://user@node.example",
        "https://user:secret@node.example",
        "https://node.example?x=1",
        "https://node.example#top",
        "https://node.example/a b",
        "https://node.example/../x%2f",
        "https://node.example:99999",
        "https://node.example:x",
        "https://[::1",
        "https://nöde.example",
        "https://node.example\n",
    ],
)
def test_an_odd_address_is_refused(text: str) -> None:
    with pytest.raises(BadPeerError):
        read_base_url(text)


@given(st.text() | st.text().map("https://".__add__))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        one = read_base_url(text)
    except BadPeerError:
        return
    assert read_base_url(one) == one
