import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from http_message_signatures import HTTPMessageSigner
from http_message_signatures.algorithms import ED25519
from hypothesis import given
from hypothesis import strategies as st

from federation.auth import (
    LIFE,
    SKEW,
    TAG,
    Received,
    Requester,
    sign_request,
    verify_request,
    write_nonce,
)
from federation.call import Call
from federation.errors import BadRequestError
from tests.federation.strategies import BE, FR, NOW, REGISTRY, URLS, nonce, registry_where, signer

PATH = "/fed/v1/feed?limit=200&wants=own"
GET = Call("GET", PATH, {"accept": "application/vnd.fisn.feed"})
POST = Call("POST", "/fed/v1/push", {"content-type": "application/vnd.fisn.feed"}, b"one page")


def signed(call: Call = GET, *, use: str = "transport") -> Call:
    return sign_request(call, base_url=URLS[FR], signer=signer(BE, use), nonce=nonce(), now=NOW)


def received(call: Call) -> Received:
    return Received(call.method, call.path, tuple(call.headers.items()), call.body)


def verified(
    request: Received, *, base_url: str = URLS[FR], after: timedelta = timedelta(0)
) -> Requester:
    return verify_request(request, base_url=base_url, registry=REGISTRY, now=NOW + after)


def refused(
    request: Received,
    reason: str = "signature",
    *,
    base_url: str = URLS[FR],
    after: timedelta = timedelta(0),
) -> None:
    with pytest.raises(BadRequestError) as caught:
        verified(request, base_url=base_url, after=after)
    assert caught.value.reason == reason


@pytest.mark.parametrize("call", [GET, POST])
def test_a_signed_request_names_its_sender_and_nonce(call: Call) -> None:
    requester = verified(received(signed(call)))
    assert (requester.org, requester.kid, requester.nonce) == (BE, signer(BE).kid, nonce())


def test_a_replay_shows_the_same_key_and_nonce_until_it_is_too_old() -> None:
    request = received(signed())
    first, again = verified(request), verified(request, after=timedelta(seconds=90))
    assert (first.kid, first.nonce) == (again.kid, again.nonce)
    assert first.expires_at == NOW + SKEW
    assert verified(request, after=first.expires_at - NOW) == first
    refused(request, "time", after=first.expires_at - NOW + timedelta(seconds=1))


@given(st.integers(-400, 400))
def test_no_request_is_taken_after_its_nonce_may_be_forgotten(seconds: int) -> None:
    request = received(signed())
    after = timedelta(seconds=seconds)
    if abs(after) > SKEW:
        refused(request, "time", after=after)
    else:
        assert NOW + after <= verified(request, after=after).expires_at


def test_a_tampered_body_is_refused() -> None:
    request = received(signed(POST))
    refused(replace(request, body=b"another page"))
    refused(replace(request, body=b""))
    refused(replace(received(signed()), body=b"a body from nowhere"))


@pytest.mark.parametrize(
    "target",
    [
        "/fed/v1/feed?limit=200&wants=all",
        "/fed/v1/feed",
        "//fed/v1/feed?limit=200&wants=own",
        PATH + "&",
    ],
)
def test_a_tampered_target_is_refused(target: str) -> None:
    refused(replace(received(signed()), target=target))


def test_another_method_is_refused() -> None:
    refused(replace(received(signed()), method="POST"))
    refused(replace(received(signed()), method="get"))


@pytest.mark.parametrize(
    "base_url", [URLS[BE], "http://fr.example", "https://fr.example:8443", "https://fr.example/x"]
)
def test_a_request_for_another_recipient_is_refused(base_url: str) -> None:
    refused(received(signed()), base_url=base_url)


def test_a_seal_key_signs_no_requests() -> None:
    refused(received(signed(use="seal")))


def test_an_unknown_key_signs_no_requests() -> None:
    with pytest.raises(BadRequestError):
        verify_request(
            received(signed()),
            base_url=URLS[FR],
            registry=type(REGISTRY).read({"members": []}),
            now=NOW,
        )


@pytest.mark.parametrize("date", ["not_after", "revoked_at", "compromised_since"])
def test_a_key_out_of_its_time_signs_no_requests(date: str) -> None:
    for at, is_good in (("2026-11-22T12:59:59Z", False), ("2026-11-22T13:00:01Z", True)):
        registry = registry_where(BE, **{date: at})
        try:
            verify_request(received(signed()), base_url=URLS[FR], registry=registry, now=NOW)
        except BadRequestError:
            assert not is_good
        else:
            assert is_good


