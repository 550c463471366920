"""What two people read to each other over the telephone: 160 bits in eight groups of four."""

import base64

_BYTES = 20
_GROUP = 4


def spell(digest: bytes) -> str:
    """The fingerprint of a digest."""
    text = base64.b32encode(digest[:_BYTES]).decode("ascii").lower()
    return " ".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def is_same(typed: str, fingerprint: str) -> bool:
    """Whether somebody typed this fingerprint, with whatever spaces, hyphens and capitals."""
    return _bare(typed) == _bare(fingerprint)


def _bare(text: str) -> str:
    return "".join(text.replace("-", "").split()).lower()
