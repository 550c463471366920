"""The pages through their door, by a browser without scripts: every page, every role, every form."""

import re
import uuid
from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request

from node.actions import people
from node.console.session import ForgedFormError, check_source
from tests.node.actions.house import CANARIES, ESSAIS
from tests.node.api.hall import BE, NOTIFICATION, REPORT_ID, VAL, Hall
from tests.node.nodes import PASSWORD

NOBODY = "00000000-0000-4000-8000-000000000000"
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}'


def typed(**more: Any) -> dict[str, Any]:
    """What a hospital types at three in the morning."""
    return {
        "report_id": str(uuid.uuid4()),
        "is_new": "yes",
        "stage": "early_warning",
        "aware_at": "2026-01-27T05:52",
        "zone": "Europe/Paris",
        "summary_internal": "The imaging archive is encrypted.",
        "suspected_malicious": "yes",
        "cross_border": "unknown",
        "patient_safety_impact": "unknown",
        "ambulance_diversion": "no",
        "data_breach": "unknown",
        "significant": "undetermined",
        "service_0": "imaging_pacs_ris",
        "degradation_0": "unavailable",
        "title": "Imaging archive encrypted",
        "indicators": "198.51.100[.]77\nhxxps://drop.example/x\n",
        "indicators_tlp": "GREEN",
        "own_indicators": "10.9.8.7",
    } | more


# ── Signing in and out ───────────────────────────────────────────────────────────────────────────


def test_who_is_not_signed_in_is_led_there_and_back(hall: Hall) -> None:
    visitor = hall.browser()
    answer = visitor.get("/console/events?value=x")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/sign-in?back=/console/events%3Fvalue%3Dx"
    page = visitor.get(answer.headers["location"]).text
    assert 'name="back" value="/console/events?value=x"' in page
    form = {"login": "claire", "password": PASSWORD, "back": "/console/events?value=x"}
    assert visitor.post("/console/sign-in", form).headers["location"] == "/console/events?value=x"


