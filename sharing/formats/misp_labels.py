"""Labels where MISP has no place for one: what members that are carried unread claim.

A colour may stand anywhere: `"tlp": "red"`, a join row (`EventTag`), a STIX marking, a galaxy's
cluster called tlp:red. Whoever wrote it meant it, so it counts for the thing it stands in, and only
ever makes that stricter. What cannot be read there is an unread label, which blocks egress.

Two things tell a label. The NAME of a member, whatever its case and separators: all that stands
under a name with tlp, pap, label or marking in it must be read as one. Elsewhere the TEXT of a
member, where it claims to be a tag of TLP or PAP. In prose (`_PROSE`) that is not enough: "see the
TLP:RED report" is about another thing, and only a text that says nothing but a colour is one.
"""

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache
from typing import TypeVar

from policies.lookalikes import plain
from policies.printable import printable
from policies.tlp import Pap, is_tlp_tag, read_pap, read_tlp
from sharing.event import Json, Object, Tag, TagMarks, read_marks
from sharing.formats.misp_members import JsonObject, stays, without_those_that_stay

T = TypeVar("T")

_SHORT = 64
_PROSE = frozenset({"description", "comment", "content", "note", "refs"})
_DROPPED = "event_tags"  # is not carried, but what it says of the event's colour counts
_NO_PLACE = (
    "is no place for a label: an event's stands beside `Event` as `tlp` and `pap`, "
    "that of any other thing is a tag in its `Tag`"
)
_UNREAD = TagMarks(unread=True)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TLP = re.compile(r"(?<!t)t[l1]p")  # a "ttlPolicy" is of something else


class _Place(Enum):
    """What a member's name says of what stands under it."""

    TLP = auto()
    PAP = auto()
    LABEL = auto()
    PROSE = auto()
    META = auto()  # a galaxy's: its headings may be called label
    PLAIN = auto()


_STRICT = frozenset({_Place.TLP, _Place.PAP, _Place.LABEL})


@dataclass(slots=True)
class Said:
    """What is said of the labels of an event's things where MISP's readers do not look, by uuid.

    `refuses`: its author is our own source, and there to put a label where it counts.
    `left_out` are the places at which something stays behind, as its own distribution wants.
    """

    refuses: bool
    marks: dict[str, TagMarks] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)  # places that have parts that stay

    def carried(
        self,
        uuid: str,
        given: JsonObject,
        known: frozenset[str],
        *,
        names: frozenset[str] = frozenset(),
    ) -> dict[str, Json]:
        """What nobody knows of an object, with what it claims of a thing's label noted.

        Parts of it that were not to leave with the thing are left out, but heard.
        Members of it that are but somebody's `names` claim nothing.

        Raises:
            BadMispError: it is too deep, or claims a label where `refuses` says that it may not.
        """
        rest = given.rest(known)
        heard = {name: each for name, each in rest.items() if name not in names}
        for place, said in _claims("", {**heard, _DROPPED: given.raw(_DROPPED)}, _Place.PLAIN):
            if self.refuses:
                given.bad(place, _NO_PLACE)
            self.note(uuid, said)
        whole = {name: each for name, each in rest.items() if not stays(name, each)}
        kept = {name: without_those_that_stay(name, each) for name, each in whole.items()}
        if kept != rest:
            self.left_out.append(given.path)
        return kept

    def told(self, thing: Object) -> None:
        """Note the colour that a template has its object say of itself by an attribute."""
        for each in thing.attributes:
            if _place(each.object_relation or "") is _Place.TLP:
                for _, said in _claims("", each.value, _Place.TLP):
                    self.note(thing.uuid, said)

    def note(self, uuid: str, said: TagMarks) -> None:
        """Let a thing be as strict as this, and as whatever was noted of it before."""
        if said:
            self.marks[uuid] = self.marks.get(uuid, TagMarks()) | said


def _remembered(read: Callable[..., T]) -> Callable[..., T]:
    """A reader of texts that remembers the short ones: a document says them many times."""
    known = lru_cache(maxsize=8192)(read)

    def reader(text: str, *more: Hashable) -> T:
        return (known if len(text) <= _SHORT else read)(text, *more)

    return reader


def _claims(path: str, given: Json, place: _Place) -> Iterator[tuple[str, TagMarks]]:
    if isinstance(given, dict):
        for name, inner in given.items():
            shown = printable(name.lower())
            at = f"{path}.{shown}" if path else shown
            if said := _read(name, _Place.PROSE):  # {"tlp:red": {}}
                yield at, said
            yield from _claims(at, inner, _narrowed(place, _place(name)))
    elif isinstance(given, list):
        for n, inner in enumerate(given):
            yield from _claims(f"{path}[{n}]", inner, place)
    elif isinstance(given, str):
        if said := _read(given, place):
            yield path, said
    elif given is not None and given is not False and place in _STRICT:
        yield path, _UNREAD


def _narrowed(outer: _Place, inner: _Place) -> _Place:
    """What a member is that stands under another.

    Under a label all is one, whatever it is called there: {"tlp": {"description": "red"}}. In what
    a galaxy knows of its clusters (`meta`) a label is a heading: only what claims to be one counts.
    """
    if outer in _STRICT and inner not in _STRICT:
        return outer
    is_heading = outer is _Place.META and inner in {_Place.LABEL, _Place.PLAIN}
    return outer if is_heading else inner


@_remembered
def _place(name: str) -> _Place:
    words = re.findall("[a-z0-9]+", plain(_CAMEL.sub(" ", name)))
    joined = "".join(words)
    if any(map(_TLP.search, words)) or joined == "tlp" or "trafficlight" in joined:
        return _Place.TLP
    if "pap" in words:
        return _Place.PAP
    if "label" in joined or "marking" in joined:
        return _Place.LABEL
    if name == "meta":
        return _Place.META
    return _Place.PROSE if name in _PROSE else _Place.PLAIN


@_remembered
def _read(text: str, place: _Place) -> TagMarks | None:
    if not text.strip():
        return None
    match place:
        case _Place.PLAIN | _Place.META:
            return read_marks([Tag(text)]) or None
        case _Place.PROSE:
            return _exact(text)
        case _Place.PAP:
            return TagMarks(pap=read_pap(text) or Pap.RED)
        case _Place.LABEL if said := read_marks([Tag(text)]):
            return said
        case _:
            tlp = read_tlp(text)
            return _UNREAD if tlp is None else TagMarks(tlp)


def _exact(text: str) -> TagMarks | None:
    """What a text says that says nothing but the colour of TLP it spells."""
    tlp = read_tlp(text) if is_tlp_tag(text) else None
    return None if tlp is None else TagMarks(tlp)
