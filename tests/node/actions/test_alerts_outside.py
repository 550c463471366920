"""What leaves by webhook and mail, as those who receive it read it: over real sockets."""

import email
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from email import policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import socket
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from node.actions.alerts import send_alert
from node.actions.alerts_ack import escalate_due, set_contacts, set_webhook
from node.actions.alerts_send import deliver_due, webhook_headers
from node.actions.alerts_text import LANGUAGES, mail_text
from node.clock import wall_clock
from node.node import Node
from policies.tlp import Tlp
from sharing.event import Audience
from tests.node.actions.house import FR, VAL, House

pytestmark = pytest.mark.loopback


@dataclass
class Siem:
    """A hospital's end of a webhook, which asks to be taken elsewhere if told so."""

    status: int = 204
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    server: HTTPServer | None = None

    @property
    def address(self) -> str:
        assert self.server is not None
        return f"127.0.0.1:{self.server.server_port}"


@pytest.fixture
def siem() -> Iterator[Siem]:
    end = Siem()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            end.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(end.status)
            self.send_header("Location", f"http://{end.address}/elsewhere")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    end.server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=end.server.serve_forever, daemon=True)
    thread.start()
    yield end
    end.server.shutdown()
    end.server.server_close()
    thread.join()


class Post:
    """A mail relay that keeps what it is given, or refuses it."""

    def __init__(self) -> None:
        self.refuses = False
        self.mails: list[tuple[list[str], EmailMessage]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refuses:
            return "451 try later"
        message = email.message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append((envelope.rcpt_tos, message))
        return "250 OK"


@pytest.fixture
def post() -> Iterator[tuple[Post, str]]:
    handler = Post()
    with closing(socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        port = int(bound.getsockname()[1])
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, f"smtp://127.0.0.1:{port}"
    controller.stop()


def setting(house: House, **changed: Any) -> Node:
    return replace(house.node, settings=house.node.settings.model_copy(update=changed))


def sent(house: House, node: Node, tlp: Tlp = Tlp.GREEN, info: str = "Ransomware") -> None:
    named = Audience(frozenset({VAL.org}))
    event = house.world.post("FR", info, tlp, ["c2.example"], published=False, audience=named)
    send_alert(node, house.amelie, FR, event)


def test_a_webhook_verifies_with_the_standards_own_library(house: House, siem: Siem) -> None:
    node = replace(
        setting(house, webhook_hosts=frozenset({siem.address})), clock=wall_clock, wall=wall_clock
    )
    secret = set_webhook(node, house.claire, f"http://{siem.address}/hook").secret
    sent(house, node)
    deliver_due(node)
    ((headers, body),) = siem.got
    told = Webhook(secret).verify(body, headers)
    assert (told["type"], told["data"]["info"]) == ("alert.alert", "Ransomware")
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace(b"Ransomware", b"ransomware"), headers)


def test_a_redirect_is_not_followed(house: House, siem: Siem) -> None:
    node = setting(house, webhook_hosts=frozenset({siem.address}))
    set_webhook(node, house.claire, f"http://{siem.address}/hook")
    siem.status = 307
    sent(house, node)
    deliver_due(node)
    assert len(siem.got) == 1


def test_an_address_that_is_no_longer_allowed_is_not_called(house: House, siem: Siem) -> None:
    node = setting(house, webhook_hosts=frozenset({siem.address}))
    set_webhook(node, house.claire, f"http://{siem.address}/hook")
    sent(house, node)
    assert deliver_due(house.node) == 1
    assert siem.got == []


def test_the_signature_is_the_one_of_the_standards_example() -> None:
    key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    at = wall_clock().replace(microsecond=0)
    made = webhook_headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
    signed = Webhook(key).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, body.decode())
    assert made["webhook-signature"] == signed


@pytest.mark.parametrize(
    ("tlp", "tells"),
    [(Tlp.CLEAR, True), (Tlp.GREEN, True), (Tlp.AMBER, False), (Tlp.AMBER_STRICT, False)],
)
def test_a_mail_tells_the_title_up_to_green_and_above_only_that_an_alert_waits(
    house: House, post: tuple[Post, str], tlp: Tlp, tells: bool
) -> None:
    handler, relay = post
    node = setting(house, mail_relay=relay, mail_from="isac@node.example")
    set_contacts(node, house.claire, mail="soc@val.example", second_mail="", language="fr")
    sent(house, node, tlp, "Title canary\nBcc: evil@example.org")
    assert deliver_due(node) == 1
    ((to, mail),) = handler.mails
    text = f"{mail['Subject']}\n{mail.get_content()}"
    assert to == ["soc@val.example"]
    assert ("Title canary" in text, "Alerte 1" in text) == (tells, True)
    assert (f"TLP:{tlp.word.upper()}" in text) == tells
    assert "c2.example" not in text
    assert mail["Bcc"] is None


def test_a_mail_of_amber_does_not_even_name_the_event(house: House, post: tuple[Post, str]) -> None:
    handler, relay = post
    node = setting(house, mail_relay=relay)
    set_contacts(node, house.claire, mail="soc@val.example", second_mail="", language="en")
    event = house.world.post("FR", "Amber canary", Tlp.AMBER, published=False)
    send_alert(node, house.amelie, FR, event)
    deliver_due(node)
    ((_, mail),) = handler.mails
    assert event not in mail.as_string()
    assert f"{node.settings.base_url}/console/alerts" in mail.get_content()


def test_a_relay_that_refuses_is_asked_again(house: House, post: tuple[Post, str]) -> None:
    handler, relay = post
    node = setting(house, mail_relay=relay)
    set_contacts(node, house.claire, mail="soc@val.example", second_mail="", language="en")
    handler.refuses = True
    sent(house, node)
    assert deliver_due(node) == 1
    assert deliver_due(node) == 0
    handler.refuses = False
    house.world.clock.turn(minutes=16)
    assert deliver_due(node) == 1
    assert len(handler.mails) == 1


def test_the_second_contact_is_told_that_nobody_has_acknowledged(
    house: House, post: tuple[Post, str]
) -> None:
    handler, relay = post
    node = setting(house, mail_relay=relay)
    set_contacts(node, house.claire, mail="", second_mail="boss@val.example", language="nl")
    sent(house, node)
    house.world.clock.turn(minutes=node.settings.escalate_after_min)
    escalate_due(node)
    assert deliver_due(node) == 1
    ((to, mail),) = handler.mails
    assert to == ["boss@val.example"]
    assert "Niemand" in mail.get_content()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_which_alert_and_where(language: str) -> None:
    for kind in ("alert", "update", "withdrawn"):
        for is_second in (False, True):
            text = mail_text(
                language,
                kind,
                7,
                node="Node FR",
                console="https://fr.example.org/console/alerts",
                info=None,
                tlp=None,
                link="",
                is_second=is_second,
            )
            assert "7" in text.subject
            assert "7" in text.body
            assert "{" not in text.subject + text.body
            assert "https://fr.example.org/console/alerts" in text.body
