"""The vocabulary of this floor's properties: labels, tags, events, drafts."""

import string
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from policies.label import Label
from policies.tlp import Pap, Tlp
from sharing.event import (
    Attribute,
    Audience,
    Draft,
    Event,
    Json,
    Mark,
    Members,
    Object,
    Relation,
    ReportText,
    Tag,
    Twin,
)
from tests.sharing.making import BE, DE, FR, HOSPITAL, HUB, NL

ORGS = (FR, BE, DE, NL, HUB)
COARSE = " and its like"  # no value ends so; a twin under CLEAR is never stricter than its value
COMMUNITIES = ("0c0ffee0-0000-4000-8000-000000000001", "0c0ffee0-0000-4000-8000-000000000002")

texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=12
).filter(
    lambda text: not any(0xFDD0 <= ord(c) <= 0xFDEF or ord(c) & 0xFFFE == 0xFFFE for c in text)
)
words = st.text(string.ascii_letters + string.digits + " .:/-_é", min_size=1, max_size=16)
uuids = st.uuids(version=4).map(str)
timestamps = st.integers(0, 2**31)
orgs = st.sampled_from(ORGS)
audiences = st.builds(
    Audience,
    st.frozensets(orgs, max_size=2),
    st.frozensets(st.sampled_from(COMMUNITIES), max_size=1),
)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 2, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=UTC, microsecond=0)
)
labels = st.builds(
    Label,
    st.sampled_from(Tlp),
    st.sampled_from(Pap),
    st.frozensets(st.sampled_from(["clinical", "attribution", "exercise", "personal"]), max_size=2),
    st.none() | instants,
    st.booleans(),
    st.booleans(),
)
marks = st.builds(Mark, labels, st.none() | audiences)
jsons: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
# Drawn from a few, since an event has dozens of them: the odd ones are here, texts vary by value.
extras: st.SearchStrategy[Members] = st.sampled_from(
    [{}, {}, {"x_none": None}, {"x_list": [1, {"é": "ü"}], "x_true": True}, {"x_text": '"\\\n'}]
)
names = st.sampled_from(["ip-dst", "Payload delivery", "file", "drops", "a/b:c", "é"])
tlp_names = st.sampled_from(["tlp:clear", "tlp:white", "TLP:GREEN", "tlp:amber+strict", "tlp:red"])
other_names = st.sampled_from(
    ["tlp:amber", "tlp:unclear", "PAP:AMBER", "PAP:RED", "PAP:odd", "malware"]
)
tag_names = tlp_names | other_names
tags = st.builds(Tag, tag_names, extras)
tag_tuples = st.lists(tags, max_size=2, unique_by=lambda tag: tag.name).map(tuple)
galaxies: st.SearchStrategy[Members] = st.fixed_dictionaries(
    {"uuid": uuids, "type": names, "GalaxyCluster": st.just([{"value": "x"}])}
)
galaxy_tuples = st.lists(galaxies, max_size=1).map(tuple)


@st.composite
def attributes(draw: st.DrawFn) -> Attribute:
    deleted = draw(st.integers(0, 9)) == 0
    has_twin = not deleted and draw(st.integers(0, 3)) == 0
    return Attribute(
        uuid=draw(uuids),
        type=draw(names),
        category=draw(names),
        value=None if deleted else draw(texts),
        profile=draw(st.sampled_from(["fine"] if has_twin else [None, "compact", "fine"])),
        twin=Twin(draw(texts) + COARSE, Mark(Label(Tlp.CLEAR))) if has_twin else None,
        to_ids=draw(st.booleans()),
        timestamp=draw(timestamps),
        comment="" if deleted else draw(st.just("") | names),
        first_seen=None if deleted else draw(st.none() | names),
        last_seen=None if deleted else draw(st.none() | names),
        deleted=deleted,
        data=None if deleted else draw(st.none() | names),
        tags=draw(tag_tuples),
        galaxies=draw(galaxy_tuples),
        context=draw(extras),
        extra=draw(extras),
        mark=draw(st.none() | marks),
    )


@st.composite
def placed(draw: st.DrawFn) -> Attribute:
    return replace(draw(attributes()), object_relation=draw(names))


objects = st.builds(
    Object,
    uuid=uuids,
    name=names,
    timestamp=timestamps,
    comment=st.just("") | names,
    first_seen=st.none() | names,
    attributes=st.lists(placed(), max_size=1).map(tuple),
    tags=tag_tuples,
    extra=extras,
    mark=st.none() | marks,
)
report_texts = st.builds(
    ReportText,
    uuid=uuids,
    name=names,
    content=texts,
    timestamp=timestamps,
    tags=tag_tuples,
    extra=extras,
    mark=st.none() | marks,
)


@st.composite
def events(draw: st.DrawFn) -> Event:
    inside = tuple(draw(st.lists(objects, max_size=2)))
    ends = [each.uuid for each in inside]
    relations = st.builds(
        Relation,
        uuid=uuids,
        object_uuid=st.sampled_from(ends) if ends else st.nothing(),
        referenced_uuid=st.sampled_from(ends) if ends else st.nothing(),
        relationship_type=names,
        timestamp=timestamps,
        comment=st.just("") | names,
        extra=extras,
    )
    return Event(
        uuid=draw(uuids),
        info=draw(texts),
        date="2026-01-27",
        threat_level_id=draw(st.integers(1, 4)),
        analysis=draw(st.integers(0, 2)),
        timestamp=draw(timestamps),
        orgc=draw(st.none() | st.just({"name": "ACME", "uuid": HOSPITAL})),
        tags=draw(tag_tuples),
        galaxies=draw(galaxy_tuples),
        attributes=tuple(draw(st.lists(attributes(), max_size=3))),
        objects=inside,
        relations=tuple(draw(st.lists(relations, max_size=1))) if ends else (),
        reports=tuple(draw(st.lists(report_texts, max_size=1))),
        extra=draw(extras),
    )


drafts = st.builds(
    Draft,
    event=events(),
    label=labels,
    source=st.just(HOSPITAL),
    audience=audiences,
    at_least=st.sampled_from(Tlp),
)
