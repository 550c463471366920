"""What a tag says about TLP, a second time: word by word, from a table of its own.

`strange()` makes the tags to ask about: the scale and a colour in all sorts of dress.
"""

from unicodedata import normalize

from hypothesis import strategies as st

COLOURS = ("clear", "white", "green", "amber", "red")
SHORT = ("tlp", "t1p")
LONG = "trafficlightprotocol"
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
_PLAIN = {chr(code): letter for letter, codes in LIKE.items() for code in codes}
_HUSHED = dict.fromkeys(map(ord, UNSEEN))


def words_of(text: str) -> list[str]:
    """The words people read, in lower case, of what `strange()` makes."""
    seen = "".join(_PLAIN.get(char, char) for char in text.replace("tIp", "tlp").translate(_HUSHED))
    plain = normalize("NFKC", seen).lower()
    return "".join(c if c.isascii() and c.isalnum() else " " for c in plain).split()


def claims_tlp(text: str) -> bool:
    """Whether people take it for a tag about TLP: it begins so, says more after it, or a colour."""
    words = words_of(text)
    joined = "".join(words)
    begins = joined.startswith(LONG) or any(word[:3] in SHORT for word in words[:1])
    goes_on = any(word in {*SHORT, LONG} for word in words[:-1]) or any(
        "".join(words[n : n + length]) == LONG
        for length in (2, 3)
        for n in range(len(words) - length)
    )
    return begins or goes_on or any(s + c in joined for s in SHORT for c in COLOURS)


@st.composite
def strange(draw: st.DrawFn) -> str:
    """A tag of some words, some of them dressed up."""
    words = ["tlp", "TLP", "traffic light protocol", "Traffic-Light-Protocol", "t1p", "tIp", "tip"]
    words += ["misp", "pap", "unclear", "7", "x", LONG, *COLOURS, *COLOURS]
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
