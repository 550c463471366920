"""One plain spelling for the characters of a text, and the way back to the text as it came.

Exotic digits, dashes, spaces and quotation marks become the plain ones, invisible characters go,
letters and their accents are put together. Takes time linear in the text.
"""

import re
import sys
import unicodedata
from collections.abc import Sequence

# Runs of combining marks are cut at 16: sorting them costs the square of their number.
_ODD = re.compile(
    "[^\u0300-\u036f]?[\u0300-\u036f]{1,16}|[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]+"
    "|[\uff01-\uff5e\ufb00-\ufb06]"
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")


def _plain_characters() -> dict[int, str]:
    """One plain character for each exotic digit, dash, space and quotation mark."""
    table = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"), "-")
    table |= dict.fromkeys(
        map(ord, "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"),
        " ",
    )
    table |= dict.fromkeys(map(ord, "\u202f\u205f\u3000"), " ")
    table |= dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u02bc\u00b4\u2032"), "'")
    table |= dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb"), '"')
    table |= {ord("\u00ba"): "o", ord("\u00b0"): "o", ord("\u0130"): "I"}
    digits = (c for c in range(0x660, sys.maxunicode + 1) if unicodedata.decimal(chr(c), None))
    return table | {c: str(unicodedata.decimal(chr(c))) for c in digits}


_PLAIN = _plain_characters()


def plain(text: str) -> tuple[str, Sequence[int] | None]:
    """Give the text in plain characters, and where each of them came from if they moved."""
    if text.isascii():
        return text, None
    if not _ODD.search(text):
        return text.translate(_PLAIN), None
    parts: list[str] = []
    origins: list[int] = []
    end = 0
    for odd in _ODD.finditer(text):
        parts.append(text[end : odd.start()])
        origins.extend(range(end, odd.start()))
        spelled = "" if _INVISIBLE.fullmatch(odd[0]) else unicodedata.normalize("NFKC", odd[0])
        parts.append(spelled)
        origins.extend([odd.start()] * len(spelled))
        end = odd.end()
    parts.append(text[end:])
    origins.extend(range(end, len(text)))
    return "".join(parts).translate(_PLAIN), origins