@pytest.mark.parametrize(
    "back",
    ["https://evil.example", "//evil.example", "/console\\@evil", "/consolex", "javascript:x"],
)
def test_signing_in_leads_nowhere_else(hall: Hall, back: str) -> None:
    form = {"login": "claire", "password": PASSWORD, "back": back}
    answer = hall.browser().post("/console/sign-in", form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")


def test_a_wrong_password_says_no_more_than_that(hall: Hall) -> None:
    told = set()
    for login in ("claire", "nobody"):
        answer = hall.browser().post("/console/sign-in", {"login": login, "password": "wrong"})
        assert answer.status_code == 401
        told.add(answer.text.replace(login, ""))
    assert len(told) == 1


def test_the_cookie_is_for_this_server_alone(hall: Hall) -> None:
    form = {"login": "claire", "password": PASSWORD}
    cookie = hall.browser().post("/console/sign-in", form).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert hall.node.org[-12:] in cookie.split("=")[0]


def test_signing_out_ends_the_session(hall: Hall) -> None:
    visitor = hall.browser("claire")
    secret = dict(visitor.client.cookies)
    assert visitor.send("/console/sign-out").status_code == 303
    visitor.client.cookies.update(secret)
    assert visitor.get("/console/events").status_code == 303


# ── Forms that do not count ──────────────────────────────────────────────────────────────────────

FORMS = ["/console/sign-out", "/console/report", "/console/report/indicators"]


@pytest.mark.parametrize("path", FORMS)
def test_a_form_with_a_wrong_token_is_refused(hall: Hall, path: str) -> None:
    visitor = hall.browser("claire")
    for csrf in ("", "x", "é", visitor.csrf()[:-1] + "g"):
        answer = visitor.post(path, typed(csrf=csrf))
        assert answer.status_code == 403
        assert "does not count" in answer.text
    assert hall.api("claire").get("/events").json()["rows"] == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_form_from_another_site_is_refused(hall: Hall, headers: dict[str, str]) -> None:
    visitor = hall.browser("amelie")
    origin, event = hall.event("amelie", "green")
    path = f"/console/events/{origin}/{event}/publish"
    assert visitor.post(path, {"csrf": visitor.csrf()}, **headers).status_code == 403
    form = {"login": "claire", "password": PASSWORD}
    assert hall.browser().post("/console/sign-in", form, **headers).status_code == 403


@pytest.mark.parametrize(
    ("origin", "status"), [("http://testserver", 303), ("http://evil.example", 403), ("null", 403)]
)
def test_where_the_browser_tells_only_the_origin_that_counts(
    hall: Hall, origin: str, status: int
) -> None:
    client = hall.browser().client
    form = {"login": "claire", "password": PASSWORD}
    answer = client.post("/console/sign-in", data=form, headers={"Origin": origin})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("base_url", "origin", "counts"),
    [
        ("http://127.0.0.1:8081", "http://localhost:8081", True),
        ("http://127.0.0.1:8081", "http://[::1]:8081", True),
        ("http://127.0.0.1:8081", "http://localhost:8082", False),
        ("http://127.0.0.1:8081", "http://evil.example:8081", False),
        ("https://isac.example:443/fr", "https://isac.example", True),
        ("https://isac.example", "http://isac.example", False),
        ("https://isac.example", "https://localhost", False),
    ],
)
def test_our_own_origin_is_told_by_our_settings_and_never_by_the_request(
    hall: Hall, base_url: str, origin: str, counts: bool
) -> None:
    settings = hall.node.settings.model_copy(update={"base_url": base_url})
    sent = [(b"origin", origin.encode()), (b"host", origin.partition("//")[2].encode())]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": sent})
    node = replace(hall.node, settings=settings)
    if counts:
        check_source(node, request)
    else:
        with pytest.raises(ForgedFormError):
            check_source(node, request)


# ── Pages and roles ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("login", ["claire", "essais", "amelie", "reader"])
def test_the_menu_leads_only_to_pages_that_open(hall: Hall, login: str) -> None:
    visitor = hall.browser(login)
    page = visitor.get("/console/events").text
    links = set(re.findall(r'<li><a href="([^"]+)"', page))
    assert "/console/events" in links
    for link in links:
        assert visitor.get(link).status_code == 200, link


@pytest.mark.parametrize("path", ["/console/holds", "/console/picture", "/console/peers"])
def test_a_hospital_does_not_open_the_nodes_pages(hall: Hall, path: str) -> None:
    assert hall.browser("claire").get(path).status_code == 403


@pytest.mark.parametrize(
    "path", ["/console/x", "/console/events/x/y", f"/console/events/{NOBODY}/{NOBODY}"]
)
def test_what_is_not_there_is_a_page_that_says_so(hall: Hall, path: str) -> None:
    answer = hall.browser("claire").get(path)
    assert answer.status_code == 404
    assert "There is no such" in answer.text


def test_a_hospital_never_sees_anothers_report(hall: Hall) -> None:
    origin, event = hall.report()
    other = hall.browser("essais")
    assert other.get(f"/console/reports/{REPORT_ID}").status_code == 404
    assert other.get(f"/console/report?of={REPORT_ID}").status_code == 404
    hall.browser("amelie").send(f"/console/events/{origin}/{event}/publish")
    page = other.get(f"/console/events/{origin}/{event}")
    assert "a hospital in FR" in page.text
    assert "some fields withheld" in page.text
    assert [each for each in CANARIES if each in page.text] == []
    assert other.get(f"/console/events/{origin}/{event}/sharing").status_code == 403


def test_red_is_for_people_and_not_for_others(hall: Hall) -> None:
    origin, event = hall.event("amelie", "red", info="Insider matter")
    assert "Insider matter" in hall.browser("amelie").get(f"/console/events/{origin}/{event}").text
    assert hall.browser("claire").get(f"/console/events/{origin}/{event}").status_code == 404


