"""The two colour scales: TLP says who may see, PAP says what may be done with it.

Many spellings are read, one is written. What cannot be read gives `None`, never a guess: the reader
of tags then blocks egress (`unread-label`), see `label.py`.
Source: FIRST TLP 2.0 (August 2022); the `tlp` and `PAP` taxonomies of MISP; STIX 2.1 §7.2.1.4 (its
uuids stand in CACAO 2.0 too); the PAP extension of the STIX common objects.
"""

import re
from collections.abc import Collection
from enum import IntEnum
from unicodedata import category, normalize

from policies.lookalikes import plain


class Tlp(IntEnum):
    """Who may see it; a higher number is stricter, and is the one sealed in a slot header."""

    CLEAR = 1
    GREEN = 2
    AMBER = 3
    AMBER_STRICT = 4
    RED = 5

    @property
    def word(self) -> str:
        """The colour alone: `amber+strict`."""
        return self.name.lower().replace("_", "+")

    @property
    def tag(self) -> str:
        """The machine tag: `tlp:amber+strict`."""
        return f"tlp:{self.word}"

    @property
    def title(self) -> str:
        """The way people are shown it: `TLP:AMBER+STRICT`."""
        return self.tag.upper()

    @property
    def marking(self) -> str:
        """The id of the STIX marking definition of TLP 2.0."""
        return f"marking-definition--{_MARKINGS[self]}"


class Pap(IntEnum):
    """What may be done with it; a higher number is stricter."""

    CLEAR = 1
    GREEN = 2
    AMBER = 3
    RED = 4

    @property
    def word(self) -> str:
        """The colour alone: `amber`."""
        return self.name.lower()

    @property
    def tag(self) -> str:
        """The machine tag, upper case as in its taxonomy: `PAP:AMBER`."""
        return self.title

    @property
    def title(self) -> str:
        """The way people are shown it: `PAP:AMBER`."""
        return f"PAP:{self.name}"


_MARKINGS = {
    Tlp.CLEAR: "94868c89-83c2-464b-929b-a1a8aa3c8487",
    Tlp.GREEN: "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Tlp.AMBER: "55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Tlp.AMBER_STRICT: "939a9414-2ddd-4d32-a0cd-375ea402b003",
    Tlp.RED: "e828b379-4e03-4974-9ac4-e53a884c97c1",
}
_MARKINGS_OF_TLP_1 = {  # still in use beside the ids of TLP 2.0, so read; never written
    "613f2e26-407d-48c7-9eca-b8e91df99dc9": Tlp.CLEAR,
    "34098fce-860f-48ae-8e50-ebd3cc5e41da": Tlp.GREEN,
    "f88d31f6-486f-44da-b317-01333bde0b82": Tlp.AMBER,
    "5e57c739-391a-4eb3-b6be-7d15ca92d5ed": Tlp.RED,
}
_MARKINGS_OF_PAP = {
    "ad15a0cd-55b6-4588-a14c-a66105329b92": Pap.CLEAR,
    "a3bea94c-b469-41dc-9cfe-d6e7daba7730": Pap.CLEAR,  # "PAP:WHITE"
    "c43594d1-4b11-4c59-93ab-1c9b14d53ce9": Pap.GREEN,
    "60f8932b-e51e-4458-b265-a2e8be9a80ab": Pap.AMBER,
    "740d36e5-7714-4c30-961a-3ae632ceee0e": Pap.RED,
}
_MARKED = {uuid: tlp for tlp, uuid in _MARKINGS.items()} | _MARKINGS_OF_TLP_1
_MARKING = re.compile(r"marking-(?:definition|tlp)--")
_TLP = {tlp.word: tlp for tlp in Tlp} | {"white": Tlp.CLEAR, "amberstrict": Tlp.AMBER_STRICT}
_PAP = {pap.word: pap for pap in Pap} | {"white": Pap.CLEAR}

