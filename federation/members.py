"""A member's own entry: what it says of itself, and how much of that anybody here believes.

The hub's roster only carries entries; each is signed by its member. Of a member that our operator
has accepted, a new key counts if a seal key of its own that we know, unrevoked, has *endorsed* it
(or the root's threshold has signed the entry); name and addresses count if such a key signed the
entry; what the federation vouches for (role, country, communities) only by the root or our
operator. So whoever holds the hub's key can silence a member, but neither speak nor listen for it.

Where a member has seal keys of two algorithms, "a key of its own" is one of each.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import orjson

from federation.errors import BadLineError, BadTrustError
from federation.fingerprint import spell
from federation.lines import UUID, Fields, write_instant
from federation.peer import BadPeerError, party_of, read_base_url
from federation.trust import Removal, Revocation, Root, signers_among
from sharing.errors import SharingError
from sharing.seal.canonical import read_instant
from sharing.seal.dsse import (
    Signature,
    read_envelope,
    read_signatures,
    sign_envelope,
    write_envelope,
    write_signatures,
)
from sharing.seal.keys import Key, KeyRegistry, Member, Signer, Use
from sharing.seal.strictjson import read_object

MEMBER_TYPE = "application/vnd.fisn.member.v1+json"
KEY_TYPE = "application/vnd.fisn.key.v1+json"
ENTRY_CAP = 256 * 1024
KEYS_CAP = 64
FOLLOWED = ("name", "base_urls", "tls_pins")  # a member says these of itself
VOUCHED = ("role", "country", "communities")  # the federation says these of a member

Facts = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SignedEntry:
    """A member's entry with its signatures; `facts` holds also what we do not know."""

    org: str
    version: int
    facts: Facts
    member: Member
    payload: bytes
    signed: tuple[Signature, ...]

    @property
    def fingerprint(self) -> str:
        """What its operator and ours compare."""
        return fingerprint_of(self.facts)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a signed entry changes of the one we hold.

    `facts` is what to hold from now on; `told` says what changed, `waits` what does not count until
    our operator or the root has said so, and why.
    """

    facts: Facts
    told: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()


# ── A member signs ───────────────────────────────────────────────────────────────────────────────


def endorse(key: Facts, org: str, signers: Sequence[Signer]) -> dict[str, object]:
    """The key entry with an endorsement by each signer more: itself (possession), an older key."""
    endorsed = sign_envelope(KEY_TYPE, _key_message(key, org), signers)
    fresh = {one.keyid for one in endorsed}
    kept = [one for one in _endorsements(key) if one.keyid not in fresh]
    return {**key, "endorsed": write_signatures([*kept, *endorsed])}


def sign_entry(facts: Facts, version: int, signers: Sequence[Signer]) -> bytes:
    """The envelope of a member's entry in this version, signed by its seal keys in use."""
    payload = orjson.dumps({**facts, "_type": "fisn.member/1", "version": version})
    return write_envelope(MEMBER_TYPE, payload, sign_envelope(MEMBER_TYPE, payload, signers))


# ── We read ──────────────────────────────────────────────────────────────────────────────────────


def read_entry(envelope: bytes) -> SignedEntry:
    """A member's entry; nothing of it is believed yet.

    Raises:
        BadTrustError: `form`.
    """
    if len(envelope) > ENTRY_CAP:
        raise BadTrustError("form", f"entry: {len(envelope)} bytes, at most {ENTRY_CAP}")
    try:
        payload, signed = read_envelope(envelope, MEMBER_TYPE)
        facts = read_object(payload)
        (member,) = KeyRegistry.read({"members": [facts]}).members.values()
        fields = Fields("entry", facts)
        fields.exactly("_type", "fisn.member/1")
        org, version = fields.text("org", UUID), fields.integer("version", 1)
        party_of(member)
        for url in member.base_urls:
            read_base_url(url)
    except (SharingError, BadLineError, BadPeerError) as error:
        raise BadTrustError("form", f"entry: {error}") from error
    listed = facts["keys"]
    if orjson.dumps(facts) != payload or not isinstance(listed, list) or len(listed) > KEYS_CAP:
        raise BadTrustError("form", f"entry: not in its shortest spelling, or over {KEYS_CAP} keys")
    del facts["_type"]
    return SignedEntry(org, version, facts, member, payload, signed)


