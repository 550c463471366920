"""A stage is read strictly, laid over what came before, and never refused if the law takes it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.tlp import Pap, Tlp
from sharing.event import Json
from sharing.incidents.fields import FIELDS, LISTS
from sharing.incidents.indicator import Indicator
from sharing.incidents.report import (
    BadReportError,
    Earlier,
    Report,
    Stage,
    completeness,
    read_report,
)
from sharing.seal.holding import Holding
from sharing.seal.records import Kind
from sharing.slots import Names, cut_incident, diff, earlier_of
from tests.sharing.incidents.cassiopee import (
    DETAILS,
    EVENT,
    FR_HEALTH,
    NOTIFIED_AT,
    PSEUDONYM,
    WARNED_AT,
    WARNING,
    event_log,
    notified,
    report_log,
    submitted,
    warned,
)
from tests.sharing.making import counting, resealed
from tests.sharing.strategies import jsons, words

MINIMUM: dict[str, Json] = {
    "stage": "early_warning",
    "aware_at": "2026-01-27T04:52Z",
    "suspected_malicious": "unknown",
    "cross_border": "unknown",
    "entity_name": "A clinic",
    "contact_phone": "+33199001234",
}


def read(body: object, **more: Json) -> Report:
    return read_report(
        {**body, **more} if isinstance(body, dict) else body, at=WARNED_AT, fresh=counting()
    )


def fault(**more: Json) -> str:
    with pytest.raises(BadReportError) as caught:
        read(MINIMUM, **more)
    return str(caught.value)


def test_the_legal_minimum_of_an_early_warning_is_enough() -> None:
    report = read(MINIMUM)
    assert report.stage is Stage.EARLY_WARNING
    assert report.colour is Tlp.AMBER_STRICT
    assert 0 < completeness(report).percent < 100
    assert "ambulance_diversion" in completeness(report).missing


@given(st.sets(st.sampled_from(sorted(set(WARNING) - set(MINIMUM)))))
def test_no_early_warning_with_the_legal_minimum_is_ever_refused(names: set[str]) -> None:
    said = {name: WARNING[name] for name in names}
    full = completeness(read({**WARNING, **MINIMUM})).percent
    assert completeness(read({**said, **MINIMUM})).percent <= full


@pytest.mark.parametrize("name", ["aware_at", "suspected_malicious", "cross_border"])
def test_a_warning_without_what_article_23_asks_is_refused_naming_it(name: str) -> None:
    assert fault(**{name: None}) == f"`{name}` is missing: Art. 23(4)(a)"


def test_entity_and_contact_may_come_from_enrolment() -> None:
    bare = {n: v for n, v in MINIMUM.items() if n not in {"entity_name", "contact_phone"}}
    with pytest.raises(BadReportError, match=r"`entity_name` .*`contact_email`"):
        read(bare)
    known = read_report(bare, at=WARNED_AT, fresh=counting(), details=DETAILS)
    assert known.values["entity_name"] == DETAILS["entity_name"]


def test_a_voluntary_notification_may_be_anonymous() -> None:
    report = read({"stage": "voluntary_notification", "title": "Near miss"})
    assert report.values["legal_basis"] == ["nis2_art30"]
    assert not any(name.startswith("contact_") for name in completeness(report).missing)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"stage": "late_warning"}, "`stage` wants one of early_warning, .*; got text of 12"),
        ({"titel": "x"}, "`titel` is an unknown field"),
        ({"patient_level_data": {"name": "x"}}, "`patient_level_data` may not be sent: patient"),
        ({"patient_level_data": None}, "`patient_level_data` may not be sent: patient"),
        ({"title": "x" * 121}, "`title` holds 121 characters, at most 120"),
        ({"title": " "}, "`title` is empty"),
        ({"title": 7}, "`title` wants text, got a whole number"),
        ({"status": "bad"}, "`status` wants one of suspected, .*; got text of 3"),
        ({"rsit": "other:other"}, "`rsit` wants a list, got text"),
        ({"rsit": ["other:other", "x"]}, r"`rsit\[1\]` wants one of"),
        ({"aware_at": "2026-01-27T04:52"}, "`aware_at` .* offset"),
        ({"aware_at": "yesterday"}, "`aware_at` wants an instant"),
        ({"aware_at": 1769489520}, "`aware_at` wants an instant .*, got a whole number"),
        ({"aware_at": "2026-01-27"}, "`aware_at` wants an instant"),
        ({"aware_at": "2026-01-27T07:46Z"}, "`aware_at` lies after the submission"),
        ({"occurred_from": "2026-02-30"}, "`occurred_from` wants a day of the calendar"),
        ({"patients_harmed": -1}, "`patients_harmed` wants a whole number from 0 up"),
        ({"patients_harmed": True}, "`patients_harmed` .* got true or false"),
        ({"user_share_pct": 101}, "`user_share_pct` wants a number from 0 to 100"),
        ({"ransom_amount": float("nan")}, "`ransom_amount` wants a number"),
        ({"ransom_amount": float("inf")}, "`ransom_amount` wants a number"),
        ({"ransom_amount": 10**400}, "`ransom_amount` wants a number"),
        ({"user_share_pct": -(10**400)}, "`user_share_pct` wants a number"),
        ({"is_exercise": "no"}, "`is_exercise` wants true or false, got text"),
        ({"entity_country": "EL"}, "`entity_country` wants two capital letters"),
        ({"contact_phone": "0199"}, "`contact_phone` wants a phone number"),
        ({"contact_email": "nobody"}, "`contact_email` wants a mail address"),
        ({"report_id": "aaaaaaaa-0000-1000-8000-000000000000"}, "`report_id` .* random"),
        ({"subjects_count": "many"}, "`subjects_count` wants one of 0, 1-99"),
        ({"devices": [{"brand": "x"}]}, r"`devices\[0\]` has the unknown member `brand`"),
        ({"affected_services": [{}]}, r"`affected_services\[0\]` lacks the member `service`"),
        ({"affected_services": [{"service": "spa"}]}, r"`affected_services\[0\].service` wants"),
        ({"exercise_id": "two\nlines"}, "`exercise_id` wants one line"),
        ({"summary_internal": "\ud800"}, "`summary_internal` holds a lone surrogate"),
        ({"contact_email": "\ud800@x.example"}, "`contact_email` wants a mail address"),
        ({"indicators": {}}, "`indicators` wants a list"),
        ({"indicators": [7]}, r"`indicators\[0\]` wants an object"),
        ({"indicators": [{"type": "ipv4"}]}, r"`indicators\[0\]` lacks the member `value`"),
        (
            {"indicators": [{"type": "ip", "value": "x"}]},
            r"`indicators\[0\].type` wants one of ipv4",
        ),
        (
            {"indicators": [{"type": "ipv4", "value": "10.0.0.256"}]},
            r"`indicators\[0\].value` is no ipv4, got text of 10",
        ),
        (
            {"indicators": [{"type": "ipv4", "value": "10.0.0.2", "tpl": "GREEN"}]},
            r"`indicators\[0\]` has the unknown member `tpl`",
        ),
        ({"devices": [{"9434765919": "x"}]}, r"`devices\[0\]` has the unknown member `…`"),
        ({"choices": []}, "`choices` wants an object"),
        ({"choices": {"titel": "RED"}}, "`choices.titel` is an unknown field"),
        ({"choices": {"title": "PURPLE"}}, "`choices.title` wants a TLP, got text of 6"),
    ],
)
def test_what_is_wrong_is_refused_naming_the_field_and_the_kind_of_value(
    given: dict[str, Json], why: str
) -> None:
    with pytest.raises(BadReportError, match=why) as caught:
        read(MINIMUM, **given)
    assert all(
        each.field.split("[")[0].split(".")[0] in {*given, "aware_at"}
        for each in caught.value.problems
    )


def test_what_was_typed_as_the_name_of_a_field_is_not_repeated() -> None:
    with pytest.raises(BadReportError, match="`…` is an unknown field") as caught:
        read(MINIMUM, **{"Patient Maria Rossi": 1})
    assert "Rossi" not in str(caught.value)


def test_every_fault_is_told_at_once() -> None:
    assert fault(titel=1, status="x", is_exercise=0).count(";") >= 3


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)) | words, jsons, max_size=4))
def test_any_body_gives_a_report_or_a_named_fault_that_repeats_no_value(
    body: dict[str, Json],
) -> None:
    secret = "PACS-CANARY-01"
    given = {**MINIMUM, **body, "summary_internal": [secret], "title": {"x": secret}}
    with pytest.raises(BadReportError) as caught:
        read(given)
    assert secret not in str(caught.value)


@pytest.mark.parametrize("body", [None, 7, "x", [], b"{}"])
def test_what_is_no_object_is_no_report(body: object) -> None:
    with pytest.raises(BadReportError, match="wants an object"):
        read(body)


def test_colours_are_read_in_any_spelling_and_kept_in_one() -> None:
    report = read(MINIMUM, tlp="tlp:amber", indicators=[{**IP, "tlp": "white", "pap": "pap:red"}])
    assert report.values["tlp"] == "AMBER"
    assert (report.indicators[0].tlp, report.indicators[0].pap) == (Tlp.CLEAR, Pap.RED)


IP: dict[str, Json] = {"type": "ipv4", "value": "203.0.113.45"}


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("ipv4", "203[.]0[.]113[.]45", "203.0.113.45"),
        ("ipv6", "2001:DB8:0::5", "2001:db8::5"),
        ("cidr", "203.0.113.9/24", "203.0.113.0/24"),
        ("domain", "Update-Imaging[.]example", "update-imaging.example"),
        ("url", "hxxps://files.example/A?u=x", "https://files.example/A?u=x"),
        ("file_hash_md5", "AB" * 16, "ab" * 16),
        ("cve", "cve-2099-99999", "CVE-2099-99999"),
        ("asn", "as64500", "64500"),
        ("yara", "rule x { strings: $a = /a[.]b/ }", "rule x { strings: $a = /a[.]b/ }"),
        ("onion", "demo-leak-site-not-real.onion", "demo-leak-site-not-real.onion"),
    ],
)
def test_an_indicator_is_kept_in_its_one_spelling(kind: str, given: str, kept: str) -> None:
    report = read(MINIMUM, indicators=[{"type": kind, "value": given}])
    assert report.indicators[0].value == kept


def test_a_machine_looks_only_for_what_is_safe_to_look_for() -> None:
    def to_ids(**more: Json) -> bool:
        return read(MINIMUM, indicators=[{**IP, **more}]).indicators[0].to_ids

    assert to_ids()
    assert to_ids(action="block", pap="GREEN", false_positive_risk="low")
    assert not to_ids(pap="AMBER")
    assert not to_ids(false_positive_risk="high")
    assert not to_ids(role="victim_side")
    assert not to_ids(revoked=True)
    assert not to_ids(action="inform")
    assert (
        not read(MINIMUM, indicators=[{"type": "cve", "value": "CVE-2099-1234"}])
        .indicators[0]
        .to_ids
    )


def test_a_stage_is_laid_over_what_was_said_before() -> None:
    report = notified()
    assert report.stage is Stage.INCIDENT_NOTIFICATION
    assert report.values["title"] == WARNING["title"]
    assert report.values["cross_border"] == "yes"
    assert report.values["stage_version"] == 2
    assert len(report.indicators) == 15
    assert report.timestamp == warned().timestamp
    assert report.timestamp % 3600 == 0


def test_null_takes_a_field_back() -> None:
    first = warned()
    earlier = Earlier(first.values, first.indicators)
    later = submitted(
        {"stage": "intermediate_report", "supplier_name": None}, NOTIFIED_AT, 2, earlier
    )
    assert "supplier_name" not in later.values
    assert later.indicators == first.indicators


def test_a_field_that_has_a_default_goes_back_to_it() -> None:
    report = read(MINIMUM, tlp=None, legal_basis=None, is_exercise=None)
    assert report.colour is Tlp.AMBER_STRICT
    assert report.values == read(MINIMUM).values
    red = Earlier(read(MINIMUM, tlp="RED").values)
    later = submitted({"stage": "intermediate_report", "tlp": None}, NOTIFIED_AT, 2, red)
    assert later.colour is Tlp.AMBER_STRICT


def test_an_event_keeps_its_id_in_another_year() -> None:
    years = [WARNED_AT.replace(year=WARNED_AT.year + n) for n in (0, 1)]
    ids = {
        read(MINIMUM).stamped(report_id="r", event="e", version=1, at=at).values["event_id"]
        for at in years
    }
    assert ids == {f"urn:fisac:xx:{WARNED_AT.year}:e"}


def test_conditions_ask_for_more_and_complete_reports_for_nothing() -> None:
    assert "exercise_id" not in completeness(read(MINIMUM)).missing
    assert "exercise_id" in completeness(read(MINIMUM, is_exercise=True)).missing
    assert (
        "supplier_name"
        in completeness(
            read({**MINIMUM, "stage": "incident_notification", "supplier_involved": "yes"})
        ).missing
    )
    assert "late_reason" not in completeness(read(MINIMUM)).missing
    assert "late_reason" in completeness(read(MINIMUM), late=True).missing
    asked = completeness(read(MINIMUM)).missing
    values = dict(read({**WARNING, **MINIMUM}).values) | dict.fromkeys(asked, "x")
    done = completeness(replace(read(MINIMUM), values=values))
    assert (done.percent, done.missing) == (100, ())


def test_intermediate_reports_ask_for_the_status_alone() -> None:
    report = read({**MINIMUM, "stage": "intermediate_report"})
    assert completeness(report).missing == ("status",)
    assert (
        completeness(read({**MINIMUM, "stage": "progress_report", "status": "ongoing"})).percent
        == 100
    )


def test_the_same_stage_sent_twice_has_one_hash_and_another_another() -> None:
    shuffled = dict(reversed(list(MINIMUM.items())))
    assert read(MINIMUM).content_hash == read(shuffled).content_hash
    assert read(MINIMUM).content_hash != read(MINIMUM, title="x").content_hash


def test_the_server_stamps_what_only_it_knows() -> None:
    values = warned().values
    assert values["event_id"] == f"urn:fisac:fr:2026:{EVENT}"
    assert values["submitted_at"] == "2026-01-27T07:40:31Z"
    assert values["iocs_available"] is True
    forged = submitted({**WARNING, "submitted_at": "2020-01-01T00:00Z"}, WARNED_AT)
    assert forged.values["submitted_at"] == "2026-01-27T07:40:31Z"


# ── The report's own log ─────────────────────────────────────────────────────────────────────────


def test_a_report_log_reads_back_as_the_whole_report() -> None:
    report = replace(notified(), choices={"title": Tlp.AMBER, "status": Tlp.RED})
    earlier = earlier_of(report_log(report))
    assert earlier.values == report.values
    assert earlier.choices == report.choices
    assert earlier.timestamp == report.timestamp
    assert set(map(_frozen, earlier.indicators)) == set(map(_frozen, report.indicators))


def test_nothing_in_a_report_log_is_looser_than_the_submitters_colour() -> None:
    for colour in Tlp:
        log = report_log(replace(notified(), colour=colour))
        assert log.labels.effective(0).tlp == colour
        labels = {
            n for r in log.records.values() if r.header.kind != Kind.LABEL for n in r.header.labels
        }
        assert {log.labels.effective(n).tlp for n in labels} == {colour, Tlp.RED}


def test_a_later_stage_seals_only_what_it_changed() -> None:
    held = event_log(warned())
    names = Names.of(held, _late())
    change = diff(
        held, cut_incident(notified(), FR_HEALTH, EVENT, names, name_before=lambda _: PSEUDONYM)
    )
    second = resealed(held, change)
    appended = [_named(slot) for record in change.append for slot in record.slots[:1]]
    voided = sorted(_named(held.records[index].slots[0] or b"") for index in change.void)
    assert voided == [
        "core",
        "cross_border",
        "data_breach",
        "stage",
        "stage_version",
        "submitted_at",
    ]
    assert "title" not in appended
    assert "203.0.113.45" not in appended
    fresh = event_log(notified())
    assert _fields(second) == _fields(fresh)


def test_a_stage_that_says_nothing_new_but_its_name_changes_nothing_else() -> None:
    first = warned()
    earlier = Earlier(first.values, first.indicators, first.choices, first.timestamp)
    again = submitted({"stage": "intermediate_report"}, NOTIFIED_AT, 2, earlier)
    held = event_log(first)
    change = diff(
        held,
        cut_incident(
            again, FR_HEALTH, EVENT, Names.of(held, _late()), name_before=lambda _: PSEUDONYM
        ),
    )
    voided = sorted(_named(held.records[index].slots[0] or b"") for index in change.void)
    assert voided == ["stage", "stage_version", "submitted_at"]
    assert len(change.append) == 3


def test_what_never_leaves_leaves_no_trace_when_it_is_edited() -> None:
    held = event_log(notified())
    report = notified()
    edited = replace(
        report,
        values={
            **report.values,
            "summary_internal": "other words",
            "surgeries_postponed": 39,
            "measures_taken": "others",
            "appointments_postponed": 213,
        },
        indicators=tuple(
            replace(each, value="10.9.9.9") if each.is_victims and each.type == "ipv4" else each
            for each in report.indicators
        ),
    )
    again = cut_incident(
        edited, FR_HEALTH, EVENT, Names.of(held, _late()), name_before=lambda _: PSEUDONYM
    )
    assert diff(held, again) == ((), ())


def test_a_revoked_indicator_is_deleted_and_says_no_value() -> None:
    first = warned()
    held = event_log(first)
    earlier = Earlier(first.values, first.indicators, first.choices, first.timestamp)
    revoked: Json = [{**IP, "revoked": True, "revoke_reason": "false_positive", "tlp": "GREEN"}]
    later = submitted(
        {"stage": "correction", "indicators": revoked},
        WARNED_AT + timedelta(minutes=3),
        2,
        earlier,
    )
    assert later.indicators[0].timestamp == first.indicators[0].timestamp + 1
    assert later.indicators[0].uuid == first.indicators[0].uuid
    cut = cut_incident(
        later, FR_HEALTH, EVENT, Names.of(held, _late()), name_before=lambda _: PSEUDONYM
    )
    (gone,) = [record for record in diff(held, cut).append if record.header.kind == Kind.ATTRIBUTE]
    head = orjson.loads(gone.slots[0])
    assert head["deleted"] is True
    assert b"203.0.113.45" not in b"".join(gone.slots)


def test_a_stricter_choice_on_a_field_keeps_it_at_home() -> None:
    strict = replace(warned(), choices={"title": Tlp.AMBER_STRICT, "supplier_name": Tlp.RED})
    raw = b"".join(slot or b"" for r in event_log(strict).records.values() for slot in r.slots)
    assert str(WARNING["title"]).encode() not in raw
    assert str(WARNING["supplier_name"]).encode() not in raw


def test_a_red_report_leaves_a_core_that_says_nothing() -> None:
    log = event_log(replace(warned(), colour=Tlp.RED))
    assert [r.header.kind for r in log.records.values()] == [Kind.LABEL, Kind.CORE]
    assert log.labels.effective(0).tlp is Tlp.RED
    (core,) = [r for r in log.records.values() if r.header.kind == Kind.CORE]
    assert orjson.loads(core.slots[0] or b"{}")["info"] == "Incident"


def test_only_the_node_makes_pseudonyms() -> None:
    report = submitted({**WARNING, "entity_pseudonym": "CH Val-Exemple"}, WARNED_AT)
    cut = cut_incident(report, FR_HEALTH, EVENT, Names(counting()))
    assert not any(b"CH Val-Exemple" in slot for record in cut for slot in record.slots)


def test_an_exercise_is_marked_as_one_throughout() -> None:
    report = submitted({**WARNING, "is_exercise": True, "exercise_id": "X1"}, WARNED_AT)
    for log in (event_log(report), report_log(report)):
        assert log.labels.effective(0).categories == {"exercise"}


def test_uuids_of_indicators_are_one_in_both_logs_and_stay_over_stages() -> None:
    first, second = warned(), notified()
    uuids = {each.value: each.uuid for each in second.indicators}
    assert uuids["203.0.113.45"] == first.indicators[0].uuid
    heads = {
        orjson.loads(record.slots[0] or b"{}")["uuid"]
        for log in (event_log(second), report_log(second))
        for record in log.records.values()
        if record.header.kind == Kind.ATTRIBUTE
    }
    assert heads == set(uuids.values())


def test_every_role_of_a_victim_stays_whatever_its_colour() -> None:
    given: Json = [
        {"type": "domain", "value": f"v{n}.example", "role": role, "tlp": "CLEAR"}
        for n, role in enumerate(LISTS["victim_role"])
    ]
    log = event_log(submitted({**WARNING, "indicators": given}, WARNED_AT))
    assert not [r for r in log.records.values() if r.header.kind == Kind.ATTRIBUTE]


def test_an_indicators_times_leave_by_the_hour() -> None:
    names = ("first_seen", "last_seen", "valid_until")
    times: dict[str, Json] = dict.fromkeys(names, "2026-01-27T04:52:31Z")
    given: Json = [{**IP, "tlp": "GREEN", "created": "2026-01-27T04:52:31Z", **times}]
    log = event_log(submitted({**WARNING, "indicators": given}, WARNED_AT))
    raw = b"".join(slot or b"" for r in log.records.values() for slot in r.slots)
    assert raw.count(b"2026-01-27T04:00:00Z") == 4  # and detected_at
    assert b":52" not in raw


def test_an_indicator_without_a_colour_has_the_reports() -> None:
    given: Json = [{"type": "domain", "value": "x.example"}]
    closed = event_log(submitted({**WARNING, "indicators": given}, WARNED_AT))
    assert not [r for r in closed.records.values() if r.header.kind == Kind.ATTRIBUTE]
    opened = event_log(submitted({**WARNING, "indicators": given, "tlp": "GREEN"}, WARNED_AT))
    assert [r for r in opened.records.values() if r.header.kind == Kind.ATTRIBUTE]


def _frozen(each: Indicator) -> tuple[object, ...]:
    facts = orjson.dumps(dict(each.facts), option=orjson.OPT_SORT_KEYS)
    return (each.uuid, each.type, each.value, each.tlp, each.pap, each.timestamp, facts)


def _late() -> Callable[[], str]:
    fresh = counting()
    for _ in range(1000):
        fresh()
    return fresh


def _named(slot: bytes) -> str:
    head = orjson.loads(slot)
    return str(head.get("field") or head.get("value") or ("core" if "info" in head else head))


def _fields(log: Holding) -> set[bytes]:
    return {
        b"|".join(slot or b"" for slot in record.slots[1:])
        for record in log.records.values()
        if record.header.kind == Kind.FIELD
    }
