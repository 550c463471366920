"""The reader's gate in SQL against the projection: two ways to one verdict, for any log and reader."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from node.actions.caller import Caller
from node.actions.errors import NotFoundError
from node.actions.gate import standing_of
from node.actions.index import index_of
from node.actions.read import list_events, read_event
from node.actions.sealing import Birth, first_version, fresh_uuid, write_version
from node.actions.search import search_values
from node.storage import tables, tables_feed
from node.storage.entries import replace_index
from node.storage.logs import HoldingRow, LogRow, add_log, best_holding, find_log, put_holding
from policies.label import Label
from policies.tlp import Pap, Tlp
from sharing.event import Attribute, Audience, Draft, Event, Mark, Object, ReportText, Tag, Twin
from sharing.project import project
from sharing.seal.package import load_holding, write_package
from sharing.seal.seal import seal
from sharing.slots import Names, cut_event
from sharing.slots_read import read_log
from tests.node.actions.house import BE, ESSAIS, FR, HUB, VAL, House
from tests.node.nodes import START

VALUES = ("evil.example", "198.51.100.7", "Dropper.EXE")
Seen = tuple[str | None, dict[str, str]]
TWIN = "198.51.100.0/24"
COMPOSITE = "Dropper.EXE|3395856ce81f2b7382dee72602f798b642f14140"

SOUGHT = (*VALUES, TWIN, COMPOSITE, COMPOSITE.split("|")[1])


@dataclass(frozen=True)
class Plan:
    """A log to be: its event's label, its attributes' marks, and how this node came by it."""

    label: Label
    audience: Audience
    marks: tuple[Mark | None, ...]
    extras: tuple[Mark | None, ...]
    twins: tuple[bool, ...]
    source: str | None  # None: received from BE
    hops: int
    published: bool


def labels() -> st.SearchStrategy[Label]:
    plain = st.builds(Label, tlp=st.sampled_from(Tlp))
    return plain | st.builds(
        Label,
        tlp=st.sampled_from(Tlp),
        pap=st.sampled_from(Pap),
        categories=st.frozensets(
            st.sampled_from(["clinical", "attribution", "unread-label", "exercise"]), max_size=1
        ),
        until=st.sampled_from([None, None, START - timedelta(days=1), START + timedelta(days=1)]),
        only=st.booleans(),
        relay=st.booleans(),
    )


def audiences() -> st.SearchStrategy[Audience]:
    named = st.frozensets(st.sampled_from([FR, BE, HUB, VAL.org, ESSAIS.org]), max_size=2)
    return named.map(Audience)


def marks() -> st.SearchStrategy[Mark | None]:
    return st.none() | st.builds(Mark, labels(), st.none() | audiences())


def plans() -> st.SearchStrategy[Plan]:
    received = st.tuples(st.none(), st.integers(0, 1), st.just(True))
    ours = st.tuples(st.sampled_from([FR, VAL.org, ESSAIS.org]), st.just(0), st.booleans())
    return st.builds(
        lambda label, audience, own, extra, twins, how: Plan(
            label, audience, own, extra, twins, *how
        ),
        labels(),
        audiences(),
        st.tuples(*[marks()] * 4),
        st.tuples(*[marks()] * 2),
        st.tuples(*[st.booleans()] * 4),
        received | ours,
    )


def uuid(n: int) -> str:
    return str(UUID(int=(0xA << 76) | (4 << 76) | (8 << 60) | n, version=4))


def draft(house: House, plan: Plan) -> Draft:
    attributes = [
        Attribute(
            uuid(n),
            kind,
            "Network activity",
            value,
            to_ids=True,
            timestamp=1,
            mark=mark,
            twin=Twin(TWIN, Mark(Label(Tlp.CLEAR))) if twin else None,
        )
        for n, (kind, value, mark, twin) in enumerate(
            zip(
                ("domain", "ip-dst", "filename", "filename|sha1"),
                (*VALUES, COMPOSITE),
                plan.marks,
                plan.twins,
                strict=True,
            ),
            10,
        )
    ]
    event = Event(
        uuid=fresh_uuid(house.node),
        info="about something",
        date="2026-01-27",
        threat_level_id=4,
        analysis=0,
        timestamp=1,
        tags=(Tag("kill-chain"),),
        attributes=tuple(attributes[:3]),
        objects=(Object(uuid(1), "file", 1, attributes=(attributes[3],), mark=plan.extras[0]),),
        reports=(ReportText(uuid(2), "notes", "text", 1, mark=plan.extras[1]),),
    )
    return Draft(event, plan.label, plan.source or BE, plan.audience)


def keep(house: House, plan: Plan) -> str:
    """Store the log as the node would have it."""
    told = draft(house, plan)
    records = cut_event(told, Names.of(None, lambda: fresh_uuid(house.node)))
    if plan.source is not None:
        birth = Birth("event", told.event.uuid, plan.source, {}, published=plan.published)
        version = first_version(house.node, birth, records, START)
        with house.node.store.write() as unit:
            write_version(unit, version)
        return told.event.uuid
    holding = seal(
        records,
        log="event",
        event=told.event.uuid,
        issuer=BE,
        signers=house.node.signers,
        seed=house.node.rng(32),
        class_salt=house.node.rng(16),
        at=START,
    )
    statement = holding.statement
    row = LogRow(
        origin=BE,
        event=told.event.uuid,
        type="event",
        epoch=0,
        seq=1,
        seal=statement.seal,
        source=None,
        published=True,
        urgent=False,
        report=None,
        ground={},
        recalled_epoch=None,
        recalled_seq=None,
        recall=None,
        first_seen_at=START,
        updated_at=START,
    )
    held = HoldingRow(
        origin=BE,
        event=told.event.uuid,
        src=HUB if plan.hops else BE,
        epoch=0,
        seq=1,
        seal=statement.seal,
        digest=holding.digest,
        hops=plan.hops,
        package=write_package(holding),
        withheld=[],
        received_at=START,
    )
    with house.node.store.write() as unit:
        add_log(unit.connection, row)
        put_holding(unit.connection, held)
        replace_index(unit.connection, BE, told.event.uuid, held.src, index_of(holding))
    return told.event.uuid


def forget_all(house: House) -> None:
    with house.node.store.write() as unit:
        for table in (
            tables.entry,
            tables.log_class,
            tables.slot_class,
            tables.holding,
            tables.log,
            tables_feed.dirty,
        ):
            unit.connection.execute(table.delete())


def projected(house: House, caller: Caller, event: str) -> Seen | None:
    """What project() lets the caller see: info, values and twins by attribute; None: nothing."""
    with house.node.store.read() as unit:
        row = next(
            row
            for origin in (FR, BE)
            if (row := find_log(unit.connection, origin, event)) is not None
        )
        best = best_holding(unit.connection, row.origin, event)
    assert best is not None
    holding = load_holding(best.package)
    standing = standing_of(house.node, caller, row, best)
    masks = project(holding, caller.party, standing, house.node.judge, (), house.node.clock()).masks
    if not masks:
        return None
    read = read_log(holding, masks).event
    seen = [*read.attributes, *(each for thing in read.objects for each in thing.attributes)]
    values = {each.uuid: each.value for each in seen if each.value is not None}
    values |= {f"{each.uuid} twin": each.twin.value for each in seen if each.twin is not None}
    return read.info or None, values


def found(house: House, caller: Caller, values: Iterable[str]) -> dict[str, dict[str, str]]:
    """What search finds: by event, values by attribute uuid."""
    hits: dict[str, dict[str, str]] = {}
    for value in values:
        for hit in search_values(house.node, caller, value.upper()):
            name = f"{hit.attribute} twin" if hit.value == TWIN else hit.attribute
            assert name not in hits.get(hit.event, {}) or "|" in hit.value
            hits.setdefault(hit.event, {})[name] = hit.value
    return hits


def callers(house: House) -> list[Caller]:
    def machine(caller: Caller) -> Caller:
        return replace(caller, party=replace(caller.party, kind="machine"))

    stranger = replace(house.other, party=replace(house.other.party, roles=frozenset()))
    return [
        house.claire,
        house.other,
        house.amelie,
        house.reader,
        machine(house.claire),
        machine(house.amelie),
        stranger,
    ]


@given(st.lists(plans(), min_size=1, max_size=4))
@settings(
    max_examples=12,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_search_and_lists_show_exactly_what_the_projection_discloses(
    house: House, made: list[Plan]
) -> None:
    forget_all(house)
    events = {keep(house, plan): BE if plan.source is None else FR for plan in made}
    for caller in callers(house):
        wanted = {event: projected(house, caller, event) for event in events}
        check_list(house, caller, wanted)
        expected = {event: seen[1] for event, seen in wanted.items() if seen and seen[1]}
        assert found(house, caller, SOUGHT) == expected
        for event, origin in events.items():
            assert can_read(house, caller, origin, event) is (wanted[event] is not None)


def check_list(house: House, caller: Caller, wanted: Mapping[str, Seen | None]) -> None:
    rows = list_events(house.node, caller, limit=50).rows
    assert {row.event for row in rows} == {event for event, seen in wanted.items() if seen}
    for row in rows:
        info, values = wanted[row.event] or (None, {})
        attributes = {name.removesuffix(" twin") for name in values}
        assert (row.info, row.attributes) == (info, len(attributes))


def can_read(house: House, caller: Caller, origin: str, event: str) -> bool:
    try:
        read_event(house.node, caller, origin, event)
    except NotFoundError:
        return False
    return True