def check_possession(entry: SignedEntry) -> None:
    """Check that a new member holds the keys it lists: its seal keys signed, every key endorsed.

    Raises:
        BadTrustError: `possession`.
    """
    keys = {key.kid: key for key in entry.member.keys}
    seals = [kid for kid, key in keys.items() if key.use is Use.SEAL and not is_ended(key)]
    signers = signers_among(keys, MEMBER_TYPE, entry.payload, entry.signed)
    if not seals or not signers.issuperset(seals) or len(keys) != len(_raw_keys(entry.facts)):
        raise BadTrustError("possession", "entry: not signed by every seal key that it lists")
    for raw in _raw_keys(entry.facts):
        kid = str(raw["kid"])
        if kid not in _endorsers(raw, entry.org, keys):
            raise BadTrustError("possession", f"entry: key {kid} has not endorsed itself")


def judge(entry: SignedEntry, held: Facts, *, root: Root, taken: Collection[str] = ()) -> Judged:
    """What this entry changes of what we hold of an accepted member.

    `held` is our roster's entry of it, `taken` the ids of other members' keys.
    """
    by_root = root.has_signed(MEMBER_TYPE, entry.payload, entry.signed)
    if entry.version < _version(held) or (entry.version == _version(held) and not by_root):
        return Judged(held)
    known = _trusted_keys(held)
    believed, waits = _believe(entry, known, held, by_root=by_root, taken=taken)
    signers = signers_among(believed, MEMBER_TYPE, entry.payload, entry.signed)
    if not by_root and not _speaks(signers, believed, _algorithms(known)):
        why = "its new entry is signed by no key of its own that counts here"
        return Judged(held, waits=(why,))
    vouched = VOUCHED if by_root else ()
    changed = [name for name in (*FOLLOWED, *vouched) if entry.facts.get(name) != held.get(name)]
    waits += [
        f"{name} would change: that takes the root, or our operator"
        for name in VOUCHED
        if name not in vouched and entry.facts.get(name) != held.get(name)
    ]
    keys, told = _merged_keys(entry, held, believed)
    facts = {
        **held,
        **{name: value for name, value in entry.facts.items() if name not in VOUCHED},
        **{name: entry.facts[name] for name in changed if name in entry.facts},
        "keys": keys,
    }
    told += [f"{name} changed" for name in changed]
    return Judged(facts, tuple(told), tuple(waits))


def revoke(held: Facts, revoked: Iterable[Revocation]) -> Judged:
    """The entry with these keys ended; what was ended before is never loosened."""
    ends = {one.kid: one for one in revoked}
    keys, told = list[Facts](), list[str]()
    for raw in _raw_keys(held):
        end = ends.get(str(raw["kid"]))
        ended = raw if end is None else _stricter({**raw, **_dates(end)}, raw)
        if ended != raw:
            told.append(f"key {raw['kid']} revoked")
        keys.append(ended)
    return Judged({**held, "keys": keys} if told else held, tuple(told))


def remove(held: Facts, removal: Removal) -> Judged:
    """The entry marked as removed, unless our operator has accepted the member since."""
    accepted = held.get("accepted_at")
    if "removed_at" in held or (isinstance(accepted, str) and read_instant(accepted) >= removal.at):
        return Judged(held)
    marked = {**held, "removed_at": write_instant(removal.at), "removed_why": removal.why}
    return Judged(marked, ("removed from the federation",))