_GAP = "[^a-z0-9]*"
_COLOUR = "(?:red|amber|green|clear|white)"
_SHORT_TLP = "t[l1]p"
_SPREAD_TLP = f"t{_GAP}[l1]{_GAP}p"
_SPREAD_PAP = f"p{_GAP}a{_GAP}p"
_LONG_TLP = f"traffic{_GAP}light{_GAP}protocol"
_LONG_PAP = f"permissible{_GAP}actions?{_GAP}protocol"
_WORD, _END = "(?<![a-z0-9])", "(?![a-z0-9])"
_OF_TLP = re.compile(
    rf"^{_GAP}(?:{_SHORT_TLP}|{_LONG_TLP})"  # it begins so
    rf"|{_WORD}(?:{_SHORT_TLP}|{_LONG_TLP})[^a-z0-9]+[a-z0-9]"  # it says so of what comes next
    rf"|{_SPREAD_TLP}{_GAP}{_COLOUR}"
    rf"|{_WORD}traffic{_GAP}light{_GAP}{_COLOUR}{_END}"
    rf"|{_WORD}{_COLOUR}(?:{_GAP}strict)?{_GAP}(?:{_SPREAD_TLP}|{_LONG_TLP}){_END}"
    rf"|^{_GAP}tip[^a-z0-9]+{_COLOUR}(?:{_GAP}strict)?{_GAP}$"  # with an I for its L
)
_OF_PAP = re.compile(
    rf"^{_GAP}{_LONG_PAP}"
    rf"|{_WORD}pap\s*[:=]"
    rf"|{_WORD}(?:{_SPREAD_PAP}|{_LONG_PAP}){_GAP}{_COLOUR}{_END}"
    rf"|{_WORD}{_COLOUR}{_GAP}(?:{_SPREAD_PAP}|{_LONG_PAP}){_END}"
)
_SIGN_FOR_L = re.compile("(?<=[t7])[|!¦](?=p)")
_SEVEN_FOR_T = re.compile("(?<![a-z0-9])7(?=[l1]p)")


def read_tlp(text: str) -> Tlp | None:
    """Return the colour that `text` spells, or None where it spells none.

    A bare colour counts ("amber+strict"), so ask `is_tlp_tag` first where a tag may be about
    something else.
    """
    return _MARKED.get(_marking(text)) or _TLP.get(_spelled("tlp", text))


def read_pap(text: str) -> Pap | None:
    """Return the colour that `text` spells, or None where it spells none."""
    return _MARKINGS_OF_PAP.get(_marking(text)) or _PAP.get(_spelled("pap", text))


def is_tlp_tag(text: str) -> bool:
    """Whether a tag claims to be about TLP, readable or not (`tlp:unclear` is, `red` is not).

    One that only looks so to people is as well, so that it goes nowhere as long as nobody wrote
    what it means: `#tlp:red`, `pap:red;tlp:red`, `RED (TLP)`, `t|p:red`, or one with a Greek tau.
    """
    like = _SEVEN_FOR_T.sub("t", _SIGN_FOR_L.sub("l", plain(text)))
    return _claims(like, _OF_TLP, _MARKED)


def is_pap_tag(text: str) -> bool:
    """Whether a tag claims to be about PAP, readable or not (`PAP:PINK` is, `pap smear` is not)."""
    return _claims(plain(text), _OF_PAP, _MARKINGS_OF_PAP)


def _claims(like: str, claim: re.Pattern[str], markings: Collection[str]) -> bool:
    return claim.search(like) is not None or any(uuid in like for uuid in markings)


def _spelled(scale: str, text: str) -> str:
    """Return the colour's words joined by "+": `TLP: Amber Strict` gives `amber+strict`."""
    colour = _bare(re.sub(rf"^{scale}[\s:=_-]+", "", _bare(text)))
    return re.sub(r"[\s+_-]+", "+", colour)


def _marking(text: str) -> str:
    """Return the uuid that the id of a marking ends in; empty for any other text."""
    bare = _bare(text)
    start = _MARKING.match(bare)
    return "" if start is None else bare[start.end() :]


def _bare(text: str) -> str:
    """Return the text in lower case, without the brackets and quotes people put round it.

    Full-width letters and signs become the plain ones, and what nobody sees is left out: a colour
    with a zero-width space in it is still meant.
    """
    if not text.isascii():
        text = "".join(each for each in normalize("NFKC", text) if category(each) != "Cf")
    return text.strip("\"'`()[]{} \t\r\n").lower()
