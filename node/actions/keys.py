"""The node's keys over time: made ahead, put in use, retired, revoked; and a peer's taken up.

A key is made and told to the peers before it is used; what it replaces stays in the roster as
retired and goes on verifying what it signed. Only a revocation with `compromised_since` ends that,
for what was first seen since then (sealing.md §2.11). All of it is the shell's: whoever may write
the key files and the roster decides. Works on files alone, since a node whose suite was changed
opens only when its keys are there; the running node reads the roster anew by itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from federation.members import endorse
from node.clock import wall_clock
from node.errors import SettingsError
from node.keys import make_next_keys, put_next_keys, read_keys, signers_on_disk
from node.node import clock_of
from node.roster import Entry, KeyEntry, keys_of, put_keys, put_members, read_roster
from node.settings import Settings
from node.storage import audit
from node.storage.peers import begin_anew
from node.storage.quarantine import sources_refused_for
from node.storage.schema import migrate
from node.storage.store import open_store
from sharing.errors import SharingError
from sharing.seal.canonical import write_instant
from sharing.seal.keys import Key, KeyRegistry, Member, Use

ACTOR = "shell"


@dataclass(frozen=True, slots=True)
class Turned:
    """Key ids after a rotation: those in use now, and those it retired."""

    in_use: tuple[str, ...]
    retired: tuple[str, ...]


def prepare_keys(settings: Settings, use: Use) -> tuple[str, ...]:
    """List the keys to come in our own roster entry, made where they are missing; gives their ids.

    Raises:
        SettingsError: our roster does not hold this node.
        KeyFileError: a key that is there cannot be used.
    """
    coming = make_next_keys(settings.data, settings.suite, use)
    listed = keys_of(settings.roster_file, settings.org)
    known = {key["kid"] for key in listed}
    fresh: list[KeyEntry] = [{**key} for key in coming if key["kid"] not in known]
    keys = endorsed(settings, [*listed, *fresh])
    put_keys(settings.roster_file, settings.org, keys)
    kids = tuple(key["kid"] for key in coming)
    if fresh:
        _note(settings, "keys.prepare", {"use": use.value, "keys": list(kids)})
    return kids


def endorsed(settings: Settings, listed: Iterable[KeyEntry]) -> list[KeyEntry]:
    """Our key entries, each endorsed by itself and by the seal keys in use, as far as it was not.

    By these peers who know one of our keys believe the next ones (`federation.members`). To be done
    while the private halves are there.

    Raises:
        KeyFileError: a key cannot be used.
    """
    seals, all_keys = signers_on_disk(settings.data)
    at_hand = {signer.kid: signer for signer in all_keys}
    keys = list[KeyEntry]()
    for key in listed:
        itself = at_hand.get(str(key["kid"]))
        if itself is None or "endorsed" in key:
            keys.append(key)
        else:
            elders = [signer for signer in seals if signer is not itself]
            keys.append(endorse(key, settings.org, [itself, *elders]))
    return keys


def rotate_keys(settings: Settings, use: Use, *, at: datetime) -> Turned:
    """Put the keys to come in use and retire all others of that use.

    Interrupted anywhere, it leaves keys that are listed; to be repeated.

    Raises:
        SettingsError: our roster does not hold this node.
        KeyFileError: a key that is there cannot be used.
    """
    in_use = prepare_keys(settings, use)
    put_next_keys(settings.data, settings.suite, use)
    keys = keys_of(settings.roster_file, settings.org)
    ended = [key for key in keys if _is_ended_by(key, use, in_use)]
    for key in ended:
        key["not_after"] = write_instant(at)
    put_keys(settings.roster_file, settings.org, keys)
    turned = Turned(in_use, tuple(str(key["kid"]) for key in ended))
    detail = {"use": use.value, "in_use": list(turned.in_use), "retired": list(turned.retired)}
    _note(settings, "keys.rotate", detail)
    return turned


def revoke_key(
    settings: Settings, kid: str, *, compromised_since: datetime, reason: str, at: datetime
) -> str:
    """Revoke a key of any member in our roster, stolen at that instant; gives whose it is.

    Raises:
        SettingsError: no member has it, it is one that we use, or it was compromised before that.
    """
    key = read_roster(settings.roster_file).keys.get(kid)
    if key is None:
        raise SettingsError(f"roster {settings.roster_file}: no usable key {kid}")
    if kid in {own["kid"] for own in read_keys(settings.data, settings.suite).roster_keys()}:
        raise SettingsError(f"key {kid} is in use here: `isac keys rotate` first")
    since = compromised_since
    if since > at:
        raise SettingsError(f"compromised since {write_instant(since)}: that lies ahead")
    told = key.compromised_since
    if told is not None and told <= since:
        raise SettingsError(f"key {kid} is revoked already, since {write_instant(told)}")
    dates = {
        "revoked_at": write_instant(key.revoked_at or at),
        "reason": reason,
        "compromised_since": write_instant(since),
    }
    listed = keys_of(settings.roster_file, key.org)
    keys = [{**one, **dates} if one["kid"] == kid else one for one in listed]
    put_keys(settings.roster_file, key.org, keys)
    _note(settings, "keys.revoke", {"key": kid, "of": key.org, **dates})
    return key.org


def accept_member(settings: Settings, entry: Entry) -> Member:
    """Put another member into the roster, or its new entry in the place of the old one.

    Whoever gave us something that was refused for want of one of its keys is read anew.

    Raises:
        SettingsError: it is no member's entry or our own, or takes back what our roster revoked.
    """
    try:
        (member,) = KeyRegistry.read({"members": [dict(entry)]}).members.values()
    except SharingError as error:
        raise SettingsError(f"is no member's entry: {error}") from error
    if member.org == settings.org:
        raise SettingsError("is this node's own entry; a peer's is wanted")
    before = read_roster(settings.roster_file)
    _refuse_unrevoking(before, member)
    at = write_instant(wall_clock())  # outweighs every removal from before
    put_members(settings.roster_file, [{**entry, "accepted_at": at}])
    fresh = [key.kid for key in member.keys if key.kid not in before.keys]
    _note(settings, "peer.accept", {"of": member.org, "new_keys": fresh}, read_anew_for=fresh)
    return member


def _is_ended_by(key: KeyEntry, use: Use, in_use: tuple[str, ...]) -> bool:
    is_other = key["use"] == use.value and key["kid"] not in in_use
    return is_other and not key.get("not_after") and not key.get("revoked_at")


def _refuse_unrevoking(before: KeyRegistry, member: Member) -> None:
    """A key once revoked here stays so: an old entry accepted by mistake must not revive it."""
    told = {key.kid: key for key in member.keys}
    known = before.members.get(member.org)
    for key in known.keys if known else ():
        if not _is_as_strict(told.get(key.kid), key):
            raise SettingsError(f"takes back the revocation of key {key.kid}")


def _is_as_strict(new: Key | None, old: Key) -> bool:
    if new is None:  # a key that is not listed verifies nothing
        return True
    if old.compromised_since is not None:
        return new.compromised_since is not None and new.compromised_since <= old.compromised_since
    return old.revoked_at is None or new.revoked_at is not None


def _note(
    settings: Settings,
    action: str,
    detail: Mapping[str, object],
    *,
    read_anew_for: Iterable[str] = (),
) -> None:
    store = open_store(settings.database)
    try:
        migrate(store)
        with store.write() as unit:
            for kid in read_anew_for:
                for src in sources_refused_for(unit.connection, kid):
                    begin_anew(unit.connection, src)
            audit.append(unit.connection, clock_of(settings)(), ACTOR, action, detail=detail)
    finally:
        store.close()
