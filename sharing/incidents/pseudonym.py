"""Names that stand for a hospital before others: stable for each of them, alike for no two.

A pseudonym is HMAC-SHA-256 over (entity, class of recipients, year of the report) under a key that
never leaves the node, cut to 128 bits. Whoever is in a class by himself shares his with nobody;
the enrolment rule may put several into one class, and then they can compare (decisions.md D10).
Two recipients of one event may of course tell each other that it is the same event.
"""

import hmac

import orjson

_PURPOSE = "entity pseudonym 1"
_HEX_DIGITS = 32


def pseudonym_of(key: bytes, entity: str, recipients: str, year: int) -> str:
    """Return what stands for `entity` before this class of recipients, for a report of this year.

    32 hex digits. `recipients` is the class: an organisation's uuid, or the name a rule gives it.
    """
    text = orjson.dumps([_PURPOSE, entity, recipients, year])
    return hmac.digest(key, text, "sha256").hex()[:_HEX_DIGITS]
