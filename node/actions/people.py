"""People, and what they prove themselves with: passwords, tokens, sessions.

- A password is kept as an argon2id hash. Signing in takes the same time and gives the same answer
  whether the login exists or not. At most two hashes are computed at a time (64 MiB each).
- A token is 256 bits, shown once: `isac_`, 64 hex digits, CRC-32 of them, so that scanners know a
  leaked one. A session is 256 bits in a cookie, with a CSRF token beside it. Only SHA-256 of either
  is kept: they are random, so no slow hash is needed, and a lookup by hash tells nothing by its
  time.
- Who comes with a token is a machine to policy: TLP:RED is for people (floor.red).
- All of this runs on wall time, never on an exercise's.
"""

import re
import threading
import unicodedata
import zlib
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from node.actions.caller import Caller, Role, read_role
from node.actions.enrolments import read_rule
from node.actions.errors import BadInputError, ConflictError, NotFoundError
from node.errors import SettingsError
from node.node import Node
from node.storage import audit, people
from node.storage.people import Org, Person, TokenRow
from node.storage.store import Unit
from policies.party import STANDARD_ROLES, Party

AUTHORITY = "law_enforcement"
"""The kind of an organisation that gets files, and whose people have no door here (D12)."""
SESSION_LIFE = timedelta(hours=12)
TOKEN_LIFE = timedelta(days=365)
PASSWORD_MIN = 12
PASSWORD_MAX = 1024
_TOKEN = re.compile("isac_([0-9a-f]{64})([0-9a-f]{8})")
_LOGIN = re.compile("[a-z0-9][a-z0-9._@+-]{0,119}")
_FREE_BY_LOGIN = 5
_FREE_BY_ADDRESS = 50  # a whole hospital may come from one
_HASHER = PasswordHasher()
_HASHING = threading.BoundedSemaphore(2)
# Checked where there is no such login: costs as much as a real one, and no password leads to it.
_NOBODY = f"$argon2id$v=19$m=65536,t=3,p=4${'A' * 22}${'A' * 43}"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in at a page: forms carry `csrf`."""

    caller: Caller
    csrf: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session; `secret` goes into the cookie and is kept nowhere."""

    secret: str = field(repr=False)
    session: Session
    life: timedelta = SESSION_LIFE


@dataclass(frozen=True, slots=True)
class SignInRefused:
    """Login or password is wrong, which of them is not told; `wait` before the next try."""

    wait: timedelta


def enrol_org(node: Node, actor: str, new: Org) -> None:
    """Enrol an organisation at this node, or change what is known of it.

    Raises:
        BadInputError: the kind is none, or the rule it is to have accepted is not kept here.
    """
    if new.kind not in {"hospital", "supplier", "node", "hub", AUTHORITY}:
        raise BadInputError("kind", f"hospital, supplier or {AUTHORITY}, not {new.kind}")
    try:
        read_rule(node.settings, new.enrolment)
    except SettingsError as error:
        raise BadInputError("enrolment", str(error)) from error
    with node.store.write() as unit:
        people.put_org(unit.connection, new)
        detail = {"org": new.org, "kind": new.kind, "enrolment": new.enrolment}
        audit.append(unit.connection, node.clock(), actor, "org.enrol", detail=detail)


def add_person(
    node: Node, actor: str, *, login: str, org: str, role: Role, password: str | None
) -> None:
    """Let a person in; without a password only tokens open the door.

    Raises:
        BadInputError: login, role or password cannot be; NotFoundError: no such organisation here.
        ConflictError: the login is taken.
    """
    if not _LOGIN.fullmatch(login):
        raise BadInputError("login", "a to z, digits and . _ @ + -, lower case, at most 120")
    hashed = None if password is None else _hash(password)
    now = node.wall()
    with node.store.write() as unit:
        home = people.find_org(unit.connection, org)
        if home is None:
            raise NotFoundError(f"organisation {org}")
        _check_role(node, home, role)
        if not people.add_person(unit.connection, Person(login, org, role, hashed, now)):
            raise ConflictError(f"login {login} is taken")
        detail = {"login": login, "org": org, "role": role}
        audit.append(unit.connection, node.clock(), actor, "person.add", detail=detail)


