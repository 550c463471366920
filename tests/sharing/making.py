"""Makes what the tests of this floor need: signed logs, parties, uuids in a row."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from policies.party import STANDARD_ROLES, Party
from sharing.seal.holding import Holding
from sharing.seal.keys import KeyRegistry, Signer, spki_of
from sharing.seal.package import load_holding, write_package
from sharing.seal.records import Record
from sharing.seal.seal import reseal, seal
from sharing.slots import Change

FR = "7a1f3c52-6d0e-4b7c-9a35-2f9f0c6e1f01"
BE = "7a1f3c52-6d0e-4b7c-9a35-2f9f0c6e1f02"
DE = "7a1f3c52-6d0e-4b7c-9a35-2f9f0c6e1f03"
NL = "7a1f3c52-6d0e-4b7c-9a35-2f9f0c6e1f04"
HUB = "7a1f3c52-6d0e-4b7c-9a35-2f9f0c6e1f00"
HOSPITAL = "1c9e6a10-54c1-4f55-8a41-94a9d4b2aa01"
OTHER_HOSPITAL = "1c9e6a10-54c1-4f55-8a41-94a9d4b2aa02"
NOW = datetime(2026, 1, 27, 7, 40, 31, tzinfo=UTC)
_PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = Signer.from_private(_PRIVATE)
REGISTRY = KeyRegistry.read(
    {
        "members": [
            {
                "org": FR,
                "role": "national",
                "country": "FR",
                "keys": [
                    {
                        "kid": SIGNER.kid,
                        "alg": "ed25519",
                        "spki": b64encode(spki_of(_PRIVATE.public_key())).decode(),
                        "use": "seal",
                    }
                ],
            }
        ]
    }
)


def counting() -> Callable[[], str]:
    """Gives one random-looking (version 4) uuid after the other."""
    numbers = count(1)
    return lambda: f"{next(numbers):08x}-0000-4000-8000-000000000000"


def party(org: str, kind: str = "node", country: str = "BE", *communities: str) -> Party:
    return Party(org, kind, country, STANDARD_ROLES[kind], frozenset(communities))


def sealed(
    records: Sequence[Record], uuid: str, log: str = "event", at: datetime = NOW, origin: str = FR
) -> Holding:
    """The first version of a log, as its node stores it."""
    holding = seal(
        records,
        log=log,
        event=uuid,
        issuer=origin,
        signers=[SIGNER],
        seed=bytes(32),
        class_salt=bytes(16),
        at=at,
    )
    return load_holding(write_package(holding))


def resealed(held: Holding, change: Change, at: datetime = NOW) -> Holding:
    """The next version of a log."""
    return reseal(
        held,
        append=change.append,
        void=change.void,
        signers=[SIGNER],
        seed=bytes(32),
        class_salt=bytes(16),
        at=at,
    )


def received(held: Holding, masks: dict[int, int]) -> Holding:
    """What a party holds that was sent these masks."""
    return load_holding(write_package(held, masks))
