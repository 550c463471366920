"""The pages in a real browser: by mouse, by keyboard, without scripts, in both themes, on a phone."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from node.actions.people import enrol_org
from node.actions.rulebooks import propose
from tests.browser.conftest import Site
from tests.node.api.hall import BE, NOTIFICATION, REPORT_ID
from tests.node.api.test_holds import POLICE
from tests.node.federation.ruling import FINANCE_TO_DE, NATIONAL, operator

PHONES = (320, 390)


@dataclass(frozen=True)
class Told:
    """What stands at the site for the pages to show."""

    event: str  # path of the incident's page
    release: str  # path of a release


@pytest.fixture(scope="module")
def told(site: Site) -> Told:
    origin, event = site.hall.report()
    site.hall.api("claire").post("/incidents", json=dict(NOTIFICATION))
    enrol_org(site.hall.node, "test", POLICE)
    site.hall.event("amelie", "amber+strict", info="Stolen VPN accounts of a supplier")
    site.hall.api("amelie").post(f"/events/{origin}/{event}/publish")
    for text in (FINANCE_TO_DE, NATIONAL):  # the second waits for another operator
        propose(site.hall.node, operator(site.hall.node), text, "next", "agreed with BE")
    return Told(f"/console/events/{origin}/{event}", f"/console/holds/{origin}/{event}/{BE}")


def paths_of(told: Told) -> list[str]:
    return [
        "/console/events",
        "/console/events?value=198.51.100.23",
        told.event,
        f"{told.event}/sharing",
        f"{told.event}/publish",
        f"{told.event}/recall",
        "/console/holds",
        told.release,
        "/console/files",
        "/console/ledger?value=198.51.100.23",
        f"{told.event}/ledger",
        f"{told.event}/declare",
        "/console/picture",
        "/console/peers",
        "/console/rules",
        "/console/rules/new",
        "/console/rules/3",
        "/console/report",
        f"/console/report?of={REPORT_ID}",
        f"/console/reports/{REPORT_ID}?sent=early_warning",
        "/console/nowhere",
    ]


def fill_in_a_report(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/console/report")
    page.get_by_label("When did you know of it?").fill("2026-01-27T05:52")
    page.get_by_label("What is going on?").fill("The imaging archive is encrypted.")
    on_purpose = page.get_by_role("group", name="Could somebody have done it on purpose?")
    on_purpose.get_by_label("yes").check()
    page.get_by_label("Indicators, if you have any").fill("198.51.100[.]99\nbad.example")


# ── Doing the work ───────────────────────────────────────────────────────────────────────────────


def test_a_hospital_reports_an_incident_and_sees_when_what_is_due(page: Page, site: Site) -> None:
    site.sign_in(page, "claire")
    fill_in_a_report(page, site)
    expect(page.locator("#read")).to_contain_text("2 read")  # htmx asked while it was typed
    page.get_by_role("button", name="Send the report").click()
    expect(page.get_by_role("status")).to_contain_text("Received.")
    expect(page.get_by_text("28 Jan 2026 04:52 UTC")).to_be_visible()


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    """A page of a browser that runs no scripts."""
    with browser.new_context(java_script_enabled=False, locale="en-IE") as context:
        yield context.new_page()


def test_without_scripts_the_same_report_goes_the_same_way(plain: Page, site: Site) -> None:
    site.sign_in(plain, "claire")
    fill_in_a_report(plain, site)
    plain.get_by_label("When did you know of it?").fill("")
    plain.get_by_role("button", name="Send the report").click()
    expect(plain.get_by_role("alert")).to_contain_text("aware at")
    expect(plain.get_by_label("What is going on?")).to_have_value(
        "The imaging archive is encrypted."
    )
    plain.get_by_label("When did you know of it?").fill("2026-01-27T05:52")
    plain.get_by_role("button", name="Send the report").click()
    expect(plain.get_by_role("status")).to_contain_text("Received.")
    plain.get_by_role("link", name="See what it holds").click()
    plain.get_by_role("link", name="Show it party by party").click()
    expect(plain.get_by_role("heading", name="node BE")).to_be_visible()


def test_an_operator_publishes_and_sees_who_gets_what_and_why(page: Page, site: Site) -> None:
    origin, event = site.hall.report(report_id=str(uuid.uuid4()))
    site.sign_in(page, "amelie")
    page.goto(f"{site.url}/console/events/{origin}/{event}")
    expect(page.locator("#who")).to_contain_text("nobody beyond its source")
    page.get_by_role("link", name="Publish").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".head")).to_contain_text("published")
    party = page.locator("#who .party").filter(has_text="node BE")
    expect(party).to_contain_text("A package of")
    fold = party.locator("details").filter(has_text="withheld")
    fold.locator("summary").click()
    expect(fold.locator("li").first).to_be_visible()
    expect(fold.locator("code").first).to_have_text(re.compile(r"\w+\.\w+"))
    with page.expect_download() as download:
        party.get_by_role("link", name="Exactly these").click()
    assert download.value.suggested_filename == f"{event}-for-{BE[-12:]}.ndjson"


def test_a_value_is_searched_without_reloading_and_its_address_can_be_kept(
    page: Page, site: Site, told: Told
) -> None:
    site.sign_in(page, "amelie")
    page.get_by_label("Have you seen this value?").fill("update-imaging.example")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name=re.compile("1 hit"))).to_be_visible()
    assert page.url.endswith("/console/events?value=update-imaging.example")
    page.reload()
    expect(page.get_by_role("heading", name=re.compile("1 hit"))).to_be_visible()
    assert (
        page.evaluate("Object.keys(sessionStorage).length + Object.keys(localStorage).length") == 0
    )


def test_by_keyboard_alone_the_main_action_is_reached(page: Page, site: Site) -> None:
    site.sign_in(page, "claire")
    page.goto(f"{site.url}/console/events")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("main").get_by_role("link", name="Report an incident")).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Report an incident")).to_be_visible()


def test_on_a_phone_the_menu_opens_by_itself_and_leads_on(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    site.sign_in(page, "amelie")
    page.locator("summary", has_text="Menu").click()
    page.get_by_role("navigation").get_by_role("link", name="Peers").click()
    expect(page.get_by_role("heading", name="Peers")).to_be_visible()


# ── How every page is made ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_fault_that_axe_knows(
    page: Page, site: Site, told: Told, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its two words
    axe = Axe()
    page.goto(f"{site.url}/console/sign-in")
    found = {"/console/sign-in": axe.run(page).response["violations"]}
    site.sign_in(page, "amelie")
    for path in paths_of(told):
        page.goto(site.url + path)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.querySelectorAll('details.fold').forEach(d => d.open = true)")
        found[path] = axe.run(page).response["violations"]
        assert page.evaluate("window.violations ?? []") == [], path
    faults = [
        f"{path}: {each['id']}: {each['nodes'][0]['html'][:200]}"
        for path, violations in found.items()
        for each in violations
    ]
    assert faults == []


@pytest.mark.parametrize("width", PHONES)
def test_nothing_runs_out_of_a_phone_and_every_target_is_large_enough(
    page: Page, site: Site, told: Told, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    site.sign_in(page, "amelie")
    for path in paths_of(told):
        page.goto(site.url + path)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.querySelectorAll('details.fold').forEach(d => d.open = true)")
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path
        small = page.evaluate(
            """[...document.querySelectorAll('button, .button, nav a, select, summary')]
            .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 24)
            .map(e => e.outerHTML.slice(0, 120))"""
        )
        assert small == [], path


def test_every_page_has_a_title_a_heading_and_its_language(
    page: Page, site: Site, told: Told
) -> None:
    site.sign_in(page, "amelie")
    titles = dict[str, str]()
    for path in paths_of(told):
        page.goto(site.url + path)
        assert titles.setdefault(page.title(), path) == path
        assert page.locator("h1").count() == 1, path
        assert page.locator("html").get_attribute("lang") == "en"
        assert page.locator("[style], script:not([src]), style").count() == 0, path


def test_the_description_of_the_api_starts_without_breaking_the_policy(
    page: Page, site: Site
) -> None:
    page.goto(f"{site.url}/docs")
    expect(page.get_by_text("/api/v1/incidents", exact=True)).to_be_visible()
