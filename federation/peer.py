"""A peer: a member of the roster that we exchange with, at one pinned address.

The roster is the operator's own file (sealing.md §2.11): whoever stands in it with transport keys
and a base URL is asked and answered. What a peer may *see* is policy, not roster.
"""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from federation.call import Wants
from federation.errors import FederationError
from federation.relay import default_wants
from policies.party import STANDARD_ROLES, Party
from sharing.seal.keys import KeyRegistry, Member

_DEFAULT_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+")
_PRINTABLE = re.compile(r"[!-~]+")
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")


class BadPeerError(FederationError):
    """The roster says something we cannot work with; the operator must mend it."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A member at an address; `base_url` is in the one spelling of `read_base_url`."""

    member: Member
    base_url: str
    asks: Wants

    @property
    def org(self) -> str:
        """The member's organisation."""
        return self.member.org

    @property
    def role(self) -> str:
        """What it is in the federation: node or hub."""
        return self.member.role

    @property
    def party(self) -> Party:
        """The member as policy sees it."""
        return party_of(self.member)


def peers_of(registry: KeyRegistry, me: str) -> tuple[Peer, ...]:
    """Every other member that has an address, in the order of their ids.

    Raises:
        BadPeerError: an address cannot be used.
    """
    members = (registry.members[org] for org in sorted(registry.members) if org != me)
    return tuple(
        Peer(member, read_base_url(member.base_urls[0]), default_wants(member.role))
        for member in members
        if member.base_urls
    )


def party_of(member: Member) -> Party:
    """The member as policy sees it: its kind is its role, its roles are the usual ones of it."""
    if member.role not in STANDARD_ROLES:
        raise BadPeerError(f"member {member.org} has the role {member.role}, which no rule knows")
    return Party(
        org=member.org,
        kind=member.role,
        country=member.country,
        roles=STANDARD_ROLES[member.role],
        communities=frozenset(member.communities),
    )


def read_base_url(text: str) -> str:
    """The one spelling of a base URL: lower-case scheme and host, no default port, no last slash.

    Sender and recipient each derive it from their own files; a request's signature covers it, so
    two spellings of one address must not differ.

    Raises:
        BadPeerError: not http(s), or with credentials, query, fragment or odd path.
    """
    if not _PRINTABLE.fullmatch(text):  # urlsplit drops some characters in silence
        raise BadPeerError(f"base URL {text!r} has characters that no address has")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadPeerError(f"base URL {text!r} cannot be read") from error
    host = parts.hostname or ""
    path = parts.path.rstrip("/")
    if not _is_plain(parts) or not _HOST.fullmatch(host) or not _PATH.fullmatch(path):
        raise BadPeerError(f"base URL {text!r} is not https://host[:port][/path]")
    shown = f"[{host}]" if ":" in host else host
    authority = shown if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{shown}:{port}"
    return f"{parts.scheme}://{authority}{path}"


def _is_plain(parts: SplitResult) -> bool:
    odd = parts.username is not None or parts.password is not None or parts.query or parts.fragment
    return parts.scheme in _DEFAULT_PORTS and not odd