def as_it_counts(held: Facts) -> Facts:
    """An entry as keys and peers are read from it: one removed has no address, and its keys ended.

    What it signed and we saw before goes on counting.
    """
    at = held.get("removed_at")
    if not isinstance(at, str):
        return held
    end = {"revoked_at": at, "reason": "removed from the federation", "compromised_since": at}
    keys = [_stricter({**raw, **end}, raw) for raw in _raw_keys(held)]
    return {**held, "base_urls": [], "keys": keys}


def fingerprint_of(facts: Facts) -> str:
    """What people compare of an entry: who, where, as what, and by which keys."""
    listed = (Fields("entry", facts).take(name) for name in ("org", *VOUCHED, "base_urls"))
    kids = sorted(str(raw["kid"]) for raw in _raw_keys(facts) if not _is_raw_ended(raw))
    return spell(sha256(orjson.dumps([*listed, kids])).digest())


def revocations_of(held: Facts) -> list[Revocation]:
    """The keys that an entry says are revoked."""
    return [
        Revocation(
            kid=str(raw["kid"]),
            revoked_at=read_instant(raw["revoked_at"]),
            reason=str(raw.get("reason") or ""),
            compromised_since=read_instant(raw.get("compromised_since") or raw["revoked_at"]),
        )
        for raw in _raw_keys(held)
        if raw.get("revoked_at")
    ]


# ── Keys ─────────────────────────────────────────────────────────────────────────────────────────


def _believe(
    entry: SignedEntry,
    known: Mapping[str, Key],
    held: Facts,
    *,
    by_root: bool,
    taken: Collection[str],
) -> tuple[dict[str, Key], list[str]]:
    """The member's keys that count: those we know, and those they lead to, one by one."""
    offered = {key.kid: key for key in entry.member.keys}
    ever = {str(raw["kid"]) for raw in _raw_keys(held)}
    fresh = {str(raw["kid"]): raw for raw in _raw_keys(entry.facts) if raw["kid"] not in ever}
    believed, wanted = dict(known), _algorithms(known)
    goes_on = True
    while goes_on:
        goes_on = False
        for kid, raw in list(fresh.items()):
            key = offered.get(kid)
            if key is None or kid in taken or kid not in _endorsers(raw, entry.org, {kid: key}):
                continue
            elders = _endorsers(raw, entry.org, believed)
            if by_root or _speaks(elders, believed, wanted):
                del fresh[kid]
                believed[kid] = key
                goes_on = True
    return believed, [f"key {kid}: {_why_not(kid, taken)}" for kid in fresh]


def _why_not(kid: str, taken: Collection[str]) -> str:
    if kid in taken:
        return "is another member's"
    return "endorsed neither by itself and a key of its own that counts here, nor by the root"


def _speaks(kids: Collection[str], keys: Mapping[str, Key], wanted: Collection[str]) -> bool:
    """Whether these are seal keys of every algorithm that the member signs with."""
    seals = [keys[kid] for kid in kids if keys[kid].use is Use.SEAL]
    return bool(wanted) and {type(key.public).__name__ for key in seals} >= set(wanted)


def _algorithms(known: Mapping[str, Key]) -> frozenset[str]:
    """The algorithms of a member's seal keys in use; of any, where all are retired."""
    seals = [key for key in known.values() if key.use is Use.SEAL]
    in_use = [key for key in seals if not is_ended(key)]
    return frozenset(type(key.public).__name__ for key in in_use or seals)


def _trusted_keys(held: Facts) -> dict[str, Key]:
    """The keys we hold of a member that were not revoked; a retired one still vouches."""
    try:
        keys = KeyRegistry.read({"members": [held]}).keys.values()
    except SharingError as error:
        raise BadTrustError("form", f"our own roster: {error}") from error
    return {
        key.kid: key for key in keys if key.revoked_at is None and key.compromised_since is None
    }


