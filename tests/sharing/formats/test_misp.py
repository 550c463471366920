"""MISP's JSON: what is read, what is refused and how, what distributions mean, what is written."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.label import Label
from policies.tlp import Pap, Tlp, is_tlp_tag
from sharing.errors import ForeignFault
from sharing.event import Attribute, Audience, Draft, Event, Json
from sharing.formats.misp import BadMispError, MispEvent, read_misp, write_misp
from sharing.formats.misp_groups import Member
from sharing.formats.misp_members import NODE_LOCAL, UNSHARED
from sharing.seal.holding import Holding
from sharing.seal.records import Kind
from sharing.slots import Names, cut_event
from sharing.view import View, view
from tests.sharing.making import BE, DE, FR, HOSPITAL, counting, party, sealed
from tests.sharing.strategies import drafts, jsons
from tests.sharing.test_slots import without_marks

GREEN = Label(Tlp.GREEN)
STRICT = Label(Tlp.AMBER_STRICT)
UUID = "11111111-1111-4111-8111-111111111111"
CREATOR = "55f6ea5e-51ac-4344-bc8c-4170950d210f"


def attribute(n: int = 1, **more: Json) -> dict[str, Json]:
    plain: dict[str, Json] = {
        "id": "7",
        "event_id": "1",
        "uuid": f"{n:08x}-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
        "type": "ip-dst",
        "category": "Network activity",
        "to_ids": "1",
        "timestamp": "1539269704",
        "value": "192.0.2.1",
        "comment": "",
        "distribution": "5",
        "disable_correlation": False,
    }
    return {**plain, **more}


def event(**more: Json) -> dict[str, Json]:
    plain: dict[str, Json] = {
        "id": "1",
        "uuid": UUID,
        "info": "SSHDoor",
        "date": "2018-09-27",
        "threat_level_id": "1",
        "analysis": "0",
        "timestamp": "1539269704",
        "Orgc": {"id": "2", "name": "ESET", "uuid": CREATOR},
        "Attribute": [attribute()],
    }
    return {**plain, **more}


def read(document: object) -> MispEvent:
    (found,) = read_misp(orjson.dumps(document), name="f.json")
    return found


def fault(document: object) -> str:
    with pytest.raises(BadMispError) as caught:
        read_misp(orjson.dumps(document), name="f.json")
    return str(caught.value)


def drafted(document: object, intake: Label = GREEN) -> Draft:
    return read(document).draft(intake=intake, own_org=FR, source=HOSPITAL)


def held(document: object, intake: Label = GREEN) -> Holding:
    draft = drafted(document, intake)
    return sealed(cut_event(draft, Names(counting())), draft.event.uuid)


def whole_view(holding: Holding) -> View:
    return view(holding, holding.masks, reader=party(FR), own=True)


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "document",
    [
        {"Event": event()},
        {"response": [{"Event": event()}]},
        {"response": {"Event": event()}},
        [{"Event": event()}],
        [event()],
        event(),
    ],
)
def test_an_event_is_read_in_every_wrapping_misp_gives_it(document: object) -> None:
    assert read(document).event == Event(
        uuid=UUID,
        info="SSHDoor",
        date="2018-09-27",
        threat_level_id=1,
        analysis=0,
        timestamp=1539269704,
        orgc={"name": "ESET", "uuid": CREATOR},
        attributes=(
            Attribute(
                uuid="00000001-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
                type="ip-dst",
                category="Network activity",
                value="192.0.2.1",
                to_ids=True,
                timestamp=1539269704,
                extra={"disable_correlation": False},
            ),
        ),
    )


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"duvelDetails": {}}, "f.json: is no MISP event: .*neither `Event`.*has `duvelDetails`"),
        ({}, "it has nothing"),
        ([], "f.json: holds no event"),
        ({"response": []}, "f.json: response: holds no event"),
        ({"response": [7]}, r"response\[0\]: wants an object, got a whole number"),
        (7, "wants an object, got a whole number"),
        ({"Event": event(info=None)}, "info: is missing"),
        ({"Event": event(uuid=None)}, "uuid: is missing"),
        ({"Event": event(uuid="x")}, r"Event.uuid: wants a uuid, got text of 1 characters"),
        ({"Event": event(analysis="5")}, "Event.analysis: wants a number from 0 to 2"),
        (
            {"Event": event(threat_level_id=[])},
            "Event.threat_level_id: wants a whole number, got a l",
        ),
        ({"Event": event(Attribute={})}, "Event.Attribute: wants a list, got an object"),
        ({"Event": event(Attribute=[attribute(), 3])}, r"Event.Attribute\[1\]: wants an object"),
        (
            {"Event": event(Attribute=[*map(attribute, range(3)), attribute(9, type=None)])},
            r"Event.Attribute\[3\].type: is missing",
        ),
        (
            {"Event": event(Attribute=[attribute(type={})])},
            r"Event.Attribute\[0\].type: wants text, got an object",
        ),
        ({"Event": event(Attribute=[attribute(value=None)])}, r"Attribute\[0\].value: is missing"),
        (
            {"Event": event(Attribute=[attribute(to_ids="x")])},
            r"to_ids: wants true or false, got te",
        ),
        (
            {"Event": event(Attribute=[attribute(distribution="far")])},
            "distribution: wants a whole number, got text",
        ),
        (
            {"Event": event(Attribute=[attribute(), attribute()])},
            "Event: Attribute 00000001-aaaa-4aaa-8aaa-aaaaaaaaaaaa is there twice",
        ),
        ([event(), event()], rf"\[1\]: Event {UUID} is there twice"),
        (
            {
                "Event": event(
                    Object=[{"uuid": CREATOR, "name": "file", "Attribute": [attribute()]}]
                )
            },
            "Attribute 00000001-aaaa-4aaa-8aaa-aaaaaaaaaaaa is there twice",
        ),
        (
            {
                "Event": event(
                    Object=[{"uuid": CREATOR, "name": "f", "ObjectReference": [{"uuid": UUID}]}]
                )
            },
            r"Event.Object\[0\].ObjectReference\[0\].referenced_uuid: is missing",
        ),
        ({"Event": event(Tag=[{"colour": "#fff"}])}, r"Event.Tag\[0\].name: is missing"),
        (
            {"Event": event(date=None, timestamp=None)},
            "Event.date: is missing, and there is no timest",
        ),
        ({"Event": event(Orgc={"uuid": "x"})}, "Event.Orgc.uuid: wants a uuid"),
    ],
)
def test_what_is_not_misp_is_refused_naming_the_place(document: object, why: str) -> None:
    with pytest.raises(BadMispError, match=why):
        read_misp(orjson.dumps(document), name="f.json")


@pytest.mark.parametrize("cut", [0, 1, 40, 200, -1])
def test_truncated_json_is_refused_with_line_column_and_byte(cut: int) -> None:
    raw = orjson.dumps({"Event": event(info="Été\n")}, option=orjson.OPT_INDENT_2)[:cut]
    with pytest.raises(BadMispError, match=r"f.json: line \d+, column \d+, byte \d+: is no whole"):
        read_misp(raw, name="f.json")


def test_the_byte_of_broken_json_counts_bytes_and_not_letters() -> None:
    with pytest.raises(BadMispError, match="line 2, column 3, byte 11: "):
        read_misp('["éé",\n  \x01]'.encode()[:11] + b"!", name="f.json")


def test_bytes_that_nobody_could_seal_are_refused() -> None:
    for text in ("\\uFFFE", "\ufffe", "\\ufdd0", "\ufdef"):
        raw = orjson.dumps({"Event": event(info="HERE")}).replace(b"HERE", text.encode())
        with pytest.raises(BadMispError, match="noncharacter"):
            read_misp(raw, name="f.json")
    deep: Json = "x"
    for _ in range(40):
        deep = [deep]
    assert "Event.odd: is nested deeper than 24" in fault({"Event": event(odd=deep)})


@given(jsons | st.dictionaries(st.sampled_from(["Event", "response", "info", "uuid"]), jsons))
def test_any_json_gives_events_or_a_foreign_fault(document: Json) -> None:
    with pytest.raises(ForeignFault):
        read_misp(orjson.dumps(document), name="f.json")


@given(st.data())
def test_any_member_replaced_gives_an_event_or_a_named_fault(data: st.DataObject) -> None:
    inner = attribute(Tag=[{"name": "x"}], Galaxy=[{"GalaxyCluster": [{"value": "y"}]}])
    whole = event(Attribute=[inner], Object=[{"uuid": CREATOR, "name": "file"}])
    target = data.draw(st.sampled_from([whole, inner]))
    target[data.draw(st.sampled_from(sorted(target)))] = data.draw(jsons)
    with suppress(BadMispError):  # any other error fails the test
        read(whole)


def test_numbers_as_text_and_flags_in_any_spelling_are_read() -> None:
    found = read(
        {"Event": event(Attribute=[attribute(to_ids=0, timestamp=5, deleted="1", value=7)])}
    )
    (only,) = found.event.attributes
    assert (only.to_ids, only.timestamp, only.deleted, only.value) == (False, 5, True, None)
    assert (
        read({"Event": event(Attribute=[attribute(value=8080)])}).event.attributes[0].value
        == "8080"
    )


def test_a_value_in_two_halves_is_one() -> None:
    halves = attribute(value=None, value1="a.exe", value2="deadbeef")
    assert read({"Event": event(Attribute=[halves])}).event.attributes[0].value == "a.exe|deadbeef"


def test_whoever_drafts_an_event_may_leave_out_uuids_and_times() -> None:
    raw = orjson.dumps({"info": "new", "Attribute": [{"type": "domain", "value": "x.example"}]})
    now = datetime(2026, 1, 27, 7, 40, tzinfo=UTC)
    (found,) = read_misp(raw, name="api", fresh=counting(), now=now)
    assert found.event.uuid == "00000001-0000-4000-8000-000000000000"
    assert found.event.date == "2026-01-27"
    assert found.event.attributes[0].timestamp == int(now.timestamp())


# ── What is shared of it ─────────────────────────────────────────────────────────────────────────


def test_what_describes_one_instances_copy_is_sealed_nowhere() -> None:
    local: dict[str, Json] = {
        name: f"CANARY-{name}" for name in UNSHARED - {"distribution", "published"}
    }
    local |= {"SharingGroup": None, "Org": {"name": "CANARY-Org"}, "ShadowAttribute": ["CANARY-s"]}
    inner = {**attribute(), **local}
    whole = {**event(Attribute=[inner]), **local, "published": True, "locked": "CANARY-l"}
    raw = b"".join(s or b"" for r in held({"Event": whole}).records.values() for s in r.slots)
    assert b"CANARY" not in raw
    assert {"id", "locked", "published", "event_creator_email", "RelatedEvent"} <= NODE_LOCAL


def test_members_nobody_knows_are_carried() -> None:
    whole = event(extends_uuid=UUID, protected=None, new={"a": [1]}, Attribute=[attribute(odd="x")])
    seen = whole_view(held({"Event": whole})).event
    assert seen.extra == {"extends_uuid": UUID, "protected": None, "new": {"a": [1]}}
    assert seen.attributes[0].extra == {"disable_correlation": False, "odd": "x"}


def test_a_references_summary_of_its_target_is_not_sealed() -> None:
    uuid = f"2{UUID[1:]}"
    reference: Json = {"uuid": uuid, "referenced_uuid": CREATOR, "Object": {"name": "CANARY"}}
    thing: Json = {"uuid": CREATOR, "name": "file", "ObjectReference": [reference]}
    (relation,) = read({"Event": event(Object=[thing])}).event.relations
    assert (relation.object_uuid, relation.referenced_uuid, relation.extra) == (
        CREATOR,
        CREATOR,
        {},
    )


def test_local_tags_stay_at_home_and_their_colour_counts() -> None:
    tags: Json = [
        {"name": "tlp:red", "local": 1},
        {"name": "x", "exportable": False},
        {"name": "y"},
    ]
    on_event = whole_view(held({"Event": event(Tag=tags)}))
    on_attribute = whole_view(held({"Event": event(Attribute=[attribute(Tag=tags)])}))
    assert on_event.label.tlp is Tlp.RED
    assert on_attribute.labels["00000001-aaaa-4aaa-8aaa-aaaaaaaaaaaa"].tlp is Tlp.RED
    assert [tag.name for tag in on_event.event.tags] == ["y"]
    assert [tag.name for tag in on_attribute.event.attributes[0].tags] == ["y"]


# ── Labels ───────────────────────────────────────────────────────────────────────────────────────

ONLY = Label(Tlp.GREEN, only=True)


@pytest.mark.parametrize(
    ("level", "label", "audience"),
    [
        ("0", replace(ONLY, tlp=Tlp.AMBER_STRICT), {CREATOR}),
        ("1", replace(ONLY, relay=False), {FR}),
        ("2", replace(GREEN, relay=False), set()),
        ("3", GREEN, set()),
        ("4", ONLY, {BE, DE}),
        (None, GREEN, set()),
    ],
)
def test_distribution_of_an_event_becomes_label_and_audience(
    level: str | None, label: Label, audience: set[str]
) -> None:
    group: Json = {"SharingGroupOrg": [{"Organisation": {"uuid": org}} for org in (BE, DE)]}
    document = event(distribution=level, sharing_group_id="3", SharingGroup=group)
    draft = drafted({"Event": document})
    assert draft.label == replace(label, categories=frozenset({"unverified-origin"}))
    assert draft.audience == Audience(frozenset(audience))
    assert draft.at_least is Tlp.GREEN


@pytest.mark.parametrize(
    ("level", "tlp", "only", "relay", "audience"),
    [
        ("0", Tlp.AMBER_STRICT, True, True, {CREATOR}),
        ("1", Tlp.GREEN, True, False, {FR}),
        ("2", Tlp.GREEN, False, False, set()),
        ("3", Tlp.GREEN, False, True, set()),
        ("4", Tlp.GREEN, True, True, {BE}),
        ("5", Tlp.GREEN, False, True, set()),
    ],
)
def test_distribution_of_an_attribute_becomes_its_own_label(
    level: str, tlp: Tlp, only: bool, relay: bool, audience: set[str]
) -> None:
    group: Json = {"SharingGroupOrg": [{"Organisation": {"uuid": BE}}]}
    inner = attribute(distribution=level, sharing_group_id="3", SharingGroup=group)
    holding = held({"Event": event(distribution="3", Attribute=[inner])})
    (record,) = [r for r in holding.records.values() if r.header.kind == Kind.ATTRIBUTE]
    byte = record.header.labels[0]
    label = holding.labels.effective(byte)
    assert (label.tlp, label.only, label.relay) == (tlp, only, relay)
    assert holding.labels.addressees(byte) == audience
    assert (byte == 0) == (level in {"3", "5"})


def test_a_sharing_group_nobody_described_reaches_nobody() -> None:
    draft = drafted({"Event": event(distribution="4", sharing_group_id="9")})
    assert draft.label.only
    assert not draft.audience


def test_an_attribute_finds_its_group_by_the_events() -> None:
    group: Json = {"SharingGroupOrg": [{"Organisation": {"uuid": BE}}]}
    inner = attribute(distribution="4", sharing_group_id="3")
    found = read({"Event": event(sharing_group_id="3", SharingGroup=group, Attribute=[inner])})
    group_found = found.distributions["00000001-aaaa-4aaa-8aaa-aaaaaaaaaaaa"].group
    assert group_found is not None
    assert group_found.members == (Member(BE),)


def test_without_a_word_of_the_operator_what_comes_in_is_amber_strict() -> None:
    tagged = event(Tag=[{"name": "tlp:clear"}], Attribute=[attribute(Tag=[{"name": "tlp:white"}])])
    holding = held({"Event": tagged}, STRICT)
    colours = {
        holding.labels.effective(b).tlp for r in holding.records.values() for b in r.header.labels
    }
    assert colours == {Tlp.AMBER_STRICT, Tlp.CLEAR}  # CLEAR: the label records themselves
    assert {r.header.kind for r in holding.records.values() if r.header.labels == (1,)} == {
        Kind.LABEL
    }


def test_a_stricter_tag_in_the_document_wins_over_the_intake() -> None:
    tags: Json = [{"name": "tlp:clear"}, {"name": "TLP:Amber"}, {"name": "PAP:RED"}]
    shown = whole_view(held({"Event": event(Tag=tags)}))
    assert (shown.label.tlp, shown.label.pap) == (Tlp.AMBER, Pap.RED)


def test_an_attribute_under_distribution_keeps_the_colour_of_its_event() -> None:
    inner = attribute(distribution="3")
    shown = whole_view(held({"Event": event(Tag=[{"name": "tlp:amber"}], Attribute=[inner])}))
    assert shown.labels["00000001-aaaa-4aaa-8aaa-aaaaaaaaaaaa"].tlp is Tlp.AMBER


# ── Writing ──────────────────────────────────────────────────────────────────────────────────────


def test_an_event_is_written_as_misp_writes_one() -> None:
    written = write_misp(
        whole_view(held({"Event": event(Tag=[{"name": "osint", "colour": "#fff"}])}))
    )
    assert written["Event"] == {
        "uuid": UUID,
        "info": "SSHDoor",
        "date": "2018-09-27",
        "threat_level_id": "1",
        "analysis": "0",
        "timestamp": "1539269704",
        "published": True,
        "distribution": "1",
        "attribute_count": "1",
        "Orgc": {"name": "ESET", "uuid": CREATOR},
        "Tag": [{"colour": "#fff", "name": "osint"}, {"name": "tlp:green"}],
        "Galaxy": [],
        "Attribute": [
            {
                "uuid": "00000001-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
                "type": "ip-dst",
                "category": "Network activity",
                "value": "192.0.2.1",
                "to_ids": True,
                "timestamp": "1539269704",
                "comment": "",
                "first_seen": None,
                "last_seen": None,
                "deleted": False,
                "object_relation": None,
                "distribution": "5",
                "disable_correlation": False,
                "Tag": [],
                "Galaxy": [],
            }
        ],
        "Object": [],
        "EventReport": [],
    }


@pytest.mark.parametrize(
    ("tlp", "distribution"),
    [
        (Tlp.CLEAR, "3"),
        (Tlp.GREEN, "1"),
        (Tlp.AMBER, "0"),
        (Tlp.AMBER_STRICT, "0"),
        (Tlp.RED, "0"),
    ],
)
def test_a_label_leaves_as_distribution_and_one_tag(tlp: Tlp, distribution: str) -> None:
    loose: Json = [{"name": "tlp:clear"}, {"name": tlp.tag, "colour": "#123456"}]
    written = write_misp(whole_view(held({"Event": event(Tag=loose)}, Label(Tlp.CLEAR))))["Event"]
    assert isinstance(written, dict)
    assert written["distribution"] == distribution
    assert written["Tag"] == [{"name": tlp.tag, "colour": "#123456"}]


def test_what_differs_from_its_event_says_so() -> None:
    strict = attribute(2, Tag=[{"name": "tlp:red"}])
    inner = attribute(3, distribution="0")
    written = write_misp(whole_view(held({"Event": event(Attribute=[attribute(), strict, inner])})))
    found = written["Event"]
    assert isinstance(found, dict)
    attributes = found["Attribute"]
    assert isinstance(attributes, list)
    by_uuid = {a["uuid"]: (a["distribution"], a["Tag"]) for a in attributes if isinstance(a, dict)}
    assert by_uuid == {
        "00000001-aaaa-4aaa-8aaa-aaaaaaaaaaaa": ("5", []),
        "00000002-aaaa-4aaa-8aaa-aaaaaaaaaaaa": ("0", [{"name": "tlp:red"}]),
        "00000003-aaaa-4aaa-8aaa-aaaaaaaaaaaa": ("0", [{"name": "tlp:amber+strict"}]),
    }


@given(drafts)
def test_what_is_written_is_read_back_as_what_was_seen(draft: Draft) -> None:
    shown = whole_view(sealed(cut_event(draft, Names(counting())), draft.event.uuid))
    again = read_misp(orjson.dumps(write_misp(shown)), name="again")[0].event
    assert _comparable(again) == _comparable(shown.event)


def _comparable(found: Event) -> Event:
    """Without the tlp tags, which say the label anew, and what MISP has no member for."""
    bare = without_marks(found)

    def one(each: Attribute) -> Attribute:
        tags = tuple(tag for tag in each.tags if not is_tlp_tag(tag.name))
        relation = each.object_relation or None
        return replace(each, tags=tags, context={}, object_relation=relation, twin=None)

    return replace(
        bare,
        published=False,
        tags=tuple(tag for tag in bare.tags if not is_tlp_tag(tag.name)),
        attributes=tuple(map(one, bare.attributes)),
        objects=tuple(
            replace(
                each,
                tags=tuple(tag for tag in each.tags if not is_tlp_tag(tag.name)),
                attributes=tuple(map(one, each.attributes)),
            )
            for each in bare.objects
        ),
        reports=tuple(
            replace(each, tags=tuple(tag for tag in each.tags if not is_tlp_tag(tag.name)))
            for each in bare.reports
        ),
    )


# ── Real files ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def real(shared_data: Path) -> list[tuple[str, bytes]]:
    files = sorted((shared_data / "real" / "misp-events").glob("*.json"))
    return [(file.name, file.read_bytes()) for file in files]


def test_every_real_event_is_read_and_the_file_that_is_none_is_refused(
    real: list[tuple[str, bytes]],
) -> None:
    events, attributes = 0, 0
    for name, raw in real:
        if name == "rqz-dnsduvel_blocklist.json":
            with pytest.raises(BadMispError, match=f"{name}: is no MISP event"):
                read_misp(raw, name=name)
            continue
        for found in read_misp(raw, name=name):
            events += 1
            attributes += len(found.event.attributes)
            attributes += sum(len(thing.attributes) for thing in found.event.objects)
    assert (events, attributes) == (24, 1899)


@pytest.mark.parametrize(
    "answer", ["events_view", "events_add", "events_edit", "events_restSearch"]
)
def test_a_running_misps_answers_are_read(shared_data: Path, answer: str) -> None:
    text = (shared_data / "misp-samples" / f"{answer}.txt").read_text(encoding="utf-8")
    body = text.split("\n\n", 1)[1]
    found = read_misp(body.encode(), name=answer)
    assert found
    assert all(each.event.attributes for each in found)


def test_no_member_of_a_real_event_is_lost_between_reading_and_writing(
    real: list[tuple[str, bytes]],
) -> None:
    for name, raw in real:
        if name == "rqz-dnsduvel_blocklist.json":
            continue
        document = orjson.loads(raw)
        given = document["response"][0]["Event"] if "response" in document else document["Event"]
        holding = held(document)
        written = write_misp(whole_view(holding))["Event"]
        assert _kept(given) == _kept(written), name


_DROPPED = UNSHARED | {"Object", "Attribute", "object_uuid", "source_uuid"}


def _kept(given: object, *, reference: bool = False) -> object:
    """What of a document is shared, in an order of its own; empty members count as absent."""
    if isinstance(given, list):
        return sorted((_kept(each, reference=reference) for each in given), key=repr)
    if not isinstance(given, dict):
        return given
    dropped = _DROPPED if reference else UNSHARED
    kept = {
        name: _kept(each, reference=name == "ObjectReference")
        for name, each in given.items()
        if name not in dropped and name != "distribution"
    }
    if "local" in kept and "uuid" in kept:  # of an organisation: whether it lives on this instance
        del kept["local"]
    if "name" in kept and is_tlp_tag(str(kept["name"])):
        return "a tlp tag"
    return sorted(
        (name, [one for one in each if one != "a tlp tag"] if isinstance(each, list) else each)
        for name, each in kept.items()
        if each not in ([], "", None, ["a tlp tag"])
    )
