"""What peers signed, as people and programs see it."""

from typing import Any

from federation.auth import LIFE, NONCE_BYTES, Requester, write_nonce
from federation.call import Wants
from federation.feed import FeedQuery
from federation.receipt import (
    RECEIPT_TYPE,
    Downstream,
    Outcome,
    Receipt,
    Refusal,
    read_receipt,
    write_receipt,
)
from node.actions.projector import project_dirty
from node.actions.receipts_got import take_receipt
from node.actions.serve import serve_feed
from node.keys import read_keys
from node.storage.receipts import GivenItem, items_of
from sharing.seal.keys import Signer
from tests.node.api.hall import BE, FR, Hall


def give(hall: Hall, key: tuple[str, str]) -> GivenItem:
    """BE comes for its feed; gives the newest item about the event."""
    while project_dirty(hall.node, 100):
        pass
    query = FeedQuery(None, 200, Wants.OWN)
    nonce = write_nonce(hall.node.rng(NONCE_BYTES))
    asker = Requester(BE, "kid", nonce, expires_at=hall.node.wall() + LIFE)
    assert isinstance(serve_feed(hall.node, asker, query), bytes)
    with hall.node.store.read() as unit:
        return max(items_of(unit.connection, key), key=lambda item: item.pos)


def answer(hall: Hall, given: GivenItem, **said: Any) -> None:
    """BE's signed word about the item."""
    be = read_keys(hall.node.settings.data.parent / "BE", hall.node.settings.suite)
    receipt = Receipt(
        sender=BE,
        to=FR,
        origin=given.origin,
        event=given.event,
        version=(given.epoch, given.seq),
        item=given.item,
        at=hall.node.clock(),
        **said,
    )
    take_receipt(hall.node, BE, write_receipt(receipt, Signer.from_private(be.transport)))


def published(hall: Hall) -> tuple[str, str]:
    key = hall.event("amelie", "green")
    assert hall.api("amelie").post(f"/events/{key[0]}/{key[1]}/publish").is_success
    return key


def test_a_recall_is_followed_at_the_page_and_by_programs(hall: Hall) -> None:
    key = published(hall)
    give(hall, key)
    browser, at = hall.browser("amelie"), f"/console/events/{key[0]}/{key[1]}"
    assert "nothing of it was taken back" in browser.get(f"{at}/receipts").text
    gone = browser.send(f"{at}/recall", reason="error", what="event")
    assert gone.headers["location"] == f"{at}/receipts"
    page = browser.get(f"{at}/receipts").text
    assert "Recalled: confirmed by 0 of 1, pending 1: node BE" in page
    assert "pending</span>" in page
    said = Downstream(2, 1)
    answer(hall, give(hall, key), outcome=Outcome.ERASED, why=None, downstream=said)
    page = browser.get(f"{at}/receipts").text
    assert "Recalled: confirmed by 1 of 1" in page
    assert "1 of 2 have confirmed, it says" in page
    told = hall.api("amelie").get(f"/events/{key[0]}/{key[1]}/recall").json()
    assert (told["told"], told["recalled"], told["pending"]) == ("confirmed by 1 of 1", True, [])
    assert [(one["party"], one["op"]) for one in told["parties"]] == [(BE, "RECALL")]
    assert hall.api("claire").get(f"/events/{key[0]}/{key[1]}/recall").status_code == 404
    assert hall.browser("claire").get(f"{at}/receipts").status_code == 404


def test_a_refusal_by_a_peer_is_shown_wherever_the_operator_looks(hall: Hall) -> None:
    key = published(hall)
    why = Refusal(7, "not-addressed")
    answer(hall, give(hall, key), outcome=Outcome.REFUSED, why=why, downstream=None)
    told = f"node BE refused event {key[1]} version 0.1: not-addressed (check 7)"
    browser, api = hall.browser("amelie"), hall.api("amelie")
    for page in ("/console/peers", f"/console/events/{key[0]}/{key[1]}"):
        assert told in browser.get(page).text, page
    [refusal] = api.get("/refusals").json()
    assert refusal["told"] == told
    assert api.get("/peers").json()["refusals"] == [refusal]
    envelope = api.get(f"/receipts/{refusal['id']}")
    assert envelope.headers["content-type"] == RECEIPT_TYPE
    file = browser.get(f"/console/receipts/{refusal['id']}")
    assert file.content == envelope.content
    receipt = read_receipt(
        envelope.content,
        sender=BE,
        me=FR,
        registry=hall.node.registry,
        now=hall.node.clock(),
    )
    assert receipt.why == why
    assert api.get("/receipts/99").status_code == 404