def custom(**changes: object) -> Received:
    """A request of BE's, signed in some other way than ours."""

    class Message:
        method, url, headers = "GET", URLS[FR] + PATH, dict[str, str]()

    message = Message()
    message.headers = {}
    options = {
        "key_id": signer(BE).kid,
        "created": NOW,
        "expires": NOW + LIFE,
        "nonce": nonce(),
        "tag": TAG,
        "covered_component_ids": ("@method", "@target-uri"),
        **changes,
    }
    library = HTTPMessageSigner(signature_algorithm=ED25519)
    prepared = library.prepare(message, **options)  # type: ignore[arg-type]  # lies
    library.apply(message, prepared, signer(BE).sign(prepared.signature_base))
    return Received("GET", PATH, tuple(message.headers.items()))


def test_the_other_way_of_signing_passes_when_nothing_is_changed() -> None:
    assert verified(custom()).org == BE


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"covered_component_ids": ("@method",)}, "signature"),
        ({"covered_component_ids": ("@target-uri",)}, "signature"),
        ({"covered_component_ids": ("@method", "@path", "@query")}, "signature"),
        ({"tag": "isac-fed/2"}, "signature"),
        ({"tag": None}, "signature"),
        ({"key_id": signer(FR).kid}, "signature"),
        ({"key_id": "x" * 43}, "signature"),
        ({"nonce": None}, "nonce"),
        ({"nonce": "short"}, "nonce"),
        ({"nonce": "n" * 65}, "nonce"),
        ({"nonce": nonce() + " "}, "nonce"),
        ({"expires": None}, "time"),
        ({"expires": NOW}, "time"),
        ({"expires": NOW + LIFE + timedelta(seconds=1)}, "time"),
        ({"created": NOW - timedelta(seconds=121), "expires": NOW - timedelta(seconds=61)}, "time"),
        (
            {"created": NOW + timedelta(seconds=121), "expires": NOW + timedelta(seconds=181)},
            "time",
        ),
        ({"created": NOW - timedelta(seconds=70), "expires": NOW - timedelta(seconds=61)}, "time"),
    ],
)
def test_a_signature_that_says_too_little_or_too_much_is_refused(
    changes: dict[str, object], reason: str
) -> None:
    refused(custom(**changes), reason)


def test_headers_are_there_once_and_short() -> None:
    request = received(signed())
    lines = list(request.headers)
    refused(replace(request, headers=[*lines, *(one for one in lines if one[0] == "signature")]))
    refused(replace(request, headers=[one for one in lines if one[0] != "signature-input"]))
    refused(replace(request, headers=[(name, value + " " * 5000) for name, value in lines]))


def test_two_signatures_with_our_tag_are_refused() -> None:
    one, two = dict(received(signed()).headers), dict(custom().headers)
    both = {
        "signature-input": f"{one['signature-input']}, {two['Signature-Input']}",
        "signature": f"{one['signature']}, {two['Signature']}",
    }
    refused(Received("GET", PATH, tuple(both.items())))


@given(
    st.text(st.characters(codec="ascii"), max_size=200),
    st.text(st.characters(codec="latin-1"), max_size=100),
)
def test_any_headers_are_refused_and_nothing_else(given_input: str, given_signature: str) -> None:
    lines = (("signature-input", given_input), ("signature", given_signature))
    with pytest.raises(BadRequestError):
        verified(Received("GET", PATH, lines))


@given(st.data())
def test_a_changed_byte_in_the_signature_headers_never_names_somebody_else(
    data: st.DataObject,
) -> None:
    lines = list(received(signed()).headers)
    which = data.draw(
        st.sampled_from([n for n, (name, _) in enumerate(lines) if name.startswith("signature")])
    )
    name, value = lines[which]
    at = data.draw(st.integers(0, len(value) - 1))
    other = value[:at] + chr(ord(value[at]) ^ (1 << data.draw(st.integers(0, 6)))) + value[at + 1 :]
    lines[which] = (name, other)
    try:
        requester = verified(Received("GET", PATH, lines))
    except BadRequestError:
        return
    assert (requester.org, requester.nonce) == (BE, nonce())


def test_a_nonce_is_sixteen_random_bytes() -> None:
    assert base64.urlsafe_b64decode(write_nonce(bytes(range(16))) + "==") == bytes(range(16))
    with pytest.raises(ValueError, match="16 are needed"):
        write_nonce(b"short")
