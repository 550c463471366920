"""What a tag says about TLP, a second time: word by word, from a table of its own.

`strange()` makes the tags to ask about: the scale and a colour in all sorts of dress.
"""

from unicodedata import normalize

from hypothesis import strategies as st

COLOURS = ("clear", "white", "green", "amber", "red")
SHORT = ("tlp", "t1p")
LONG = "trafficlightprotocol"
LONG_PAP = ("permissibleactionsprotocol", "permissibleactionprotocol")
SHADES = {*COLOURS, *(colour + "strict" for colour in COLOURS)}
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
GAPS = [
    " ",
    "|",
    ":",
    "=",
    "-",
    "_",
    "#",
    "<",
    ">",
    "(",
    '"',
    "\u00b7",
    "\u3164",
    "+",
    ";",
    "!",
    "\n",
]
_PLAIN = {chr(code): letter for letter, codes in LIKE.items() for code in codes}
_HUSHED = dict.fromkeys(map(ord, UNSEEN))


def seen(text: str) -> str:
    """What people see of what `strange()` makes, in lower case."""
    plain = "".join(_PLAIN.get(char, char) for char in text.translate(_HUSHED))
    return normalize("NFKC", plain).lower()


def words_of(text: str) -> list[str]:
    return "".join(c if c.isascii() and c.isalnum() else " " for c in text).split()


def words_of_tlp(text: str) -> list[str]:
    """The words, with signs and a seven read as the letters of TLP that they pass for."""
    plain = seen(text)
    for first in "t7":
        for sign in "|!\u00a6":
            plain = plain.replace(f"{first}{sign}p", f"{first}lp")
    return ["t" + word[1:] if word[:3] in {"7lp", "71p"} else word for word in words_of(plain)]


def claims_tlp(text: str) -> bool:
    """Whether people take it for a tag about TLP.

    It begins so, says more after it, or has a colour beside it.
    """
    words = words_of_tlp(text)
    joined = "".join(words)
    begins = joined.startswith(LONG) or any(word[:3] in SHORT for word in words[:1])
    goes_on = any(word in {*SHORT, LONG} for word in words[:-1]) or any(
        "".join(words[n : n + length]) == LONG
        for length in (2, 3)
        for n in range(len(words) - length)
    )
    runs = runs_of(words)
    beside = any("trafficlight" + colour in runs for colour in COLOURS) or any(
        shade + name in runs for name in (*SHORT, LONG) for shade in SHADES
    )
    misread = words[:1] == ["tip"] and len(words) > 1 and "".join(words[1:]) in SHADES
    return (
        begins
        or goes_on
        or beside
        or misread
        or any(s + c in joined for s in SHORT for c in COLOURS)
    )


def claims_pap(text: str) -> bool:
    """Whether people take it for a tag about PAP: its long name first, a colon, or a colour."""
    words = words_of(seen(text))
    runs, joined = runs_of(words), "".join(words)
    return (
        joined.startswith(LONG_PAP)
        or any(name + c in runs or c + name in runs for name in ("pap", *LONG_PAP) for c in COLOURS)
        or _has_colon(text)
    )


def _has_colon(text: str) -> bool:
    """Whether the word pap is followed by a colon or an equals sign."""
    plain = seen(text)
    for at in range(len(plain)):
        before = plain[at - 1] if at else " "
        is_word = not (before.isascii() and before.isalnum())
        follows = plain[at + 3 :].lstrip()[:1]
        if is_word and plain[at : at + 3] == "pap" and follows in {":", "="}:
            return True
    return False


def runs_of(words: list[str]) -> set[str]:
    """Every run of words that stand side by side, as one."""
    ends = range(len(words) + 1)
    return {"".join(words[start:end]) for end in ends for start in range(end)}


@st.composite
def strange(draw: st.DrawFn) -> str:
    """A tag of some words, some of them dressed up."""
    words = ["tlp", "TLP", "traffic light protocol", "Traffic-Light-Protocol", "t1p", "tIp", "tip"]
    words += ["misp", "pap", "PAP", "unclear", "7", "x", LONG, *COLOURS, *COLOURS, "strict"]
    words += ["t|p", "T!P", "7lp", "71P", "p.a.p", "traffic light", "t.l.p"]
    words += ["permissible actions protocol", "Permissible-Action-Protocol"]
    text = draw(st.sampled_from(["", *GAPS]))
    for word in draw(st.lists(st.sampled_from(words), min_size=1, max_size=4)):
        text += draw(dressed(word)) + draw(st.sampled_from(["", *GAPS]))
    return text


@st.composite
def dressed(draw: st.DrawFn, word: str) -> str:
    """The word as people still read it, with letters of other alphabets and what nobody sees."""
    if draw(st.booleans()):
        return word
    chars = [draw(st.sampled_from([char, *map(chr, LIKE.get(char, []))])) for char in word]
    return "".join(char + draw(st.sampled_from(["", "", "", *UNSEEN])) for char in chars)