def _merged_keys(
    entry: SignedEntry, held: Facts, believed: Mapping[str, Key]
) -> tuple[list[Facts], list[str]]:
    """The entry's keys that count, and those we hold and it no longer lists."""
    ours = {str(raw["kid"]): raw for raw in _raw_keys(held)}
    keys, told = list[Facts](), list[str]()
    for raw in _raw_keys(entry.facts):
        kid = str(raw["kid"])
        old = ours.pop(kid, None)
        if old is None and kid not in believed:
            continue
        merged = raw if old is None else _stricter({**old, **_ends(raw), **_endorsed(raw)}, old)
        told += _told_of(kid, old, merged)
        keys.append(merged)
    return [*keys, *ours.values()], told


def _told_of(kid: str, old: Facts | None, new: Facts) -> list[str]:
    if old is None:
        return [f"new key {kid}"]
    if new.get("revoked_at") and not old.get("revoked_at"):
        return [f"key {kid} revoked"]
    return [f"key {kid} retired"] if new.get("not_after") and not old.get("not_after") else []


def _ends(raw: Facts) -> Facts:
    names = ("not_before", "not_after", "revoked_at", "reason", "compromised_since")
    return {name: raw[name] for name in names if raw.get(name) is not None}


def _endorsed(raw: Facts) -> Facts:
    return {"endorsed": raw["endorsed"]} if "endorsed" in raw else {}


def _stricter(new: Facts, old: Facts) -> Facts:
    """A key entry that takes back no end of the old one."""
    merged = dict(new)
    for name in ("revoked_at", "compromised_since"):
        told = [read_instant(one[name]) for one in (new, old) if one.get(name)]
        if told:
            merged[name] = write_instant(min(told))
    if old.get("revoked_at") and old.get("reason"):
        merged["reason"] = old["reason"]
    return merged


def _dates(end: Revocation) -> Facts:
    return {
        "revoked_at": write_instant(end.revoked_at),
        "reason": end.reason,
        "compromised_since": write_instant(end.compromised_since),
    }


def is_ended(key: Key) -> bool:
    """Whether a key is retired or revoked, whenever that was or will be."""
    return key.not_after is not None or key.revoked_at is not None


def _is_raw_ended(raw: Facts) -> bool:
    return bool(raw.get("not_after") or raw.get("revoked_at"))


def _raw_keys(facts: Facts) -> list[Facts]:
    keys = facts.get("keys")
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def _version(held: Facts) -> int:
    version = held.get("version")
    return version if isinstance(version, int) else 0


def _key_message(key: Facts, org: str) -> bytes:
    named = {name: key[name] for name in ("alg", "kid", "spki", "use")}
    return orjson.dumps({"org": org, **named})


def _endorsements(key: Facts) -> tuple[Signature, ...]:
    try:
        return read_signatures(key.get("endorsed", []))[:KEYS_CAP]
    except SharingError:
        return ()


def _endorsers(raw: Facts, org: str, keys: Mapping[str, Key]) -> frozenset[str]:
    """Those of the keys that endorsed this one."""
    return signers_among(keys, KEY_TYPE, _key_message(raw, org), _endorsements(raw))


def accepted(entry: SignedEntry, held: Facts | None, at: datetime) -> Facts:
    """What to hold once our operator has accepted the entry as it stands; no key's end is loosened.

    `at` outweighs every removal from before.
    """
    facts = {**entry.facts, "accepted_at": write_instant(at)}
    if held is None:
        return facts
    believed = {key.kid: key for key in entry.member.keys}
    return {**facts, "keys": _merged_keys(entry, held, believed)[0]}


def differences(entry: SignedEntry, held: Facts) -> tuple[str, ...]:
    """What the entry says otherwise than what we hold, in words; for people to decide about."""
    ours = {str(raw["kid"]) for raw in _raw_keys(held)}
    kids = [str(raw["kid"]) for raw in _raw_keys(entry.facts)]
    told = [f"key {kid}" for kid in kids if kid not in ours]
    named = (*FOLLOWED, *VOUCHED)
    return (*told, *(name for name in named if entry.facts.get(name) != held.get(name)))