def test_hostile_text_stays_text_on_every_page(hall: Hall) -> None:
    evil = {"type": "comment", "category": "Other", "value": EVIL, "comment": EVIL}
    origin, event = hall.event("amelie", "green", info=EVIL, Attribute=[evil], Tag=[{"name": EVIL}])
    visitor, at = hall.browser("amelie"), f"/console/events/{origin}/{event}"
    for path in (
        "/console/events",
        f"/console/events?value={EVIL}",
        at,
        f"{at}/sharing",
        f"{at}/publish",
        f"{at}/recall",
        f"/console/sign-in?back={EVIL}",
    ):
        page = visitor.get(path).text
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
        assert "49" not in re.sub(r"[0-9a-f-]{36}|[0-9a-f]{12,}|\d{2}:\d{2}", "", page), path
    wrong = hall.browser().post("/console/sign-in", {"login": EVIL, "password": "x"}).text
    assert "<script>alert" not in wrong


def test_the_files_of_the_pages_are_kept_by_their_content(hall: Hall) -> None:
    visitor = hall.browser()
    page = visitor.get("/console/sign-in").text
    links = set(re.findall(r'"(/console/static/[^"]+)"', page))
    assert {link.rsplit("/", 1)[1] for link in links} == {"console.css", "htmx.js", "icon.svg"}
    for link in links:
        answer = visitor.get(link)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert visitor.get("/console/static/0/console.css").status_code == 404


# ── Reporting ────────────────────────────────────────────────────────────────────────────────────


def test_a_report_typed_on_the_page_is_received_with_its_due_times(hall: Hall) -> None:
    visitor = hall.browser("claire")
    form = typed()
    sent = visitor.send("/console/report", **form)
    assert sent.status_code == 303, sent.text
    receipt = visitor.get(sent.headers["location"]).text
    assert "Received." in receipt
    assert "28 Jan 2026 04:52 UTC" in receipt  # 24 h after 05:52 in Paris
    again = visitor.send("/console/report", **form)
    assert again.headers["location"] == sent.headers["location"]
    report = hall.api("claire").get(f"/incidents/{form['report_id']}").json()
    assert len(report["stages"]) == 1
    stage = hall.api("claire").get(f"/incidents/{form['report_id']}/stages/1").json()
    assert stage["aware_at"] == "2026-01-27T04:52:00Z"
    assert stage["affected_services"] == [
        {"service": "imaging_pacs_ris", "degradation": "unavailable"}
    ]
    assert stage["assistance_requested"] == ["none"]
    assert [(each["type"], each["role"]) for each in stage["indicators"]] == [
        ("ipv4", "other"),
        ("url", "other"),
        ("ipv4", "victim_side"),
    ]


def shown_openly(page: str) -> dict[str, str]:
    """Give what the form sends if nobody unfolds a chapter, and no radio or list is touched."""
    form = re.sub(r"(?s)<details.*?</details>", "", page.split('action="/console/report"', 1)[1])
    found = {}
    for tag in re.findall(r"<input [^>]*>", form):
        said = dict(re.findall(r'([a-z]+)="([^"]*)"', tag))
        if said.get("type") not in {"radio", "checkbox"} or tag.endswith(" checked>"):
            found[said["name"]] = said.get("value", "")
    names = re.findall(r'<(?:textarea|select) [^>]*?name="([^"]+)"', form)
    return found | dict.fromkeys(names, "")


