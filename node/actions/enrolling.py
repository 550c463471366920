"""How a new member enrols: invited, it joins; a second officer compares, then approves.

The token is bound to one organisation, lives a day, counts once, and is kept as a hash. Who made it
cannot approve what came with it. What the hub approves is listed in its next roster; every other
node's operator still decides for that node (`node.actions.roster.accept_listed`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from federation.call import Call, Wants
from federation.enrolment import (
    SECRET_BYTES,
    Token,
    hash_of,
    read_request,
    write_request,
)
from federation.errors import BadReplyError, BadTrustError
from federation.fingerprint import is_same
from federation.gossip import ENROLMENTS_PATH, Held, ask_roster, read_gossip
from federation.members import read_entry
from federation.peer import Peer, read_base_url
from federation.trust import Root, first_root
from node.actions.accepting import put_accepted
from node.actions.caller import Caller
from node.actions.carrier import Carrier
from node.actions.errors import BadInputError, ConflictError, NotAllowedError, NotFoundError
from node.actions.own import check_operator
from node.actions.roster import Trusted, take, trust_root, trusted
from node.actions.rostering import own_signed
from node.keys import signers_on_disk
from node.node import Node
from node.roster import entries_of
from node.storage import audit
from node.storage.roster import (
    Invitation,
    add_invitation,
    decide_invitation,
    find_invitation,
    list_waiting,
    lock_trust,
    put_entry,
    use_invitation,
    waiting_invitation,
)
from sharing.seal.keys import Member

TOKEN_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who has enrolled and waits for a second officer; `fingerprint` is what both sides compare."""

    org: str
    name: str
    country: str
    role: str
    base_urls: tuple[str, ...]
    fingerprint: str
    invited_by: str
    came_at: datetime | None


# ── At the hub ───────────────────────────────────────────────────────────────────────────────────


def invite(node: Node, caller: Caller, org: str) -> Token:
    """Make the token for one organisation; it is shown now and never again.

    Raises:
        NotAllowedError: the caller is no operator; ConflictError: nothing to enrol to here.
        BadInputError: no organisation's uuid, or our own.
    """
    check_operator(caller, "invite a member")
    held = _hub(node)
    try:
        is_one = str(UUID(org)) == org and org != node.org
    except ValueError:
        is_one = False
    if not is_one:
        raise BadInputError("org", "the uuid of another organisation, in lower case")
    token, now = Token.make(node.rng(SECRET_BYTES), held.root), node.wall()
    with node.store.write() as unit:
        until = now + TOKEN_LIFE
        add_invitation(
            unit.connection, hash_of(token.secret), org, by=caller.name, at=now, until=until
        )
        detail: dict[str, object] = {"of": org}
        audit.append(unit.connection, node.clock(), caller.name, "roster.invite", detail=detail)
    return token


def take_enrolment(node: Node, body: bytes) -> None:
    """Take what somebody with a token sent; it waits for a second officer.

    Raises:
        ConflictError: this is not a hub that enrols.
        BadTrustError: `form`, `possession`, `roster`; `token`: unknown, used, late, or another's.
    """
    held = _hub(node)
    if held.roster is None:
        raise ConflictError("the hub has not published a roster yet")
    request = read_request(body, held.roster.digest)
    now = node.wall()
    with node.store.write() as unit:
        conn = unit.connection
        lock_trust(conn)
        invited = find_invitation(conn, hash_of(request.secret))
        if invited is None:
            raise BadTrustError(
                "token", "nobody was given this token, or a newer one took its place"
            )
        if invited.used_at is not None:
            raise BadTrustError("token", "it was used before")
        if now >= invited.expires_at:
            raise BadTrustError("token", "it has expired: ask for a new one")
        if invited.org != request.entry.org:
            raise BadTrustError("token", "it was made for another organisation")
        use_invitation(conn, invited.token_hash, request.envelope, now)
        detail: dict[str, object] = {
            "of": invited.org,
            "fingerprint": request.entry.fingerprint,
        }
        audit.append(conn, node.clock(), "federation", "roster.enrol", detail=detail)


def list_enrolments(node: Node) -> tuple[Waiting, ...]:
    """Give who waits for a second officer, newest first."""
    with node.store.read() as unit:
        rows = list_waiting(unit.connection)
    return tuple(_waiting(row) for row in rows)


def approve(node: Node, caller: Caller, org: str, typed: str) -> None:
    """Make an organisation a member; the next roster lists it.

    Raises:
        NotAllowedError: the caller is no operator, or made the token.
        NotFoundError: nobody waits; BadInputError: the fingerprint is another one.
        SettingsError: it lists a key of another member.
        ConflictError: somebody has decided meanwhile.
    """
    check_operator(caller, "approve an enrolment")
    held, row, envelope = _open_case(node, org)
    if row.made_by == caller.name:
        raise NotAllowedError("a second officer: who made the token does not approve what came")
    entry = read_entry(envelope)
    if not is_same(typed, entry.fingerprint):
        raise BadInputError("fingerprint", f"this entry's is {entry.fingerprint}: compare anew")
    put_accepted(node, caller.name, entry, held, node.wall())
    _decide(node, caller, row, envelope, approved=True)


