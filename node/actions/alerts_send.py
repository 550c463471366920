"""Alerts on their way to organisations by webhook and mail.

A webhook is signed as Standard Webhooks says (`webhook-id`, `webhook-timestamp`,
`webhook-signature`: v1, HMAC-SHA256 over id.timestamp.body). Its address is an organisation's own
word, so it is called through the egress guard of `federation/transport.py`, with a list of
exceptions of its own, and of the answer only the status is kept. What fails is tried again with
jitter; after 72 hours it is dead and stays so. Tries run on wall time.
"""

import base64
import hmac
import ipaddress
import re
import smtplib
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from typing import Protocol
from urllib.parse import unquote, urlsplit

import orjson
import structlog

from federation.backoff import wait_s
from federation.call import Call
from federation.errors import TransportError
from federation.peer import BadPeerError, read_base_url
from federation.transport import Transport, is_public
from node.actions.alerts_tell import Alert, EventBefore, as_machine, local_reader, seen_by
from node.actions.alerts_text import mail_text
from node.actions.errors import BadInputError
from node.node import Node
from node.storage import alert_ways, alerts, people
from node.storage.alert_ways import DEAD, SECOND, SENT, WAITING, WEBHOOK, DeliveryRow, WayRow
from node.storage.alerts import AlertRow
from node.storage.store import Unit

PATIENCE = timedelta(hours=72)
ANSWER_S = 15.0
_WORKERS = 8
_AT_ONCE = 64
_URL_MAX = 2048
_URL = re.compile(r"[!\"$-~]+")  # all that is printable but #
_SECRET = b"isac webhook/1\x00"
_GONE = 410
_PORTS = {"smtp": 25, "starttls": 587, "smtps": 465}
_log = structlog.get_logger(__name__)


class Poster(Protocol):
    """Whatever calls somebody who is no peer and tells the status of his answer."""

    def status_of(self, call: Call, base_url: str) -> int:
        """The status; raises TransportError where there is none."""


@dataclass(frozen=True, slots=True)
class _Tried:
    """What came of a try: whether it is over, and in a word why."""

    state: str
    status: str


@dataclass(frozen=True, slots=True)
class _Job:
    """One delivery with all it needs; `alert` None: a machine may be told nothing of it."""

    delivery: DeliveryRow
    row: AlertRow
    alert: Alert | None
    way: WayRow


def deliver_due(node: Node, poster: Poster | None = None) -> int:
    """Try what is due, several at a time; gives how many."""
    with node.store.read() as unit:
        due = alert_ways.due_deliveries(unit.connection, node.wall(), _AT_ONCE)
    if not due:
        return 0
    hosts = node.settings.webhook_hosts
    by = poster or Transport(allow_hosts=hosts, answer_s=ANSWER_S)
    jobs = _jobs(node, due)
    with ThreadPoolExecutor(_WORKERS) as workers:
        tried = list(workers.map(lambda job: _try(node, job, by), jobs))
    with node.store.write() as unit:
        for job, came in zip(jobs, tried, strict=True):
            _note(node, unit, job.delivery, came)
    return len(jobs)


def webhook_secret(node: Node, org: str, salt: str) -> str:
    """The secret of an organisation's webhook, made from a key of this node: no database has it."""
    key = hmac.digest(node.keys.cursor, _SECRET + f"{org} {salt}".encode(), sha256)
    return "whsec_" + base64.b64encode(key).decode()


