"""Words of this floor for Hypothesis, and a small federation with fixed keys."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st

from federation.feed import Feed
from federation.transfer import OutboxSet, TransferStatement
from federation.wire import GROUNDS, Ground, HeaderLine, ItemLine, Op
from policies.label import Label
from policies.tlp import Tlp
from sharing.seal.canonical import write_base64
from sharing.seal.holding import Holding
from sharing.seal.keys import KeyRegistry, Signer, key_id, spki_of
from sharing.seal.labels import addressee_record, label_record
from sharing.seal.maps import MaskRun
from sharing.seal.records import Header, Kind, Record, SlotType
from sharing.seal.seal import seal

NOW = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)

FR = "f0000000-0000-4000-8000-000000000001"
BE = "be000000-0000-4000-8000-000000000002"
DE = "de000000-0000-4000-8000-000000000003"
HUB = "e0000000-0000-4000-8000-000000000004"
ORGS = (FR, BE, DE, HUB)
EVENT = "11111111-1111-4111-8111-111111111111"
OTHER_EVENT = "22222222-2222-4222-8222-222222222222"
INCARNATION = "00112233445566778899aabbccddeeff"
RULEBOOK = sha256(b"rulebook").hexdigest()

URLS = {
    org: f"https://{name}.example"
    for org, name in zip(ORGS, ("fr", "be", "de", "hub"), strict=True)
}
COUNTRIES = dict(zip(ORGS, ("FR", "BE", "DE", "EU"), strict=True))


def private(org: str, use: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(f"{org} {use}".encode()).digest())


def signer(org: str, use: str = "transport") -> Signer:
    return Signer.from_private(private(org, use))


def key_entry(org: str, use: str, **dates: str) -> dict[str, object]:
    public = private(org, use).public_key()
    return {
        "kid": key_id(public),
        "alg": "ed25519",
        "spki": write_base64(spki_of(public)),
        "use": use,
        **dates,
    }


def member_entry(org: str, **dates: str) -> dict[str, object]:
    return {
        "org": org,
        "role": "hub" if org == HUB else "node",
        "country": COUNTRIES[org],
        "communities": [],
        "base_urls": [URLS[org]],
        "keys": [key_entry(org, "seal"), key_entry(org, "transport", **dates)],
    }


REGISTRY = KeyRegistry.read({"members": [member_entry(org) for org in ORGS]})


def registry_where(org: str, **dates: str) -> KeyRegistry:
    """The registry with other dates on this organisation's transport key."""
    return KeyRegistry.read(
        {
            "members": [
                member_entry(one, **dates) if one == org else member_entry(one) for one in ORGS
            ]
        }
    )


def nonce(text: str = "nonce") -> str:
    return sha256(text.encode()).hexdigest()[:22]


def feed(sender: str = FR, peer: str = BE, incarnation: str = INCARNATION) -> Feed:
    return Feed(
        me=sender,
        peer=peer,
        incarnation=incarnation,
        roster=1,
        rulebook_version="national/1",
        rulebook_digest=RULEBOOK,
        cursor_key=b"k" * 32,
        signer=signer(sender),
    )


# ── Logs ─────────────────────────────────────────────────────────────────────────────────────────

CORE = Header(Kind.CORE, (SlotType.HEAD,), (0,))
ATTRIBUTE = Header(Kind.ATTRIBUTE, (SlotType.HEAD,), (0,))


def attribute(n: int, label: int = 0) -> Record:
    uuid = f"aaaaaaaa-aaaa-4aaa-8aaa-{n:012x}"
    text = f'{{"uuid":"{uuid}","type":"domain","category":"Network activity","value":"host{n}.example"}}'
    return Record(replace(ATTRIBUTE, labels=(label,)), (text.encode(),))


def records(
    *, label: Label | None = None, to: tuple[str, ...] = (), attributes: int = 3
) -> list[Record]:
    return [
        label_record(0, label or Label(Tlp.GREEN)),
        *(addressee_record(0, party=org) for org in to),
        Record(CORE, (b'{"uuid":"cccccccc-cccc-4ccc-8ccc-cccccccccccc","info":"phishing"}',)),
        *(attribute(n) for n in range(attributes)),
    ]


