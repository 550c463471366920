"""The two colour scales: TLP says who may see, PAP says what may be done with it.

Many spellings are read, one is written. What cannot be read gives `None`, never a guess: the reader
of tags then blocks egress (`unread-label`), see `label.py`.
Source: FIRST TLP 2.0 (August 2022); the `tlp` and `PAP` taxonomies of MISP; STIX 2.1 §7.2.1.4 (its
uuids stand in CACAO 2.0 too); the PAP extension of the STIX common objects.
"""

import re
from collections.abc import Iterable
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


def _spread(parts: Iterable[str]) -> str:
    """The parts in a row, with any signs between them."""
    return _GAP.join(parts)


def _either(patterns: Iterable[str]) -> str:
    return f"(?:{'|'.join(patterns)})"


_GAP = "[^a-z0-9]*"  # of signs between letters
_START, _END = "(?<![a-z0-9])", "(?![a-z0-9])"
_ODD = r"[^\x00-\x7f]"  # a sign that may look like any letter
_COLOUR = _either(_spread(filter(str.isalpha, word)) for word in _TLP)


def _claim(
    letters: tuple[str, str, str], words: list[str], named: str, *also: str
) -> re.Pattern[str]:
    """What in a plain text claims to be about a scale; README says it in words.

    `letters` are those of its short name, each with what else passes for it; `words` those of its
    long one. `named` is the short name where it is about the scale whatever the rest says, `also`
    what else is.
    """
    a, b, c = (each[0] for each in letters)
    short = [_spread(f"[{each}]" for each in letters)]
    short += [f"{_ODD}{b}{c}", rf"{a}[^a-z0-9\s]{c}", f"{a}{b}{_ODD}"]
    long = _spread(words)
    named = _either([named, long])
    from_a_word_on = [
        f"{named}{_GAP}(?:[a-z0-9]|{_ODD})",
        f"{_either([*short, _spread(words[:2])])}[^a-uw-z]*{_COLOUR}{_END}",
        f"{_COLOUR}{_GAP}{_either([*short, long])}{_END}",
    ]
    return re.compile("|".join([f"^{_GAP}{named}", _START + _either(from_a_word_on), *also]))


_CLAIMS_TLP = _claim(
    ("t7", "l1i", "p"),
    ["traffic", "light", "protocol"],
    _spread(["t", "[l1]", "p"]) + _END,
    f"^{_GAP}t[l1]p",
    _spread(["t", "[l1]", "p", _COLOUR]),  # within any word, as no word has it
    *_MARKED,
)
_CLAIMS_PAP = _claim(
    ("p", "a4", "p"),
    ["permissible", "actions?", "protocol"],
    _spread(["p", "a", "p", "[:=]"]),  # without the sign it is a word, and a test in every clinic
    *_MARKINGS_OF_PAP,
)


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
    what it means: `#tlp:red`, `pap:red;tlp:red`, or one with a Greek tau.
    """
    return _CLAIMS_TLP.search(plain(text)) is not None


def is_pap_tag(text: str) -> bool:
    """Whether a tag claims to be about PAP, readable or not (`PAP:PINK` is, `pap smear` is not)."""
    return _CLAIMS_PAP.search(plain(text)) is not None


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
