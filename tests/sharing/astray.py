"""Labels where MISP has no place for one: by what member, and within what, as a table.

`MEMBERS` gives the members by which somebody says a colour ("red", "rainbow"); `PLACES` puts them
into a document beside a string, the canary, that nobody but its source may have then.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid5

from policies.tlp import Tlp

Made = dict[str, Any]
_NAMES = UUID("6f1b2c1e-0000-4000-8000-000000000000")
_PINK = "marking-definition--5e57c739-391a-4eb3-b6be-0badc0de0bad"


def _marking(colour: str) -> str:
    return Tlp.RED.marking if colour == "red" else _PINK


def _galaxy(**cluster: Any) -> Made:
    known = {"type": "threat-actor", "value": "V", "tag_name": 'misp-galaxy:threat-actor="V"'}
    return {"Galaxy": [{"type": "threat-actor", "GalaxyCluster": [{**known, **cluster}]}]}


MEMBERS: Mapping[str, Callable[[str], Made]] = {
    "tlp": lambda c: {"tlp": c},
    "TLP, as people write it": lambda c: {"TLP": f"TLP:{c.upper()}"},
    "tlp_level": lambda c: {"tlp_level": c},
    "x-tlp": lambda c: {"x-tlp": c},
    "sharingTlp": lambda c: {"sharingTlp": c},
    "T.L.P": lambda c: {"T.L.P": c},
    "Traffic Light Protocol": lambda c: {"Traffic Light Protocol": c},
    "a list of tlp": lambda c: {"tlp": [c]},
    "tlp as CSAF has it": lambda c: {"sharing": {"tlp": {"label": c.upper()}}},
    "tlp in words": lambda c: {"tlp": {"description": c}},
    "deep within": lambda c: {"x_a": [{"x_b": [[{"tlp": c}]]}]},
    "JSON in a text": lambda c: {"x_meta": f'{{"tlp": "{c}"}}'},
    "the name of a member": lambda c: {"x_set": {f"tlp:{c}": True}},
    "label": lambda c: {"label": f"tlp:{c}"},
    "label, the colour alone": lambda c: {"Label": c},
    "labels": lambda c: {"labels": [f"tlp:{c}"]},
    "marking": lambda c: {"marking": f"tlp:{c}"},
    "STIX marking": lambda c: {"object_marking_refs": [_marking(c)]},
    "STIX marking of a part": lambda c: {
        "granular_markings": [{"marking_ref": _marking(c), "selectors": ["value"]}]
    },
    "EventTag": lambda c: {"EventTag": [{"tag_id": "1", "Tag": {"name": f"tlp:{c}"}}]},
    "AttributeTag": lambda c: {"AttributeTag": [{"tag_id": "1", "Tag": {"name": f"tlp:{c}"}}]},
    "event_tags": lambda c: {"event_tags": [{"name": f"tlp:{c}"}]},
    "tag": lambda c: {"tag": f"tlp:{c}"},
    "tags, a text": lambda c: {"tags": f"apt, tlp:{c}"},
    "tags, texts": lambda c: {"tags": ["apt", f"tlp:{c}"]},
    "tags, objects": lambda c: {"tags": [{"name": f"tlp:{c}"}]},
    "a tag in two halves": lambda c: {"tags": [{"predicate": "tlp", "value": c}]},
    "a note": lambda c: {"Note": [{"note": "n", "Tag": [{"name": f"tlp:{c}"}]}]},
    "an opinion": lambda c: {"Opinion": [{"opinion": 50, "tlp": c}]},
    "a relationship": lambda c: {"Relationship": [{"labels": [f"tlp:{c}"]}]},
}
GALAXIES: Mapping[str, Callable[[str], Made]] = {
    "a cluster's tag_name": lambda c: _galaxy(tag_name=f"tlp:{c}"),
    "a cluster's tag_name, as galaxies' are": lambda c: _galaxy(tag_name=f'misp-galaxy:tlp="{c}"'),
    "a cluster's value": lambda c: _galaxy(value=f"tlp:{c}"),
    "a cluster of tlp": lambda c: _galaxy(type="tlp", value=c, tag_name=""),
    "a cluster's meta": lambda c: _galaxy(meta={"tlp": [c]}),
    "a heading in a cluster's meta": lambda c: _galaxy(meta={"label": f"tlp:{c}"}),
    "a cluster's Tag": lambda c: _galaxy(Tag=[{"name": f"tlp:{c}"}]),
    "a cluster's relation": lambda c: _galaxy(
        GalaxyClusterRelation=[{"Tag": [{"name": f"tlp:{c}"}]}]
    ),
    "a galaxy's type": lambda c: {
        "Galaxy": [{"type": "tlp", "GalaxyCluster": [{"value": c}]}],
    },
}


def uuid_of(canary: str, what: str) -> str:
    """A uuid of its own for each thing of a document."""
    return str(uuid5(_NAMES, f"{canary} {what}"))


def _attribute(canary: str, value: str, **more: Any) -> Made:
    about = {"type": "domain", "category": "Network activity", "timestamp": "1769500000"}
    return {"uuid": uuid_of(canary, value), **about, "value": value, **more}


def _object(canary: str, *attributes: Made, **more: Any) -> Made:
    about = {"uuid": uuid_of(canary, "object"), "name": "file", "timestamp": "1769500000"}
    return {**about, "Attribute": list(attributes), **more}


def _report(canary: str, **more: Any) -> Made:
    about = {"uuid": uuid_of(canary, "report"), "name": "r", "timestamp": "1769500000"}
    return {**about, "content": f"It says {canary}", **more}


def _reference(canary: str, **more: Any) -> Made:
    ends = {"referenced_uuid": uuid_of(canary, beside_of(canary)), "relationship_type": "to"}
    about = {"uuid": uuid_of(canary, "reference"), "timestamp": "1769500000"}
    return {**about, **ends, "comment": canary, **more}


def _tagged(members: Made) -> Made:
    return {"Tag": [{"name": "apt", **members}]}


PLACES: Mapping[str, Callable[[str, Made], Made]] = {
    "attribute": lambda c, m: {"Attribute": [_attribute(c, c, **m)]},
    "object": lambda c, m: {"Object": [_object(c, _attribute(c, c), **m)]},
    "attribute of an object": lambda c, m: {"Object": [_object(c, _attribute(c, c, **m))]},
    "reference": lambda c, m: {
        "Object": [_object(c, _attribute(c, "in.example"), ObjectReference=[_reference(c, **m)])]
    },
    "report": lambda c, m: {"EventReport": [_report(c, **m)]},
    "tag of an attribute": lambda c, m: {"Attribute": [_attribute(c, c, **_tagged(m))]},
    "tag of a report": lambda c, m: {"EventReport": [_report(c, **_tagged(m))]},
    "event": lambda c, m: {"Attribute": [_attribute(c, c)], **m},
    "creator": lambda c, m: {
        "Attribute": [_attribute(c, c)],
        "Orgc": {"uuid": uuid_of(c, "org"), "name": "o", **m},
    },
}
WHOLE = ("event", "creator")
"""Where what is said is said of all of the event."""

CASES = [
    *((place, member, MEMBERS[member]) for place in PLACES for member in MEMBERS),
    *((place, member, GALAXIES[member]) for place in PLACES for member in GALAXIES),
]
IDS = [f"{place}: {member}" for place, member, _ in CASES]


def beside_of(canary: str) -> str:
    """The value that stands beside a canary, and that anybody may have."""
    return canary.replace("canary", "beside")


def event_with(canary: str, parts: Made) -> Made:
    """An event of that much, with an attribute beside it that nothing was said of."""
    about = {"info": "i", "date": "2026-01-27", "timestamp": "1769500000"}
    beside = _attribute(canary, beside_of(canary))
    attributes = [beside, *parts.get("Attribute", [])]
    return {"uuid": uuid_of(canary, "event"), **about, **parts, "Attribute": attributes}
