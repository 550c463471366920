"""What a proxy tells of a TLS connection, against the keys that a member pins."""

import base64
from collections.abc import Callable
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import BadRequestError
from federation.pin import check_pin, pin_of
from sharing.seal.keys import KeyRegistry
from tests.federation.listener import self_signed
from tests.federation.strategies import BE, member_entry

KEY = ec.derive_private_key(4711, ec.SECP256R1())
OURS = self_signed("be.example", KEY)
RENEWED = self_signed("be.example", KEY, serial=2)
ANOTHER = self_signed("be.example", ec.derive_private_key(4712, ec.SECP256R1()))
PIN = pin_of(OURS)


def as_rfc9440(one: x509.Certificate) -> str:
    return f":{base64.b64encode(one.public_bytes(Encoding.DER)).decode()}:"


def as_nginx(one: x509.Certificate) -> str:
    return quote(one.public_bytes(Encoding.PEM).decode(), safe="")


def refusal(pins: set[str], told: list[str]) -> str:
    with pytest.raises(BadRequestError) as caught:
        check_pin(pins, told)
    assert caught.value.reason == "certificate"
    return str(caught.value)


@pytest.mark.parametrize("write", [as_rfc9440, as_nginx])
def test_the_pinned_key_passes_and_another_does_not(
    write: Callable[[x509.Certificate], str],
) -> None:
    check_pin({PIN}, [write(OURS)])
    check_pin({pin_of(ANOTHER), PIN}, [write(OURS)])
    assert "another key" in refusal({PIN}, [write(ANOTHER)])


def test_a_renewed_certificate_of_the_same_key_passes() -> None:
    assert as_rfc9440(RENEWED) != as_rfc9440(OURS)
    check_pin({PIN}, [as_rfc9440(RENEWED)])


def test_a_pin_takes_exactly_one_certificate() -> None:
    assert "0 certificates" in refusal({PIN}, [])
    assert "2 certificates" in refusal({PIN}, [as_rfc9440(OURS), as_rfc9440(ANOTHER)])
    assert "2 certificates" in refusal({PIN}, [as_rfc9440(OURS)] * 2)


def test_who_pins_nothing_is_asked_for_nothing() -> None:
    check_pin(set(), [])
    check_pin(set(), [as_rfc9440(OURS)])


@given(st.text() | st.text().map(lambda text: f":{text}:"))
def test_what_is_no_certificate_is_refused(text: str) -> None:
    refusal({PIN}, [text])


def test_what_is_too_long_is_not_looked_at() -> None:
    assert "too long" in refusal({PIN}, [as_nginx(OURS) + "%0A" * 6000])


def test_a_roster_tells_a_members_pins() -> None:
    entry = {**member_entry(BE), "tls_pins": [PIN]}
    assert KeyRegistry.read({"members": [entry]}).members[BE].tls_pins == {PIN}
    assert KeyRegistry.read({"members": [member_entry(BE)]}).members[BE].tls_pins == frozenset()
