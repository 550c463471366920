"""One indicator of a report: read, checked, and in its one spelling.

Victims' own addresses and recipients are indicators too: they help the own analysts, and their
roles (`victim_role` in the vocabulary) keep them from ever being cut into an event.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_network
from urllib.parse import urlsplit

from policies.tlp import Pap, Tlp, read_pap, read_tlp
from sharing.event import Json, Members
from sharing.incidents.fields import INDICATORS, LISTS
from sharing.incidents.values import BadValueError, class_of, read_value

TRAVELS = (
    "role",
    "confidence",
    "false_positive_risk",
    "action",
    "valid_until",
    "source_count",
    "revoked",
    "revoke_reason",
)
"""What an indicator says of itself that leaves with it; its context never does."""

_APART = {"id", "type", "value", "tlp", "pap", "first_seen", "last_seen"}
_PATTERNS = {
    "file_hash_md5": r"[0-9a-f]{32}",
    "file_hash_sha1": r"[0-9a-f]{40}",
    "file_hash_sha256": r"[0-9a-f]{64}",
    "certificate_sha256": r"[0-9a-f]{64}",
    "ja3": r"[0-9a-f]{32}",
    "cve": r"CVE-[0-9]{4}-[0-9]{4,19}",
    "asn": r"[0-9]{1,10}",
    "email_address": r"[^@\s]{1,64}@[^@\s]{1,190}",
    "domain": r"[^\s/@:]{1,253}",
    "sender_domain": r"[^\s/@:]{1,253}",
}
_UPPER = {"cve", "asn"}
_LOWER = set(_PATTERNS) - _UPPER - {"email_address"}
_ADDRESSES: Mapping[str, Callable[[str], object]] = {
    "ipv4": IPv4Address,
    "ipv6": IPv6Address,
    "cidr": lambda text: ip_network(text, strict=False),
}
_NETWORK = {"ipv4", "ipv6", "cidr", "domain", "url", "email_address", "sender_domain", "onion"}
_DEFANGED = (("[.]", "."), ("(.)", "."), ("[:]", ":"), ("[@]", "@"), ("hxxp", "http"))


@dataclass(frozen=True, slots=True)
class Indicator:
    """A value an attacker used (or a victim had), with what its source says of it.

    `tlp` None: the source gave no colour, so the report's counts. `facts` holds role, confidence,
    context and the like; `timestamp` is the whole hour of the stage that last changed it.
    """

    uuid: str
    type: str
    value: str
    tlp: Tlp | None
    pap: Pap
    timestamp: int
    first_seen: str | None = None
    last_seen: str | None = None
    facts: Members = field(default_factory=dict)

    @property
    def is_victims(self) -> bool:
        """Whether it is about the victim, not the attacker."""
        return self.facts.get("role") in LISTS["victim_role"]

    @property
    def is_revoked(self) -> bool:
        """Whether its source has taken it back."""
        return self.facts.get("revoked") is True

    @property
    def to_ids(self) -> bool:
        """Whether a machine may look for it by itself."""
        return (
            INDICATORS[self.type].acts
            and not self.is_victims
            and not self.is_revoked
            and self.pap <= Pap.GREEN
            and self.facts.get("false_positive_risk") != "high"
            and self.facts.get("action") in {None, "block"}
        )

    def same_but_time(self, other: "Indicator") -> bool:
        """Whether both say the same, whenever they said it."""
        return replace(self, timestamp=0) == replace(other, timestamp=0)


def read_indicator(given: object, *, uuid: str, at: datetime) -> Indicator:
    """Return a submitted indicator; `uuid` is for one that brings none, `at` the submission.

    Raises:
        BadValueError: with the path of the member; the message repeats no value.
    """
    if not isinstance(given, Mapping):
        raise BadValueError(f"wants an object, got {class_of(given)}")
    members = read_value("object", "@indicator", _spelled(given))
    if not isinstance(members, dict):  # pragma: no cover -- read_value gives what it was asked for
        raise BadValueError("wants an object")
    kind = str(members["type"])
    if kind not in INDICATORS:
        raise BadValueError(f"wants one of {', '.join(INDICATORS)}; got text", ".type")
    return Indicator(
        uuid=str(members.get("id", uuid)),
        type=kind,
        value=_value(kind, str(members["value"])),
        tlp=read_tlp(str(members["tlp"])) if "tlp" in members else None,
        pap=read_pap(str(members.get("pap", "CLEAR"))) or Pap.RED,
        timestamp=hour_of(at),
        first_seen=_text_or_none(members, "first_seen"),
        last_seen=_text_or_none(members, "last_seen"),
        facts={name: value for name, value in members.items() if name not in _APART},
    )


def hour_of(at: datetime) -> int:
    """The hour an instant falls into, in seconds since 1970: it does not tell the minute."""
    return int(at.timestamp()) // 3600 * 3600


def spelled_colour(given: object) -> object:
    """A TLP colour in the table's spelling, or what was given if it is none."""
    tlp = read_tlp(given) if isinstance(given, str) else None
    return tlp.word.upper() if tlp else given


def _spelled(given: Mapping[object, object]) -> dict[object, object]:
    """Bring colours and a context of plain text into the table's spelling."""
    spelled = dict(given)
    if "tlp" in spelled:
        spelled["tlp"] = spelled_colour(spelled["tlp"])
    pap = read_pap(text) if isinstance(text := spelled.get("pap"), str) else None
    if pap:
        spelled["pap"] = pap.word.upper()
    if isinstance(spelled.get("context"), str):
        spelled["context"] = {"text": spelled["context"]} if spelled["context"] else None
    return spelled


def _value(kind: str, given: str) -> str:
    text = given.strip()
    if kind in _NETWORK:
        for shown, meant in _DEFANGED:
            text = text.replace(shown, meant)
    text = text.lower() if kind in _LOWER else text.upper() if kind in _UPPER else text
    text = text.removeprefix("AS") if kind == "asn" else text
    try:
        return _one_spelling(kind, text)
    except ValueError as error:
        raise BadValueError(f"is no {kind}, got {class_of(given)}", ".value") from error


def _one_spelling(kind: str, text: str) -> str:
    if speller := _ADDRESSES.get(kind):
        return str(speller(text))
    pattern = _PATTERNS.get(kind)
    if pattern is not None and not re.fullmatch(pattern, text):
        raise ValueError(kind)
    if kind == "url" and not (urlsplit(text).scheme and urlsplit(text).hostname):
        raise ValueError(kind)
    return text


def _text_or_none(members: Mapping[str, Json], name: str) -> str | None:
    return str(members[name]) if name in members else None