def reject(node: Node, caller: Caller, org: str) -> None:
    """Turn an enrolment down.

    Raises:
        NotAllowedError: the caller is no operator.
        NotFoundError: nobody waits; ConflictError: somebody has decided meanwhile.
    """
    check_operator(caller, "turn an enrolment down")
    _, row, envelope = _open_case(node, org)
    _decide(node, caller, row, envelope, approved=False)


def _decide(
    node: Node, caller: Caller, row: Invitation, envelope: bytes, *, approved: bool
) -> None:
    now = node.wall()
    with node.store.write() as unit:
        conn = unit.connection
        if not decide_invitation(conn, row.token_hash, approved=approved, by=caller.name, at=now):
            raise ConflictError("somebody has decided meanwhile")
        if approved:
            put_entry(conn, row.org, envelope, now)
        act = "roster.approve" if approved else "roster.reject"
        audit.append(conn, node.clock(), caller.name, act, detail={"of": row.org})


def _open_case(node: Node, org: str) -> tuple[Trusted, Invitation, bytes]:
    held = _hub(node)
    with node.store.read() as unit:
        row = waiting_invitation(unit.connection, org)
    if row is None or row.envelope is None:
        raise NotFoundError(f"enrolment of {org}")
    return held, row, row.envelope


def _waiting(row: Invitation) -> Waiting:
    entry = read_entry(row.envelope or b"")
    return Waiting(
        org=row.org,
        name=str(entry.facts.get("name", "")),
        country=entry.member.country,
        role=entry.member.role,
        base_urls=entry.member.base_urls,
        fingerprint=entry.fingerprint,
        invited_by=row.made_by,
        came_at=row.used_at,
    )


def _hub(node: Node) -> Trusted:
    held = trusted(node)
    if held is None or not node.is_hub:
        raise ConflictError("members enrol at the hub of a signed roster; this is none")
    return held


# ── At the node ──────────────────────────────────────────────────────────────────────────────────


def join(node: Node, actor: str, token: Token, hub_url: str, transport: Carrier) -> str:
    """Trust the token's root, hold the hub's roster, and send our entry; gives its fingerprint.

    Raises:
        BadTrustError: the hub has another root than the token names, or turned us down.
        BadReplyError, TransportError: no such answer, or none.
        BadPeerError: the address cannot be one.
    """
    hub = _at(hub_url)
    _trust_by_token(node, actor, token, hub, transport)
    held = trusted(node)
    if held is None or held.roster is None:
        raise BadReplyError("the hub has not published a roster yet")
    entry = own_signed(node)
    listed = {key["kid"] for key in _own_keys(node)}
    signers = [one for one in signers_on_disk(node.settings.data)[1] if one.kid in listed]
    body = write_request(token, entry, held.roster.digest, signers)
    headers = {"content-type": "application/json"}
    reply = transport.send(Call("POST", ENROLMENTS_PATH, headers, body, 64 * 1024), hub)
    if reply.status != 202:
        raise BadReplyError(f"the hub turned us down: {_said(reply.body) or reply.status}")
    fingerprint = read_entry(entry).fingerprint
    with node.store.write() as unit:
        detail: dict[str, object] = {"hub": hub.base_url, "fingerprint": fingerprint}
        audit.append(unit.connection, node.clock(), actor, "roster.join", detail=detail)
    return fingerprint


def _trust_by_token(node: Node, actor: str, token: Token, hub: Peer, transport: Carrier) -> None:
    """Trust the root that the token names, go on from it to the newest, and take the roster."""
    held = trusted(node)
    versions = Held() if held is None else Held(held.root.version)
    brought = read_gossip(transport.send(ask_roster(versions), hub))
    if held is None:
        roots = [_named(envelope, token) for envelope in brought.roots]
        if not any(roots):
            raise BadTrustError("token", "the hub does not have the root that the token names")
        root = next(one for one in roots if one is not None)
        trust_root(node, actor, root.envelope, token.root)
        brought = read_gossip(transport.send(ask_roster(Held(root.version)), hub))
    take(node, brought, hub.base_url)


def _named(envelope: bytes, token: Token) -> Root | None:
    """The root, if the token names it and it carries its own threshold."""
    try:
        root = first_root(envelope)
    except BadTrustError:
        return None
    return root if token.names(root) else None


def _own_keys(node: Node) -> list[Mapping[str, object]]:
    keys = entries_of(node.settings.roster_file)[node.org]["keys"]
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def _said(body: bytes) -> str:
    text = body[:300].decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _at(url: str) -> Peer:
    base_url = read_base_url(url)
    nobody = Member("", "hub", "", frozenset(), (base_url,), ())
    return Peer(nobody, base_url, Wants.ALL)
