"""What stands beside the seal: what nobody can do without, and what others would have used.

Each can be made and checked, of the same attributes. Raw: SHA-256 over the same bytes, message by
message as the format asks (leaves, commitments, nodes), and one Ed25519 signature or verification.
JWS: one signature over all of the JSON, of which nothing can be withheld. sd-jwt: every attribute
and every comment can be, as with us.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from typing import Any

import orjson

from node.bench.subject import KEY
from sharing.seal.dsse import pae
from sharing.seal.holding import Holding
from sharing.seal.records import Kind, Record
from sharing.seal.salts import split_salts
from sharing.seal.statement import PAYLOAD_TYPE

RAW, JWS, SD_JWT = "raw", "JWS", "sd-jwt"
SD_JWT_ATTRIBUTES = 10_000  # with more, it would be a bench of nothing else
MISSING = "No JWS and no sd-jwt beside it: they come with the test packages (`isac check`)."


@dataclass(frozen=True, slots=True)
class Rival:
    """Another way; `size_bytes` is what would travel, 0 where nothing could."""

    name: str
    make: Callable[[], object]
    check: Callable[[], object]
    size_bytes: int = 0


def rivals(records: Sequence[Record], holding: Holding) -> list[Rival]:
    """All that can be measured here, raw first; `holding` is what sealing `records` gave."""
    beside = [_raw(holding)]
    things = [_thing(record) for record in records if record.header.kind == Kind.ATTRIBUTE]
    if is_installed():
        beside.append(_jws(things))
    if is_installed() and len(things) <= SD_JWT_ATTRIBUTES:
        beside.append(_sd_jwt(things))
    return beside


def is_installed() -> bool:
    """Whether JWS and sd-jwt can be measured."""
    try:
        import_module("sd_jwt")
    except ModuleNotFoundError:
        return False
    return True


# Raw


def _raw(holding: Holding) -> Rival:
    messages = _messages(holding)
    signed = pae(PAYLOAD_TYPE, holding.payload)
    signature, public = KEY.sign(signed), KEY.public_key()
    return Rival(
        RAW,
        lambda: (_hash(messages), KEY.sign(signed)),
        lambda: (_hash(messages), public.verify(signature, signed)),
    )


def _messages(holding: Holding) -> list[bytes]:
    """Every message that is hashed for this log, as long as it is there."""
    disclosure = holding.disclosure
    salts, slots = iter(split_salts(disclosure.salts)), iter(disclosure.slots)
    messages = list[bytes]()
    for band in disclosure.bands:
        leaf = b"\x00" + band.header.encoded
        for _ in range(band.length):
            if band.header.width == 1:
                messages.append(leaf + next(salts) + next(slots))
                continue
            messages += [b"\x02" + next(salts) + next(slots) for _ in range(band.header.width)]
            messages.append(leaf + bytes(32 * band.header.width))
    nodes = disclosure.count - 1
    return messages + [b"\x01" + bytes(64)] * nodes


def _hash(messages: Sequence[bytes]) -> list[bytes]:
    return [sha256(message).digest() for message in messages]


# JWS and sd-jwt


def _thing(record: Record) -> dict[str, object]:
    """A record as one JSON object."""
    return {name: value for slot in record.slots for name, value in orjson.loads(slot).items()}


def _jws(things: Sequence[dict[str, object]]) -> Rival:
    key, public = _keys()
    token = import_module("jwcrypto.jws").JWS
    text = orjson.dumps({"Attribute": things})

    def make() -> str:
        signed = token(text)
        signed.add_signature(key, protected='{"alg":"EdDSA"}')
        return str(signed.serialize(compact=True))

    def check() -> object:
        read = token()
        read.deserialize(made, public)
        return orjson.loads(read.payload)

    made = make()
    return Rival(JWS, make, check, len(made))


def _sd_jwt(things: Sequence[dict[str, object]]) -> Rival:
    key, public = _keys()
    issuer = import_module("sd_jwt.issuer").SDJWTIssuer
    verifier = import_module("sd_jwt.verifier").SDJWTVerifier
    part = import_module("sd_jwt.common").SDObj
    claims = {
        "Attribute": [
            part({part(name) if name == "comment" else name: thing[name] for name in thing})
            for thing in things
        ]
    }

    def make() -> str:
        return str(issuer(claims, key, sign_alg="EdDSA").sd_jwt_issuance)

    def check() -> object:
        return verifier(made, lambda _issuer, _header: public).get_verified_payload()

    made = make()
    return Rival(SD_JWT, make, check, len(made))


def _keys() -> tuple[Any, Any]:
    """The key that seals and its public half, as JSON web keys."""
    key = import_module("jwcrypto.jwk").JWK
    return key.from_pyca(KEY), key.from_pyca(KEY.public_key())