def change_password(node: Node, actor: str, login: str, password: str) -> None:
    """Replace a person's password and end their sessions."""
    hashed = _hash(password)
    with node.store.write() as unit:
        _existing(unit, login)
        people.set_password(unit.connection, login, hashed)
        people.drop_sessions(unit.connection, login)
        detail = {"login": login}
        audit.append(unit.connection, node.clock(), actor, "person.password", detail=detail)


def disable_person(node: Node, actor: str, login: str) -> None:
    """Shut a person out at once; what they did stays under their name."""
    with node.store.write() as unit:
        _existing(unit, login)
        people.disable(unit.connection, login, node.wall())
        detail = {"login": login}
        audit.append(unit.connection, node.clock(), actor, "person.disable", detail=detail)


def make_token(node: Node, actor: str, login: str, *, life: timedelta = TOKEN_LIFE) -> str:
    """Give a new token of the person; it is shown now and never again."""
    body = node.rng(32).hex()
    token = f"isac_{body}{zlib.crc32(body.encode()):08x}"
    now = node.wall()
    row = TokenRow(token[:12], login, now, now + life, None)
    with node.store.write() as unit:
        _existing(unit, login)
        people.add_token(unit.connection, _fingerprint(token), row)
        detail = {"login": login, "prefix": row.prefix, "days": life.days}
        audit.append(unit.connection, node.clock(), actor, "token.make", detail=detail)
    return token


def revoke_token(node: Node, actor: str, login: str, prefix: str) -> None:
    """End the tokens of the person that begin with `prefix` (12 characters)."""
    with node.store.write() as unit:
        if not people.revoke_tokens(unit.connection, login, prefix, node.wall()):
            raise NotFoundError(f"token {prefix}… of {login}")
        detail = {"login": login, "prefix": prefix}
        audit.append(unit.connection, node.clock(), actor, "token.revoke", detail=detail)


def list_orgs(node: Node) -> list[Org]:
    """Give the organisations enrolled here, this node among them."""
    with node.store.read() as unit:
        return people.list_orgs(unit.connection)


def list_persons(node: Node) -> list[Person]:
    """Give everybody, shut out or not."""
    with node.store.read() as unit:
        return people.list_persons(unit.connection)


def caller_named(node: Node, login: str) -> Caller:
    """Give the person as caller, where the shell vouches for who asks.

    Raises:
        NotFoundError: no such login, or shut out.
    """
    with node.store.read() as unit:
        return _caller(node, unit, _existing(unit, login))


def caller_at_shell(node: Node, login: str) -> Caller:
    """Give the person a command is called for; without a login, the node's only operator.

    Raises:
        NotFoundError: no such login, or shut out.
        BadInputError: no login was given, and there is not just one operator to mean.
    """
    if login:
        return caller_named(node, login)
    with node.store.read() as unit:
        operators = [
            person
            for person in people.list_persons(unit.connection)
            if person.role == "operator" and person.disabled_at is None
        ]
        if len(operators) == 1:
            return _caller(node, unit, operators[0])
    logins = ", ".join(person.login for person in operators) or "nobody yet"
    raise BadInputError("as", f"say in whose name; operators of this node: {logins}")


def caller_from_token(node: Node, token: str) -> Caller | None:
    """Give who comes with this token; None: nobody we know, or no longer."""
    match = _TOKEN.fullmatch(token)
    if match is None or f"{zlib.crc32(match[1].encode()):08x}" != match[2]:
        return None
    with node.store.read() as unit:
        person = people.person_by_token(unit.connection, _fingerprint(token), node.wall())
        caller = None if person is None else _caller(node, unit, person)
    return None if caller is None else replace(caller, party=replace(caller.party, kind="machine"))


def sign_in(node: Node, login: str, password: str, address: str) -> SignedIn | SignInRefused:
    """Open a session for who knows the password; `address` is where the try comes from."""
    login, now = login.strip().lower(), node.wall()
    keys = {f"{login[:120]} {address}": _FREE_BY_LOGIN, address: _FREE_BY_ADDRESS}
    wait = max(node.throttle.wait(key, free, now) for key, free in keys.items())
    if wait:
        return SignInRefused(wait)
    with node.store.read() as unit:
        # Other text is nobody's login, and PostgreSQL takes not even every text as a question.
        person = people.find_person(unit.connection, login) if _LOGIN.fullmatch(login) else None
        caller = None if person is None else _caller(node, unit, person)
    usable = person is not None and person.disabled_at is None
    known = person.password_hash if person is not None and usable else None
    if not _matches(known or _NOBODY, password) or known is None or caller is None:
        for key in keys:
            node.throttle.failed(key, now)
        return SignInRefused(timedelta())
    node.throttle.forgive(next(iter(keys)))  # not the address: one good login must not open it
    return _open_session(node, login, caller)