def test_what_peers_refused_is_for_the_staff_alone(hall: Hall) -> None:
    key = published(hall)
    why = Refusal(7, "not-addressed")
    answer(hall, give(hall, key), outcome=Outcome.REFUSED, why=why, downstream=None)
    api, browser = hall.api("claire"), hall.browser("claire")
    assert api.get("/refusals").status_code == 403
    assert api.get("/receipts/1").status_code == 403
    assert browser.get("/console/receipts/1").status_code == 403
    seen = browser.get(f"/console/events/{key[0]}/{key[1]}")
    assert "refused event" not in seen.text


def test_one_indicator_is_recalled_at_its_event_and_followed_at_the_page(hall: Hall) -> None:
    key = published(hall)
    give(hall, key)
    visitor, at = hall.browser("amelie"), f"/console/events/{key[0]}/{key[1]}"
    page = visitor.get(at).text
    uuid = page.split("/recall?attribute=", 1)[1].split('"', 1)[0]
    asked = visitor.get(f"{at}/recall?attribute={uuid}").text
    assert "Recall this indicator?" in asked
    assert "login-portal.example" in asked
    assert f'name="attribute" value="{uuid}"' in asked
    assert visitor.get(f"{at}/recall?attribute={key[1]}").status_code == 404
    assert 'name="what" value="attribute"' in asked
    assert 'name="what" value="event"' in visitor.get(f"{at}/recall").text
    whole = {"reason": "false_positive"}
    for lost in (
        {},
        {"what": "attribute"},
        {"attribute": uuid},
        {"what": "event", "attribute": uuid},
    ):
        assert visitor.send(f"{at}/recall", **whole, **lost).status_code == 422, lost
    assert "login-portal.example" in visitor.get(at).text  # nothing was recalled
    part = {"what": "attribute", "attribute": uuid}
    done = visitor.send(f"{at}/recall", reason="false_positive", **part)
    assert done.headers["location"] == f"{at}/receipts"
    assert "confirmed by 0 of 1, pending 1: node BE" in visitor.get(f"{at}/receipts").text
    page = visitor.get(at).text
    assert "Phishing against hospital staff" in page
    assert "login-portal.example" not in page
    said = Downstream(0, 0)
    answer(hall, give(hall, key), outcome=Outcome.ERASED, why=None, downstream=said)
    assert "confirmed by 1 of 1" in visitor.get(f"{at}/receipts").text


def test_what_the_report_alone_still_says_is_shown_as_recalled(hall: Hall) -> None:
    origin, event = hall.report()
    visitor, at = hall.browser("amelie"), f"/console/events/{origin}/{event}"
    page = visitor.get(at).text
    value, rest = page.split('data-name="Value"><code>', 1)[1].split("<", 1)
    uuid = rest.split("/recall?attribute=", 1)[1].split('"', 1)[0]
    part = {"what": "attribute", "attribute": uuid}
    assert visitor.send(f"{at}/recall", reason="false_positive", **part).status_code == 303
    for login in ("amelie", "claire"):
        page = hall.browser(login).get(at).text
        row = next(each for each in page.split("<tr>") if f"<code>{value}<" in each)
        assert "recalled</span>" in row, login
        assert f"attribute={uuid}" not in row
        assert page.count(">recalled</span>") == 1


def test_a_program_is_not_told_that_a_red_event_is_there(hall: Hall) -> None:
    origin, event = hall.event("amelie", "red", info="Insider matter")
    path = f"/events/{origin}/{event}"
    assert hall.browser("amelie").get(f"/console{path}/receipts").status_code == 200
    api, nothing = hall.api("amelie"), f"/events/{origin}/{BE}"
    answers = [api.get(f"{one}/recall") for one in (nothing, path)]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


def test_a_program_recalls_one_attribute(hall: Hall) -> None:
    key, api = published(hall), hall.api("amelie")
    path = f"/events/{key[0]}/{key[1]}"
    [attribute] = api.get(path).json()["event"]["attributes"]
    body = {"reason": "false_positive", "attributes": [attribute["uuid"]]}
    assert api.post(f"{path}/recall", json={**body, "attributes": []}).status_code == 422
    assert api.post(f"{path}/recall", json={**body, "attributes": ["x"]}).status_code == 422
    unknown = api.post(f"{path}/recall", json={**body, "attributes": [key[1]]})
    assert (unknown.status_code, unknown.json()["field"]) == (422, "attributes[0]")
    done = api.post(f"{path}/recall", json=body)
    assert (done.status_code, done.json()["seq"]) == (200, 2)
    assert api.post(f"{path}/recall", json=body).json() == done.json()
    assert "login-portal.example" not in api.get(path).text