def sealed(
    origin: str = FR,
    event: str = EVENT,
    *,
    of: list[Record] | None = None,
    log: str = "event",
    epoch: int = 0,
    salt: bytes = b"",
) -> Holding:
    """The first version of a log of this originator."""
    return seal(
        records() if of is None else of,
        log=log,
        event=event,
        issuer=origin,
        signers=[signer(origin, "seal")],
        seed=sha256(b"seed" + salt).digest(),
        class_salt=sha256(b"class" + salt).digest()[:16],
        at=NOW,
        epoch=epoch,
    )


def put_line(holding: Holding, pos: int, *, hops: int = 0) -> ItemLine:
    """The item line that offers a holding; its size is not known yet."""
    told = holding.statement
    return ItemLine(
        pos=pos,
        op=Op.PUT,
        origin=told.iss,
        event=told.event,
        epoch=told.epoch,
        seq=told.seq,
        seal=told.seal,
        digest=holding.digest,
        hops=hops,
    )


# ── Strategies ───────────────────────────────────────────────────────────────────────────────────

orgs = st.sampled_from(ORGS)
uuids = st.uuids(version=4).map(str)
hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
counters = st.integers(0, 2**32 - 1)
positions = st.integers(1, 2**53 - 1)
instants = st.integers(0, 2**31).map(
    lambda s: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=s)
)
cursors = st.from_regex(r"[A-Za-z0-9_-]{1,100}", fullmatch=True)

grounds = st.builds(
    Ground,
    ground=st.sampled_from(GROUNDS),
    kind=st.integers(0, 255),
    records=st.integers(0, 1000),
    slots=st.integers(0, 1000),
    fields=st.lists(st.from_regex(r"[a-z][a-z_.]{0,20}", fullmatch=True), max_size=3).map(tuple),
)


erasures = st.lists(
    st.tuples(st.integers(0, 99), st.integers(1, 99), st.integers(1, 255)), max_size=3
).map(
    lambda drawn: tuple(
        MaskRun(1000 * n + first, count, mask) for n, (first, count, mask) in enumerate(drawn)
    )
)


@st.composite
def item_lines(draw: st.DrawFn) -> ItemLine:
    op = draw(st.sampled_from(Op))
    put, recall = op is Op.PUT, op is Op.RECALL
    delta = put and draw(st.booleans())
    return ItemLine(
        pos=draw(positions),
        op=op,
        origin=draw(uuids),
        event=draw(uuids),
        epoch=draw(counters),
        seq=draw(counters),
        seal=draw(hashes),
        digest=draw(hashes) if put else None,
        hops=draw(st.integers(0, 16)),
        urgent=draw(st.booleans()),
        size=draw(st.integers(int(delta), 2**20)) if put else 0,
        withheld=tuple(draw(st.lists(grounds, max_size=3))) if put else (),
        recall=b'{"payload":"e30=","payloadType":"x","signatures":[]}' if recall else None,
        base=draw(hashes) if delta else None,
        erase=draw(erasures) if delta else (),
    )


header_lines = st.builds(
    HeaderLine,
    sender=uuids,
    to=uuids,
    incarnation=st.binary(min_size=16, max_size=16).map(bytes.hex),
    roster=st.integers(0, 1000),
    rulebook_version=st.from_regex(r"[a-z][a-z0-9./-]{0,20}", fullmatch=True),
    rulebook_digest=hashes,
    cursor=st.none() | cursors,
)

statements = st.builds(
    TransferStatement,
    sender=uuids,
    to=uuids,
    incarnation=st.binary(min_size=16, max_size=16).map(bytes.hex),
    after=st.none() | st.integers(0, 1000),
    upto=st.integers(0, 1000),
    head=st.integers(0, 1000),
    more=st.booleans(),
    next=cursors,
    count=st.integers(0, 200),
    root=hashes,
    rulebook=hashes,
    roster=st.integers(0, 1000),
    nonce=st.from_regex(r"[A-Za-z0-9_-]{22,64}", fullmatch=True),
    at=instants,
    keys=st.sampled_from([(signer(org).kid,) for org in ORGS]),
    outbox=st.none() | st.builds(OutboxSet, n=st.integers(0, 1000), sum=hashes),
)
