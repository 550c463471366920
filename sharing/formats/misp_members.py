"""The members of MISP's JSON: which are never shared, and how a wrong one is named.

MISP spells numbers as text and yes as 1, "1" or true; all of that is read. What is of the wrong
type is refused with the place where it stands (`Event.Attribute[3].type`) and the kind of thing
that stands there, never with its value.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

from sharing.errors import ForeignFault
from sharing.event import Json
from sharing.incidents.values import class_of

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NUMBER = re.compile(r"-?[0-9]{1,18}")
_YES = {True, "1", "true", "True"}
_NO = {False, "0", "", "false", "False", None}
_DEPTH = 24  # of what is carried as it came; a slot may be a little deeper

NODE_LOCAL = frozenset(
    {
        "id",
        "event_id",
        "org_id",
        "orgc_id",
        "object_id",
        "user_id",
        "galaxy_id",
        "tag_id",
        "referenced_id",
        "source_id",
        "sharing_group_id",
        "SharingGroup",
        "locked",
        "published",
        "distribution",
        "event_creator_email",
        "attribute_count",
        "proposal_email_lock",
        "publish_timestamp",
        "RelatedEvent",
        "ShadowAttribute",
        "Org",
        "User",
    },
)
"""What describes a copy on one instance, not what was said."""
COMPUTED = frozenset(
    {"Sighting", "RelatedAttribute", "Feed", "Server", "warnings", "decay_score", "event_tags"},
)
"""What the exporting instance worked out, or what others said; it is not the source's word (D5)."""
UNSHARED = NODE_LOCAL | COMPUTED
_HUNG_ON = frozenset({"Galaxy", "GalaxyCluster", "Tag", "EventTag", "AttributeTag"})
_AS_FAR = {None, "", 3, "3", 5, "5"}  # as far as anything goes, or as what it hangs on


class BadMispError(ForeignFault):
    """A document that is not MISP's, or not whole: names the document, and the place in it."""

    def __init__(self, name: str, where: str, why: str) -> None:
        super().__init__(f"{name}: {where}: {why}" if where else f"{name}: {why}")
        self.where = where
        self.why = why


class JsonObject:
    """One JSON object of a document: its members by name, each read as what it must be."""

    __slots__ = ("_members", "document", "path")

    def __init__(self, document: str, path: str, given: object) -> None:
        self.document = document
        self.path = path
        if not isinstance(given, dict):
            raise BadMispError(document, path, f"wants an object, got {class_of(given)}")
        self._members: dict[str, Json] = given

    def __contains__(self, name: str) -> bool:
        """Whether the member is there and not null."""
        return self._members.get(name) is not None

    def bad(self, name: str, why: str) -> NoReturn:
        """Refuse a member.

        Raises:
            BadMispError: always.
        """
        raise BadMispError(self.document, f"{self.path}.{name}" if self.path else name, why)

    def text(self, name: str, default: str | None = None) -> str:
        """A text; a number stands for its digits. Without a default it must be there."""
        given = self._members.get(name)
        if given is None:
            return self.bad(name, "is missing") if default is None else default
        if isinstance(given, int | float) and not isinstance(given, bool):
            return str(given)
        return given if isinstance(given, str) else self._wrong(name, "text")

    def text_or_none(self, name: str) -> str | None:
        """A text that says something, or None."""
        return self.text(name, "") or None

    def uuid(self, name: str, fresh: Callable[[], str] | None = None) -> str:
        """A uuid in lower case; it must be there, unless `fresh` gives new ones."""
        if fresh is not None and name not in self:
            return fresh()
        text = self.text(name).strip().lower()
        return text if _UUID.fullmatch(text) else self._wrong(name, "a uuid")

    def number(self, name: str, default: int) -> int:
        """A whole number, also one spelled as text."""
        given = self._members.get(name)
        if given is None or given == "":
            return default
        if isinstance(given, int) and not isinstance(given, bool):
            return given
        is_number = isinstance(given, str) and _NUMBER.fullmatch(given)
        return int(str(given)) if is_number else self._wrong(name, "a whole number")

    def choice(self, name: str, allowed: range, default: int) -> int:
        """A whole number out of a small range."""
        number = self.number(name, default)
        if number not in allowed:
            self.bad(name, f"wants a number from {allowed[0]} to {allowed[-1]}")
        return number

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false, in any of MISP's spellings."""
        given = self._members.get(name, default)
        if isinstance(given, list | dict):
            self._wrong(name, "true or false")
        if given in _YES:
            return True
        return False if given in _NO else self._wrong(name, "true or false")

    def objects(self, name: str) -> Iterator["JsonObject"]:
        """The objects of a list; none if it is not there."""
        given = self._members.get(name)
        if given is None:
            return
        if not isinstance(given, list):
            self._wrong(name, "a list")
        path = f"{self.path}.{name}" if self.path else name
        for n, item in enumerate(given):
            yield JsonObject(self.document, f"{path}[{n}]", item)

    def object(self, name: str) -> "JsonObject | None":
        """One object, or None if it is not there; MISP writes an empty one as an empty list."""
        given = self._members.get(name)
        if given is None or given == []:
            return None
        return JsonObject(self.document, f"{self.path}.{name}" if self.path else name, given)

    def items(self, name: str) -> Sequence[Json]:
        """A list of anything; empty if it is not there."""
        given = self._members.get(name)
        if given is None:
            return ()
        return given if isinstance(given, list) else self._wrong(name, "a list")

    def names(self) -> Sequence[str]:
        """The members' names, sorted."""
        return sorted(self._members)

    def raw(self, name: str) -> Json:
        """A member as it came, None if it is not there; it may not be nested too deep."""
        value = self._members.get(name)
        if _is_deeper(value, _DEPTH):
            self.bad(name, f"is nested deeper than {_DEPTH}")
        return value

    def rest(self, known: frozenset[str]) -> dict[str, Json]:
        """What nobody here knows, to be carried as it came."""
        names = (name for name in self._members if name not in known and name not in UNSHARED)
        return {name: self.raw(name) for name in names}

    def stays(self, name: str) -> bool:
        """Whether this, as the member called `name`, was not to leave with what it hangs on."""
        return stays(name, self._members)

    def _wrong(self, name: str, wanted: str) -> NoReturn:
        self.bad(name, f"wants {wanted}, got {class_of(self._members.get(name))}")


def stays(name: str, given: Json) -> bool:
    """Whether a part that is carried as it came was not to leave with what it hangs on.

    MISP gives galaxies, their clusters and relations, and analysts' notes a distribution of their
    own, and hangs tags and clusters on a thing for one instance alone (`local`).
    """
    if not isinstance(given, dict):
        return False
    level, local = given.get("distribution"), given.get("local")
    is_far = not isinstance(level, list | dict) and level in _AS_FAR
    is_local = isinstance(local, list | dict) or local not in _NO
    return not is_far or (is_local and name in _HUNG_ON)


def without_those_that_stay(name: str, given: Json) -> Json:
    """What is carried of a member, less the parts in it that stay."""
    if isinstance(given, list):
        return [without_those_that_stay(name, each) for each in given if not stays(name, each)]
    if isinstance(given, dict):
        inside = ((each, inner) for each, inner in given.items() if not stays(each, inner))
        return {each: without_those_that_stay(each, inner) for each, inner in inside}
    return given


def is_uuid(text: str) -> bool:
    """Whether a text is a uuid in lower case."""
    return bool(_UUID.fullmatch(text))


def _is_deeper(value: Json, levels: int) -> bool:
    if not isinstance(value, list | dict):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)
