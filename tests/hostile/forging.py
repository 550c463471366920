"""What a member of the federation can forge: everything but other members' signatures.

Its keys are made from its name, so that the roster which lists it and the peer that plays it agree.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

from federation.auth import NONCE_BYTES, write_nonce
from federation.feed import Feed, Plan, Question, write_page
from federation.transfer import OutboxSet
from federation.wire import ItemLine
from policies.label import Label
from policies.tlp import Tlp
from sharing.event import NOBODY, Attribute, Audience, Draft, Event
from sharing.seal.holding import Holding
from sharing.seal.package import write_package
from sharing.seal.seal import seal
from sharing.slots import Names, cut_event
from tests.federation.strategies import key_entry, put_line, signer

VICTIM = "0f0e0d0c-0b0a-4908-8706-0000000000f1"
LIFE, OTHER_LIFE = "ab" * 16, "cd" * 16
RULEBOOK = sha256(b"rulebook of the hostile").hexdigest()
HEAD = 1000  # where each hostile feed says that it ends


def org_of(name: str) -> str:
    """The organisation of the member who plays this part."""
    return str(UUID(bytes=sha256(name.encode()).digest()[:16], version=4))


def entry_of(name: str, base_url: str, role: str = "node", **seal_dates: str) -> dict[str, object]:
    """The member as a roster lists it; `seal_dates` stand at its seal key."""
    org = org_of(name)
    return {
        "org": org,
        "name": name,
        "role": role,
        "country": "XX",
        "communities": [],
        "base_urls": [base_url],
        "keys": [key_entry(org, "seal", **seal_dates), key_entry(org, "transport")],
    }


def now() -> datetime:
    return datetime.now(UTC)


def nonce_of() -> str:
    """A nonce that was never used."""
    return write_nonce(os.urandom(NONCE_BYTES))


def sealed(
    name: str,
    info: str = "Phishing",
    *,
    event: str = "",
    label: Label | None = None,
    audience: Audience = NOBODY,
    at: datetime | None = None,
    log: str = "event",
) -> Holding:
    """The first version of a log that this member seals; everything in it is disclosed."""
    org, event = org_of(name), event or str(uuid4())
    attribute = Attribute(
        str(uuid4()), "domain", "Network activity", f"{name}.example", True, 1769500000
    )
    told = Event(event, info, "2026-01-27", 4, 0, 1769500000, attributes=(attribute,))
    drafted = Draft(told, label or Label(Tlp.GREEN), org, audience)
    return seal(
        cut_event(drafted, Names.of(None, lambda: str(uuid4()))),
        log=log,
        event=event,
        issuer=org,
        signers=[signer(org, "seal")],
        seed=os.urandom(32),
        class_salt=os.urandom(16),
        at=at or now() - timedelta(minutes=1),
    )


@dataclass(frozen=True)
class Item:
    """One row of a hostile feed: its line, and the bytes that go with it."""

    line: ItemLine
    raw: bytes = b""


def put(holding: Holding, pos: int = 1, *, raw: bytes | None = None, **said: object) -> Item:
    """The row that offers a holding, whatever else is said about it or sent for it."""
    line = replace(put_line(holding, pos), **said)  # type: ignore[arg-type]  # lies
    return Item(line, write_package(holding) if raw is None else raw)


@dataclass(frozen=True)
class Asked:
    """What the victim asked a hostile peer's feed."""

    cursor: str | None
    nonce: str


@dataclass(frozen=True)
class Forger:
    """A member who serves a feed; `feed` is what its pages say of it."""

    name: str
    feed: Feed = field(init=False)

    def __post_init__(self) -> None:
        org = org_of(self.name)
        feed = Feed(org, VICTIM, LIFE, 1, "hostile/1", RULEBOOK, b"k" * 32, signer(org))
        object.__setattr__(self, "feed", feed)

    def page(
        self,
        asked: Asked,
        items: Sequence[Item] = (),
        *,
        feed: Feed | None = None,
        after: int | None = 0,
        cursor: str | None = None,
        nonce: str = "",
        more: bool = False,
        outbox: OutboxSet | None = None,
    ) -> bytes:
        """A page in answer to what was asked, with any of it said otherwise."""
        raws = {(item.line.origin, item.line.event, item.line.pos): item.raw for item in items}
        place = self.place(asked) if after == 0 else after
        pages = write_page(
            feed or self.feed,
            Question(place, cursor or asked.cursor, nonce or asked.nonce),
            Plan(tuple(item.line for item in items), cut=more, held_back=False),
            lambda line: raws[line.origin, line.event, line.pos],
            head=max(HEAD, *(item.line.pos for item in items)) if items else place or 0,
            now=now(),
            outbox=outbox,
        )
        return b"".join(pages)

    def place(self, asked: Asked) -> int:
        """Up to where the victim has read, as the cursor that we gave it says."""
        if asked.cursor is None:
            return 0
        return next(pos for pos in range(HEAD) if self.feed.cursor_at(pos) == asked.cursor)
