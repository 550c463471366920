"""What a text looks like in plain letters: tells what it claims to be, never what it means."""

# ruff: noqa: RUF001  these very letters

import re
from functools import lru_cache
from unicodedata import category, name, normalize

_ALIKE = {
    "a": "αаⲁᎪꓮ",
    "b": "βвьⲃᏴꓐ",
    "c": "σсⲥᏟꓚ",
    "d": "ԁᎠꓓ",
    "e": "εеєҽⲉ℮Ꭼꓰ",
    "g": "ɡցᏀꓖ",
    "h": "нһհᎻꓧ",
    "i": "ιіı",
    "l": "ӏլǀ∣│Ꮮꓡⳑ",
    "m": "μмⲙᎷꓟ",
    "n": "ηνпոⲛꓠ",
    "p": "ρрⲣᏢꓑ",
    "r": "гґⲅᎡꓣ",
    "s": "ѕꓢᏚ",
    "t": "τтҭⲧᎢꓔ",
    "w": "ωԝѡᏔꓪ",
}
"""Letters of other alphabets, in lower case where they have one, that pass for these."""

_PASSES_FOR = {other: letter for letter, others in _ALIKE.items() for other in others}
_STYLED = re.compile(r"LETTER (?:SMALL )?(?:CAPITAL )?([A-Z])(?: WITH .*)?$")


def plain(text: str) -> str:
    """Return the text in lower case, each letter as the one of a to z that it passes for.

    What nobody sees, and what stands above and below letters, is left out.
    """
    if text.isascii() and text.isprintable():
        return text.lower()
    return "".join(map(_plain, normalize("NFKD", text).casefold()))


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    if category(char)[0] in "CM":
        return " " if char in "\t\n\r" else ""
    if char in _PASSES_FOR or char.isascii():
        return _PASSES_FOR.get(char, char)
    styled = _STYLED.search(name(char, ""))
    return styled[1].lower() if styled else char
