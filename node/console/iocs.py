"""Indicators as people paste them: one a line, defanged or not, kind guessed from the text.

Only the kind is guessed here; whether the value is one of that kind is checked once, by the action.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

_DEFANGED = (("[.]", "."), ("(.)", "."), ("[:]", ":"), ("[@]", "@"))
_BY_SHAPE = (
    ("cve", re.compile(r"CVE-\d{4}-\d{4,19}", re.IGNORECASE)),
    ("url", re.compile(r"(h(?:tt|xx)ps?|ftp)://\S+", re.IGNORECASE)),
    ("email_address", re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}")),
    ("file_hash_md5", re.compile(r"[0-9a-f]{32}", re.IGNORECASE)),
    ("file_hash_sha1", re.compile(r"[0-9a-f]{40}", re.IGNORECASE)),
    ("file_hash_sha256", re.compile(r"[0-9a-f]{64}", re.IGNORECASE)),
    ("asn", re.compile(r"AS\d{1,10}", re.IGNORECASE)),
    ("onion", re.compile(r"[a-z2-7]{16,56}\.onion", re.IGNORECASE)),
    ("btc_address", re.compile(r"(bc1[a-z0-9]{11,71}|[13][1-9A-HJ-NP-Za-km-z]{25,34})")),
    (
        "filename",
        re.compile(r"[^\s/\\]+\.(exe|dll|ps1|bat|cmd|vbs|js|lnk|zip|iso|docm|xlsm|hta|sh)"),
    ),
    ("registry_key", re.compile(r"HK(LM|CU|CR|U|EY_[A-Z_]+)\\.+", re.IGNORECASE)),
    ("domain", re.compile(r"[a-z0-9_](?:[a-z0-9_-]*\.)+[a-z][a-z0-9-]{1,62}", re.IGNORECASE)),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One pasted line; `kind` is empty where it could not be told."""

    number: int
    text: str
    kind: str


def read_lines(pasted: str) -> list[Line]:
    """Give each line that holds something, with its kind."""
    lines = [(n, line.strip()) for n, line in enumerate(pasted.splitlines(), 1)]
    return [Line(n, text, kind_of(text)) for n, text in lines if text]


def kind_of(text: str) -> str:
    """Give the kind of indicator a text is; empty: it looks like none."""
    for shown, meant in _DEFANGED:
        text = text.replace(shown, meant)
    if network := _address(text):
        return network
    return next((kind for kind, shape in _BY_SHAPE if shape.fullmatch(text)), "")


def _address(text: str) -> str:
    try:
        return f"ipv{ip_address(text).version}"
    except ValueError:
        pass
    try:
        ip_network(text, strict=False)
    except ValueError:
        return ""
    return "cidr"