@pytest.mark.parametrize(
    "contact", [{"contact_phone": "+33199001234"}, {"contact_email": "soc@elsewhere.example"}]
)
def test_a_first_report_needs_only_what_is_asked_openly(
    hall: Hall, contact: dict[str, str]
) -> None:
    people.enrol_org(hall.node, "test", replace(ESSAIS, details={}))  # nobody known to call back
    visitor = hall.browser("essais")
    page = visitor.get("/console/report").text
    assert "Whom can we call back?" in page
    assert "one is needed" in page
    form = shown_openly(page)
    assert form["contact_phone"] == form["contact_email"] == ""
    form |= {"aware_at": "2026-01-27T05:52", "zone": "Europe/Paris"}
    form |= {"summary_internal": "The imaging archive is encrypted."}
    refused = visitor.send("/console/report", **form)
    assert refused.status_code == 422
    assert 'href="#contact_email"' in refused.text
    assert 'id="contact_email-why"' in shown_part(refused.text)
    sent = visitor.send("/console/report", **form | contact)
    assert sent.status_code == 303, sent.text
    assert "Received." in visitor.get(sent.headers["location"]).text


def shown_part(page: str) -> str:
    """Give the page without its folded chapters; one that is open stays."""
    return re.sub(r'(?s)<details class="fold">.*?</details>', "", page)


def test_a_known_contact_is_filled_in_and_may_be_left_out(hall: Hall) -> None:
    visitor = hall.browser("claire")
    page = visitor.get("/console/report").text
    assert page.count('name="contact_email"') == page.count('name="contact_phone"') == 1
    assert shown_openly(page)["contact_email"] == VAL.details["contact_email"]
    assert "Left empty, whom your enrolment names is asked." in page
    sent = visitor.send("/console/report", **typed(contact_email="", contact_phone=""))
    assert sent.status_code == 303, sent.text


@pytest.mark.parametrize(
    "more",
    [{"exfiltrated_gb": "many"}, {"own_indicators": "???"}, {"contact_phone": "0199"}],
)
def test_a_chapter_with_a_field_at_fault_is_open(hall: Hall, more: dict[str, str]) -> None:
    page = hall.browser("claire").send("/console/report", **typed(**more)).text
    assert f'id="{next(iter(more))}-why"' in shown_part(page)


def test_an_error_keeps_what_was_typed_and_names_the_field(hall: Hall) -> None:
    visitor = hall.browser("claire")
    answer = visitor.send("/console/report", **typed(aware_at="2031-01-01T00:00", cross_border=""))
    assert answer.status_code == 422
    assert "What you typed is still here" in answer.text
    assert 'href="#aware_at"' in answer.text
    assert 'href="#cross_border"' in answer.text
    assert "The imaging archive is encrypted." in answer.text
    assert "198.51.100[.]77" in answer.text
    assert '<option value="imaging_pacs_ris" selected>' in answer.text


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"indicators": "198.51.100.7\nnot an indicator"}, "indicators"),
        ({"indicators": "", "own_indicators": "10.9.8.7\n???"}, "own_indicators"),
        ({"exfiltrated_gb": "many"}, "exfiltrated_gb"),
        ({"exfiltrated_gb": "9" * 5000}, "exfiltrated_gb"),
        ({"exfiltrated_gb": "1e999"}, "exfiltrated_gb"),
        ({"appointments_postponed": "9" * 5000}, "appointments_postponed"),
        ({"occurred_from": "yesterday"}, "occurred_from"),
        ({"stage": "no such stage"}, "stage"),
    ],
)
def test_the_field_at_fault_is_marked_where_it_stands(
    hall: Hall, more: dict[str, str], place: str
) -> None:
    answer = hall.browser("claire").send("/console/report", **typed(**more))
    assert answer.status_code == 422
    assert f'id="{place}-why"' in answer.text


@pytest.mark.parametrize("missing", ["report_id", "is_new"])
def test_a_form_without_its_hidden_fields_is_shown_again(hall: Hall, missing: str) -> None:
    form = typed(cross_border="nonsense", exfiltrated_gb="9" * 5000)
    del form[missing]
    answer = hall.browser("claire").send("/console/report", **form)
    assert answer.status_code == 422
    assert "What you typed is still here" in answer.text
    assert ("<b>report id</b>" in answer.text) is (missing == "report_id")
    if missing == "is_new":
        assert 'href="#cross_border"' in answer.text


