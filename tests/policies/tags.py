"""What a tag says about TLP and PAP, a second time: sign by sign, from a table of its own.

`strange()` makes the tags to ask about: a scale and a colour in all sorts of dress.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import normalize

from hypothesis import strategies as st

COLOURS = ("clear", "white", "green", "amber", "red")


@dataclass(frozen=True)
class Scale:
    """What people write for a scale."""

    sure: tuple[str, ...]  # short names nobody could mean otherwise
    short: tuple[str, ...]  # those and what looks like them
    long: tuple[str, ...]
    half: tuple[str, ...]  # of a long name
    assigns: bool = False  # a sure name is one with ":" or "=" after it only


TLP = Scale(
    sure=("tlp", "t1p"),
    short=("tlp", "t1p", "tip", "7lp", "71p", "7ip"),
    long=("trafficlightprotocol",),
    half=("trafficlight",),
)
PAP = Scale(
    sure=("pap",),
    short=("pap", "p4p"),
    long=("permissibleactionprotocol", "permissibleactionsprotocol"),
    half=("permissibleaction", "permissibleactions"),
    assigns=True,
)
LIKE = {  # code points of letters that pass for these, small and capital
    "t": [0x03C4, 0x03A4, 0x0442, 0x0422, 0x13A2, 0xA4D4, 0x1D1B, 0x1F1F9, 0x1F183, 0x1D42D],
    "l": [0x04CF, 0x04C0, 0x13DE, 0xA4E1, 0x029F, 0x0142, 0x1F1F1, 0x1F17B, 0x2223, 0x01C0],
    "p": [0x03C1, 0x03A1, 0x0440, 0x0420, 0x13E2, 0xA4D1, 0x1D18, 0x1F1F5, 0x1F17F, 0x24DF],
    "r": [0x0433, 0x13A1, 0x0280],
    "e": [0x0435, 0x0415, 0x0395, 0x1D07],
    "d": [0x0501, 0x13A0, 0x1D05],
    "a": [0x0430, 0x0410, 0x0391, 0x1D00],
    "m": [0x043C, 0x041C, 0x039C],
    "b": [0x0432, 0x0412, 0x0392, 0x0299],
    "g": [0x0261, 0x0262],
    "n": [0x039D, 0x0274],
    "c": [0x0441, 0x0421, 0x03F9, 0x1D04],
    "i": [0x0456, 0x0406, 0x0131],
    "w": [0x051D, 0x051C, 0x1D21],
    "h": [0x04BB, 0x04BA, 0x029C],
    "s": [0x0455, 0x0405],
}
UNSEEN = ["\u0301", "\u034f", "\ufe0f", "\u200b", "\u00ad", "\u2060", "\x0b", "\x00", "\x7f"]
GAPS = [" ", ":", "=", "-", "_", "#", "<", ">", "(", '"', "\u00b7", "\u3164", "+", ";", "!", "\n"]
FAMILIES = [
    ["tlp", "TLP", "t1p", "T.L.P", "T L P", "tlpx"],
    ["tip", "tIp", "TIP", "t|p", "T!P", "t\u00a6p", "t/p", "t.i.p", "7lp", "71p", "\u22a4LP"],
    ["tl\u00fe", "TL\u5c38", "t\u4e28p", "\u22a4\u00fep", "tl-", "+lp", "lp", "tp"],
    ["traffic light protocol", "Traffic-Light-Protocol", "trafficlightprotocol"],
    ["Traffic Light", "traffic_light", "traffic", "protocol", "light"],
    ["pap", "PAP", "P.A.P", "p a p", "p4p", "p@p", "p\u2206p", "\u22a4ap", "papx", "cpap", "ap"],
    ["permissible actions protocol", "Permissible-Action-Protocol", "Permissible Actions"],
    ["misp", "unclear", "7", "x", "v2", "2.0", "smear", "rouge", "\u7ea2", "redirect", "is"],
    [*COLOURS, "RED", "Amber+Strict", "amberstrict", "r.e.d"],
    [*COLOURS],
]
_SAID = (*COLOURS, "amberstrict")
_WORDS = st.sampled_from(FAMILIES).flatmap(st.sampled_from)
_PLAIN = {chr(code): letter for letter, codes in LIKE.items() for code in codes}
_HUSHED = dict.fromkeys(map(ord, UNSEEN))


def seen_in(text: str) -> str:
    """What people see, in lower case, of what `strange()` makes."""
    bare = text.translate(_HUSHED)
    return normalize("NFKC", "".join(_PLAIN.get(char, char) for char in bare)).lower()


def claims(scale: Scale, text: str) -> bool:
    """Whether people take it for a tag about the scale.

    It begins with the name, says more after it, or has a colour beside what looks like it.
    """
    seen = seen_in(text)
    first = next((n for n, char in enumerate(seen) if _is_letter(char)), len(seen))
    joined = "".join(filter(_is_letter, seen))
    if any(True for _ in _sure(scale, seen, first)):
        return True
    if not scale.assigns and (
        seen[first:].startswith(scale.sure)
        or any(name + colour in joined for name in scale.sure for colour in COLOURS)
    ):
        return True
    starts = [n for n in range(len(seen)) if n == 0 or not _is_letter(seen[n - 1])]
    return any(
        any(_says_more(seen[end:]) for end in _sure(scale, seen, n))
        or _before_colour(scale, seen, n)
        or _after_colour(scale, seen, n)
        for n in starts
    )


def _says_more(rest: str) -> bool:
    return any(_is_letter(char) or not char.isascii() for char in rest)


def _sure(scale: Scale, seen: str, start: int) -> Iterator[int]:
    """Where what is surely the name, and begins at `start`, ends."""
    yield from _spelled(seen, start, scale.long)
    for end in _spelled(seen, start, scale.sure):
        if not scale.assigns and _is_over(seen, end):
            yield end
        signs = seen[end : _letters_from(seen, end)]
        if scale.assigns:
            yield from (end + n + 1 for n, sign in enumerate(signs) if sign in ":=")


def _before_colour(scale: Scale, seen: str, start: int) -> bool:
    for end in [*_odd(scale, seen, start), *_spelled(seen, start, scale.short + scale.half)]:
        at = end
        while at < len(seen) and (not _is_letter(seen[at]) or seen[at] in "v0123456789"):
            at += 1
        if any(_is_over(seen, over) for over in _spelled(seen, at, _SAID)):
            return True
    return False


def _after_colour(scale: Scale, seen: str, start: int) -> bool:
    return any(
        _is_over(seen, end)
        for over in _spelled(seen, start, _SAID)
        for at in range(over, _letters_from(seen, over) + 1)
        for end in [*_odd(scale, seen, at), *_spelled(seen, at, scale.short + scale.long)]
    )


def _odd(scale: Scale, seen: str, start: int) -> Iterator[int]:
    """Where the short name ends if one of its letters is some sign that is no letter."""
    three, name = seen[start : start + 3], scale.sure[0]
    other = [n for n, (char, letter) in enumerate(zip(three, name, strict=False)) if char != letter]
    if len(three) == len(name) and len(other) == 1:
        sign = three[other[0]]
        plainly_other = _is_letter(sign) or sign.isspace()
        if not plainly_other and (other == [1] or not sign.isascii()):
            yield start + 3


def _spelled(seen: str, start: int, words: tuple[str, ...]) -> Iterator[int]:
    """Where each of the words that is spelled from `start` on ends, whatever signs part it."""
    for word in words:
        at = start
        for n, letter in enumerate(word):
            at = _letters_from(seen, at) if n else at
            if seen[at : at + 1] != letter:
                break
            at += 1
        else:
            yield at


def _letters_from(seen: str, start: int) -> int:
    return next((n for n in range(start, len(seen)) if _is_letter(seen[n])), len(seen))


def _is_over(seen: str, end: int) -> bool:
    return not _is_letter(seen[end : end + 1])


def _is_letter(char: str) -> bool:
    return char.isascii() and char.isalnum()


@st.composite
def strange(draw: st.DrawFn) -> str:
    """A tag of some words, some of them dressed up."""
    text = draw(st.sampled_from(["", *GAPS]))
    for word in draw(st.lists(_WORDS, min_size=1, max_size=4)):
        text += draw(dressed(word)) + draw(st.sampled_from(["", *GAPS]))
    return text


@st.composite
def dressed(draw: st.DrawFn, word: str) -> str:
    """The word as people still read it, with letters of other alphabets and what nobody sees."""
    if draw(st.booleans()):
        return word
    chars = [draw(st.sampled_from([char, *map(chr, LIKE.get(char, []))])) for char in word]
    return "".join(char + draw(st.sampled_from(["", "", "", *UNSEEN])) for char in chars)
