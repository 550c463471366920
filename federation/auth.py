"""Signed requests between members: RFC 9421 with Ed25519 transport keys, tag isac-fed/1.

A request's signature covers its method, its whole target URI (so the recipient's address is bound
and nobody can send it on to another node) and, where there is a body, the body's digest. It lives
60 seconds by the sender's clock; clocks may differ by two minutes. A valid signature can still be a
replay: the caller must spend (kid, nonce) once, *after* this check, and refuse the second time.

Times here come from the real wall clock, never from a scenario's clock: handed in as `now`.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    VerifyResult,
)
from http_message_signatures.algorithms import ED25519

from federation.call import Call
from federation.errors import BadRequestError
from federation.lines import NONCE
from sharing.seal.keys import KeyRegistry, Signer, Use

TAG = "isac-fed/1"
LIFE = timedelta(seconds=60)
SKEW = timedelta(seconds=120)
NONCE_BYTES = 16
_HEADER_CAP = 4096
_SIGNATURE_HEADERS = ("signature-input", "signature")
_LABEL = "fed"
_COVERED = ("@method", "@target-uri")
_COVERED_WITH_BODY = (*_COVERED, "content-digest")


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived: `target` is path and query in the raw form, not normalised."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Requester:
    """Who sent a request, proven; (kid, nonce) must be remembered until `expires_at`."""

    org: str
    kid: str
    nonce: str
    expires_at: datetime


def write_nonce(chance: bytes) -> str:
    """The nonce for 16 random bytes, which must never be used twice."""
    if len(chance) != NONCE_BYTES:
        raise ValueError(f"{len(chance)} random bytes, {NONCE_BYTES} are needed")
    return base64.urlsafe_b64encode(chance).decode("ascii").rstrip("=")


def sign_request(call: Call, *, base_url: str, signer: Signer, nonce: str, now: datetime) -> Call:
    """The call with its signature headers, valid at this base URL for 60 seconds from `now`."""
    headers = dict(call.headers)
    message = _Message(call.method, base_url + call.path, headers)
    library = HTTPMessageSigner(signature_algorithm=ED25519)
    prepared = library.prepare(
        message,
        key_id=signer.kid,
        created=now,
        expires=now + LIFE,
        nonce=nonce,
        label=_LABEL,
        tag=TAG,
        covered_component_ids=_COVERED,
        body=call.body or None,
    )
    library.apply(message, prepared, signer.sign(prepared.signature_base))
    return replace(call, headers={name.lower(): value for name, value in headers.items()})


def verify_request(
    received: Received, *, base_url: str, registry: KeyRegistry, now: datetime
) -> Requester:
    """The member whose valid transport key signed this very request for this base URL.

    Raises:
        BadRequestError: with reason `signature` (missing, malformed, over other bytes, over too
            little, or by another than a valid transport key), `nonce`, or `time` (created more than
            120 s from now, longer-lived than 60 s, or expired).
    """
    _check_sizes(received.headers)
    keys = _TransportKeys(registry, now)
    message = _Message(received.method, base_url + received.target, _Lines(received.headers))
    try:
        results = _Verifier(signature_algorithm=ED25519, key_resolver=keys).verify(
            message,
            max_age=None,
            expect_tag=TAG,
            require_components=_COVERED_WITH_BODY if received.body else _COVERED,
            body=received.body,
        )
    except HTTPMessageSignaturesException as error:
        raise BadRequestError("signature", str(error)) from error
    if len(results) != 1:
        raise BadRequestError("signature", f"{len(results)} signatures tagged {TAG}, not one")
    return _requester(results[0], keys, now)


def _requester(result: VerifyResult, keys: "_TransportKeys", now: datetime) -> Requester:
    kid, nonce = result.parameters["keyid"], result.nonce
    if nonce is None or not NONCE.fullmatch(nonce):
        raise BadRequestError("nonce", "the nonce is not 22 to 64 base64url characters")
    return Requester(
        org=keys.owner(str(kid)),
        kid=str(kid),
        nonce=nonce,
        expires_at=_check_times(result, now),
    )


def _check_times(result: VerifyResult, now: datetime) -> datetime:
    """The instant from which on this signature is refused for its age."""
    created, expires = result.parameters.get("created"), result.parameters.get("expires")
    if not isinstance(created, int) or not isinstance(expires, int):
        raise BadRequestError("time", "created or expires is missing")
    life_s, age_s = expires - created, now.timestamp() - created
    if not 0 < life_s <= LIFE.total_seconds():
        raise BadRequestError("time", f"lives {life_s} s, at most {LIFE.total_seconds():.0f}")
    if abs(age_s) > SKEW.total_seconds():
        raise BadRequestError("time", f"created {age_s:.0f} s ago by our clock")
    # The sender's clock may be behind ours by as much as is left of the allowed difference.
    allowed_s = life_s + (SKEW - LIFE).total_seconds()
    if age_s > allowed_s:
        raise BadRequestError("time", f"expired {age_s - life_s:.0f} s ago by our clock")
    return datetime.fromtimestamp(created + allowed_s, tz=UTC)


def _check_sizes(headers: Sequence[tuple[str, str]]) -> None:
    for name in _SIGNATURE_HEADERS:
        lines = [value for given, value in headers if given.lower() == name]
        if len(lines) != 1 or len(lines[0]) > _HEADER_CAP:
            raise BadRequestError("signature", f"{name} is not there exactly once, or too long")


@dataclass(frozen=True, slots=True)
class _Message:
    """A request as the signature library reads it."""

    method: str
    url: str
    headers: "dict[str, str] | _Lines"


@dataclass(frozen=True, slots=True)
class _Lines:
    """Header lines as they came, also those that came twice."""

    lines: Sequence[tuple[str, str]]

    def items(self) -> Sequence[tuple[str, str]]:
        """Name and value, in order."""
        return self.lines


class _Verifier(HTTPMessageVerifier):
    """The library's verifier without its own look at the clock; `_check_times` does that."""

    def validate_created_and_expires(self, sig_input: object, max_age: object = None) -> None:
        """Nothing here."""


class _TransportKeys(HTTPSignatureKeyResolver):
    """Valid transport keys of members; any other key is unknown."""

    def __init__(self, registry: KeyRegistry, now: datetime) -> None:
        self._registry = registry
        self._now = now

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey | None:
        """The key, if a member may sign requests with it now."""
        key = self._registry.keys.get(key_id)
        if key is None or key.use is not Use.TRANSPORT or not key.valid_at(self._now):
            return None
        return key.public if isinstance(key.public, Ed25519PublicKey) else None

    def owner(self, key_id: str) -> str:
        """The member whose key it is."""
        return self._registry.keys[key_id].org