def webhook_headers(secret: str, message_id: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """The headers that prove a webhook's body (Standard Webhooks, symmetric signature v1)."""
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.digest(key, f"{message_id}.{stamp}.".encode() + body, sha256)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def read_webhook_url(node: Node, url: str) -> tuple[str, str]:
    """The base address and the path of a webhook.

    Raises:
        BadInputError: it is no address, not https, private, or our own, and not listed.
    """
    try:
        parts = urlsplit(url)
        base = read_base_url(f"{parts.scheme}://{parts.netloc}")
    except (ValueError, BadPeerError) as error:
        raise BadInputError("url", "is not like https://siem.example.org/hook") from error
    if len(url) > _URL_MAX or not _URL.fullmatch(url):
        raise BadInputError("url", f"printable ASCII, no #, at most {_URL_MAX} characters")
    host = parts.hostname or ""
    if not node.settings.webhook_hosts & {parts.netloc, host}:
        if parts.scheme != "https":
            raise BadInputError("url", "must be https")
        if host == urlsplit(node.settings.base_url).hostname or _is_private(host):
            raise BadInputError("url", f"{host} is not an address of the open internet")
    return base, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _is_private(host: str) -> bool:
    """Whether a literal address is not public; of names the guard judges when it connects."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return not is_public(host)


def _jobs(node: Node, due: tuple[DeliveryRow, ...]) -> list[_Job]:
    with node.store.read() as unit:
        conn = unit.connection
        ways = alert_ways.ways_of(conn, {one.org for one in due})
        orgs = {org.org: org for org in people.list_orgs(conn)}
        rows = {(one.org, one.k): alerts.find_alert(conn, one.org, one.k) for one in due}
    events: dict[tuple[str, str], EventBefore] = {}
    jobs = []
    for one in due:
        row = rows[one.org, one.k]
        if row is None:  # the foreign key holds
            continue
        key = (row.origin, row.event)
        if key not in events:
            events[key] = EventBefore.read(node, *key)
        reader = as_machine(local_reader(node, orgs[one.org]))
        shown = seen_by(node, reader, [(row, events[key])])
        jobs.append(_Job(one, row, next(iter(shown), None), ways.get(one.org, WayRow(one.org))))
    return jobs


def _try(node: Node, job: _Job, poster: Poster) -> _Tried:
    if job.delivery.way == WEBHOOK:
        return _call(node, job, poster)
    address = job.way.second_mail if job.delivery.way == SECOND else job.way.mail
    if job.delivery.way == SECOND and job.row.seen_at is not None:
        return _Tried(DEAD, "acknowledged meanwhile")
    return _mail(node, job, address) if address else _Tried(DEAD, "no address any more")


def _call(node: Node, job: _Job, poster: Poster) -> _Tried:
    if not job.way.webhook:
        return _Tried(DEAD, "no webhook any more")
    if job.alert is None:
        return _Tried(DEAD, "no machine may be told")
    try:
        base, path = read_webhook_url(node, job.way.webhook)
    except BadInputError:
        return _Tried(WAITING, "address not allowed")
    now = node.wall()
    told = {"type": f"alert.{job.alert.kind}", "timestamp": job.row.at, "data": job.alert}
    body = orjson.dumps(told, option=orjson.OPT_UTC_Z)
    secret = webhook_secret(node, job.delivery.org, job.way.webhook_salt)
    message_id = f"alert_{job.delivery.org}_{job.delivery.k}"
    signed = webhook_headers(secret, message_id, now, body)
    call = Call("POST", path, {"content-type": "application/json", **signed}, body)
    try:
        status = poster.status_of(call, base)
    except TransportError as error:
        return _Tried(WAITING, type(error).__name__)
    if 200 <= status < 300:
        return _Tried(SENT, str(status))
    return _Tried(DEAD if status == _GONE else WAITING, str(status))


def _mail(node: Node, job: _Job, address: str) -> _Tried:
    if not node.settings.mail_relay:
        return _Tried(WAITING, "no mail_relay is set")
    try:
        _relay(node.settings.mail_relay, _message(node, job, address))
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        return _Tried(WAITING, f"smtp {codes[0] if codes else 'refused'}")
    except smtplib.SMTPResponseException as error:
        return _Tried(WAITING, f"smtp {error.smtp_code}")
    except (smtplib.SMTPException, OSError) as error:
        return _Tried(WAITING, type(error).__name__)
    return _Tried(SENT, "smtp 250")


def _message(node: Node, job: _Job, address: str) -> EmailMessage:
    host = urlsplit(node.settings.base_url).hostname or "localhost"
    alert = job.alert
    text = mail_text(
        job.way.language,
        job.row.kind,
        job.row.k,
        node=node.settings.name,
        console=f"{node.settings.base_url}/console/alerts",
        info=None if alert is None else alert.info,
        tlp=None if alert is None else alert.tlp,
        link="" if alert is None else alert.link,
        is_second=job.delivery.way == SECOND,
    )
    message = EmailMessage()
    message["Subject"] = text.subject
    message["From"] = node.settings.mail_from or f"isac@{host}"
    message["To"] = address
    message["Date"] = format_datetime(node.wall())
    name = f"{job.delivery.org} {job.delivery.k} {job.delivery.way}"
    message["Message-ID"] = f"<{sha256(name.encode()).hexdigest()[:32]}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text.body)
    return message


def _relay(relay: str, message: EmailMessage) -> None:
    """Hand the message to the relay the operator set."""
    parts = urlsplit(relay)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    context = ssl.create_default_context()
    server = (
        smtplib.SMTP_SSL(host, port, timeout=ANSWER_S, context=context)
        if parts.scheme == "smtps"
        else smtplib.SMTP(host, port, timeout=ANSWER_S)
    )
    with server:
        if parts.scheme == "starttls":
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)


def _note(node: Node, unit: Unit, one: DeliveryRow, came: _Tried) -> None:
    now, state = node.wall(), came.state
    if state == WAITING and now - one.made_at >= PATIENCE:
        state = DEAD
    chance = int.from_bytes(node.rng(8)) / 2**64
    again_at = now + timedelta(seconds=wait_s(one.tries + 1, chance))
    alert_ways.note_try(unit.connection, one, state=state, status=came.status, next_try_at=again_at)
    if state != SENT:
        _log.warning("alert not delivered", org=one.org, way=one.way, why=came.status, state=state)
