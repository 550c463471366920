"""What a source may say of an attribute beside what MISP knows: `profile` and `twin`.

    {"type": "ip-dst", "value": "198.51.100.7", "profile": "fine",
     "twin": {"value": "198.51.100.0/24", "tlp": "green"}}

Read only from whoever asks for it, our own API: in a stranger's file they are members nobody knows.
"""

from policies.label import Label
from policies.printable import printable
from policies.tlp import read_tlp
from sharing.event import Mark, Profile, Twin
from sharing.formats.misp_members import JsonObject

CHOICES = frozenset({"profile", "twin"})
_TWIN = frozenset({"value", "tlp"})


def read_profile(given: JsonObject) -> Profile | None:
    """Whether the value is to stand within the head or apart; None where that is left to us.

    Raises:
        BadMispError: it is neither compact nor fine.
    """
    match given.text_or_none("profile"):
        case None:
            return None
        case "compact":
            return "compact"
        case "fine":
            return "fine"
        case _:
            return given.bad("profile", "is neither compact nor fine")


def read_twin(given: JsonObject) -> Twin | None:
    """The coarser value beside an exact one, and its colour.

    Raises:
        BadMispError: it lacks one of them, or has more.
    """
    twin = given.object("twin")
    if twin is None:
        return None
    for name in twin.names():
        if name not in _TWIN:
            twin.bad(printable(name), "is no member of a twin: it has value and tlp")
    if "value" not in given or given.flag("deleted"):
        given.bad("twin", "has no value to stand beside")
    value, tlp = twin.text("value"), read_tlp(twin.text("tlp"))
    if not value:
        twin.bad("value", "is empty")
    if tlp is None:
        return twin.bad("tlp", "is none of clear, green, amber, amber+strict, red")
    return Twin(value, Mark(Label(tlp)))