def test_a_later_stage_says_only_what_is_new(hall: Hall) -> None:
    hall.report()
    visitor = hall.browser("claire")
    page = visitor.get(f"/console/report?of={REPORT_ID}").text
    assert 'value="early_warning"' not in page
    form = {"report_id": REPORT_ID, "is_new": "", "stage": "incident_notification"}
    sent = visitor.send("/console/report", **form, appointments_postponed="212")
    assert sent.status_code == 303, sent.text
    stage = hall.api("claire").get(f"/incidents/{REPORT_ID}/stages/2").json()
    assert stage == {
        "report_id": REPORT_ID,
        "stage": "incident_notification",
        "appointments_postponed": 212,
    }


def test_pasted_indicators_are_told_as_they_are_read(hall: Hall) -> None:
    visitor = hall.browser("claire")
    lines = f"198.51.100[.]23\n{EVIL}\n{'a' * 64}"
    part = visitor.send("/console/report/indicators", indicators=lines).text
    assert "2 read" in part
    assert "file hash sha256" in part
    assert "Line 2" in part
    assert "<script>alert" not in part


def test_an_analyst_is_told_that_he_does_not_report(hall: Hall) -> None:
    visitor = hall.browser("reader")
    assert visitor.get("/console/report").status_code == 403
    assert visitor.send("/console/report", **typed()).status_code == 403


# ── Acts ─────────────────────────────────────────────────────────────────────────────────────────


def test_an_operator_publishes_explains_releases_and_recalls(hall: Hall) -> None:
    origin, event = hall.report()
    hall.api("claire").post("/incidents", json=dict(NOTIFICATION))
    visitor, at = hall.browser("amelie"), f"/console/events/{origin}/{event}"
    assert "Publish this event?" in visitor.get(f"{at}/publish").text
    assert visitor.send(f"{at}/publish").headers["location"] == at
    sharing = visitor.get(f"{at}/sharing").text
    assert "hold.clinical" in sharing
    assert re.search(r"A package of [\d,]+ bytes", sharing)
    package = visitor.get(f"{at}/preview?to={BE}")
    assert "attachment" in package.headers["content-disposition"]
    assert f"{len(package.content):,} bytes" in sharing
    queue = visitor.get("/console/holds").text
    assert "clinical impact leaves" in queue
    link = f"/console/holds/{origin}/{event}/{BE}"
    assert link in queue
    page = visitor.get(link).text
    assert "Release appointments postponed to node BE?" in page
    slots = re.findall(r'name="slot" value="([^"]+)"', page)
    assert len(slots) == 1
    travels = visitor.send(f"{link}/preview", slot=slots)
    assert f"{len(travels.content):,} bytes" in page
    assert visitor.send(link, reason=" ", slot=slots).status_code == 422
    assert visitor.send(link, reason="agreed by telephone", slot=["odd"]).status_code == 422
    assert visitor.send(link, reason="agreed by telephone").status_code == 422
    assert visitor.send(link, reason="agreed by telephone", slot=slots).status_code == 303
    assert link not in visitor.get("/console/holds").text
    assert visitor.get(f"{at}/preview?to={BE}").content == travels.content
    assert visitor.send(f"{at}/recall", reason="error", what="event").status_code == 303
    assert visitor.get(at).status_code == 404


@pytest.mark.parametrize("act", ["publish", "recall"])
def test_who_is_no_operator_neither_publishes_nor_recalls(hall: Hall, act: str) -> None:
    origin, event = hall.report()
    for login in ("claire", "reader"):
        visitor, path = hall.browser(login), f"/console/events/{origin}/{event}/{act}"
        assert visitor.get(path).status_code == 403
        assert visitor.send(path, reason="error").status_code == 403
