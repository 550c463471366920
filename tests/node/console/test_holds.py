"""What two persons do at the console: open the ransom lane, hand a file over; and the ledger."""

import html
import io
import re
import zipfile

import pytest

from node.actions import people
from node.storage.people import Org
from tests.node.api.hall import BE, FR, NOTIFICATION, Hall, Visitor

POLICE = Org("1c9e6a10-54c1-4f55-8a41-94a9d4b2aa09", "Police judiciaire", "law_enforcement", "FR")
WALLET = "demo-wallet-not-real-0001"


@pytest.fixture
def event(hall: Hall) -> str:
    """Claire's incident, published."""
    people.enrol_org(hall.node, "test", POLICE)
    _, event = hall.report()
    hall.api("claire").post("/incidents", json=dict(NOTIFICATION))
    hall.api("amelie").post(f"/events/{FR}/{event}/publish")
    return event


def slots(page: str) -> list[str]:
    return re.findall(r'name="slot" value="([^"]+)"', page)


def queued(visitor: Visitor, party: str) -> str:
    """The page of what waits for this party."""
    queue = visitor.get("/console/holds").text
    link: str = next(
        each
        for each in re.findall(r'href="(/console/holds/[^"]+)"', queue)
        if each.endswith(f"/{party}")
    )
    return link


def act(visitor: Visitor, link: str, **form: str) -> int:
    page = visitor.get(link).text
    status: int = visitor.send(link, slot=slots(page), reason="case 7", **form).status_code
    return status


def test_two_persons_open_what_a_ransom_cost(hall: Hall, event: str) -> None:
    amelie, reader = hall.browser("amelie"), hall.browser("reader")
    at = f"/console/events/{FR}/{event}"
    assert WALLET not in amelie.get(at).text
    link = queued(amelie, FR)
    page = amelie.get(link).text
    assert "Nothing travels" in page
    assert "two persons in different roles" in page
    assert amelie.send(f"{link}/preview", slot=slots(page)).status_code == 404
    assert act(amelie, link) == 303
    assert "released by amelie, operator" in reader.get("/console/holds").text
    assert WALLET not in amelie.get(at).text
    assert act(reader, link) == 303
    assert WALLET in amelie.get(at).text
    assert WALLET in reader.get(at).text
    assert WALLET not in hall.browser("essais").get(at).text


def test_an_analyst_alone_releases_nothing_to_a_peer(hall: Hall, event: str) -> None:
    link = f"/console/holds/{FR}/{event}/{BE}"
    assert act(hall.browser("reader"), link) == 403
    assert hall.browser("claire").get("/console/holds").status_code == 403


def test_a_file_is_declared_released_and_fetched(hall: Hall, event: str) -> None:
    amelie, reader = hall.browser("amelie"), hall.browser("reader")
    at = f"/console/events/{FR}/{event}/declare"
    page = amelie.get(at).text
    assert "Police judiciaire" in page
    assert WALLET not in page
    name = re.search(r'value="([^"]+)"> <b>entity name</b>', page)
    assert name
    assert amelie.send(at, to=POLICE.org).status_code == 422
    made = amelie.send(at, to=POLICE.org, slot=[name[1]])
    assert made.status_code == 303
    link = made.headers["location"]
    for visitor in (amelie, reader):
        assert act(visitor, link, ground="order") == 422
        files = amelie.get("/console/files").text
        assert "waits" in files
        assert act(visitor, link, ground="order", reference="PR 26/0412") == 303
    files = amelie.get("/console/files").text
    assert "amelie, operator; reader, analyst" in files
    where = re.search(r'action="(/console/files/[^"]+)"', files)
    assert where
    assert not re.search(r'action="/console/files/', reader.get("/console/files").text)
    file = amelie.send(where[1])
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        assert b"CH Val-Exemple" in archive.read("summary.txt")
    assert "handed over" in amelie.get("/console/files").text
    ledger = html.unescape(amelie.get(f"/console/events/{FR}/{event}/ledger").text)
    assert "Police judiciaire" in ledger
    assert "as a file" in ledger
    assert hall.browser("essais").get(f"/console/events/{FR}/{event}/ledger").status_code == 404


def test_the_ledger_is_asked_by_value(hall: Hall, event: str) -> None:
    reader = hall.browser("reader")
    assert "Who has seen it?" in reader.get("/console/ledger").text
    assert "given to nobody" in reader.get("/console/ledger?value=198.51.100.23").text
    assert hall.browser("claire").get("/console/ledger?value=x").status_code == 403
    evil = reader.get("/console/ledger?value=%22%3E%3Cscript%3E").text
    assert '"><script>' not in evil