def find_session(node: Node, secret: str) -> Session | None:
    """Give the session behind a cookie; None: there is none, or it is over."""
    with node.store.read() as unit:
        found = people.person_by_session(unit.connection, _fingerprint(secret), node.wall())
        if found is None:
            return None
        person, csrf = found
        return Session(_caller(node, unit, person), csrf)


def caller_from_session(node: Node, secret: str) -> Caller | None:
    """Give who signed in with this cookie, where no form is posted."""
    session = find_session(node, secret)
    return None if session is None else session.caller


def fingerprint(secret: str) -> str:
    """Give what is kept of a token or a cookie: what a long answer remembers its caller by."""
    return _fingerprint(secret)


def still_in_force(node: Node, fingerprints: Collection[str]) -> frozenset[str]:
    """Give those of these that let somebody in now."""
    with node.store.read() as unit:
        return people.in_force(unit.connection, fingerprints, node.wall())


def sign_out(node: Node, secret: str) -> None:
    """End the session behind a cookie."""
    with node.store.write() as unit:
        people.drop_session(unit.connection, _fingerprint(secret))


def forget_old_sessions(node: Node) -> int:
    """Forget the sessions that are over; gives how many."""
    with node.store.write() as unit:
        return people.drop_expired_sessions(unit.connection, node.wall())


def local_party(org: Org) -> Party:
    """Give what policy knows of an organisation enrolled here: constituents are all alike."""
    kind = AUTHORITY if org.kind == AUTHORITY else "hospital"
    return Party(org=org.org, kind=kind, country=org.country, roles=STANDARD_ROLES[kind])


def _open_session(node: Node, login: str, caller: Caller) -> SignedIn:
    secret, csrf = node.rng(32).hex(), node.rng(32).hex()
    now = node.wall()
    with node.store.write() as unit:
        fingerprint = _fingerprint(secret)
        people.add_session(unit.connection, fingerprint, login, csrf, now + SESSION_LIFE)
        audit.append(unit.connection, node.clock(), login, "session.open")
    return SignedIn(secret, Session(caller, csrf))


def _caller(node: Node, unit: Unit, person: Person) -> Caller:
    role = read_role(person.role)
    if person.org == node.org:
        return Caller(person.login, person.org, node.me, role)
    home = people.find_org(unit.connection, person.org)
    if home is None:  # the foreign key holds
        raise LookupError(f"person {person.login} of no organisation")
    return Caller(person.login, person.org, local_party(home), role)


def _check_role(node: Node, home: Org, role: Role) -> None:
    is_ours = home.org == node.org
    if home.kind == AUTHORITY:
        raise BadInputError("org", f"{home.name} gets files; its people have no door here")
    if (role == "hospital") is is_ours:
        raise BadInputError("role", f"{role} is no role at {home.name}")
    if role == "hub_analyst" and not node.is_hub:
        raise BadInputError("role", "hub_analyst is a role at the hub")


def _existing(unit: Unit, login: str) -> Person:
    person = people.find_person(unit.connection, login)
    if person is None or person.disabled_at is not None:
        raise NotFoundError(f"person {login}")
    return person


def _fingerprint(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _hash(password: str) -> str:
    if len(password) < PASSWORD_MIN:
        raise BadInputError("password", f"at least {PASSWORD_MIN} characters")
    if len(password) > PASSWORD_MAX:
        raise BadInputError("password", f"at most {PASSWORD_MAX} characters")
    with _HASHING:
        return _HASHER.hash(unicodedata.normalize("NFC", password))


def _matches(hashed: str, password: str) -> bool:
    normal = unicodedata.normalize("NFC", password[:PASSWORD_MAX])
    with _HASHING:
        try:
            return _HASHER.verify(hashed, normal)
        except (VerificationError, InvalidHashError):
            return False
