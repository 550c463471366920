"""What a node does by itself: project, pull, wake, sweep, heed the roster; one leader at a time.

Who leads is a row of the database (`storage.leases`); every write unit of a job checks it, so that
a leader that slept through the end of its lease commits nothing. Durable work lives in our tables:
a schedule that dies forgets nothing.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, timedelta
from functools import partial

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from federation.transport import Transport
from node.actions.alerts_ack import escalate_due
from node.actions.alerts_send import deliver_due
from node.actions.alerts_tell import tell_due
from node.actions.disown import disown_compromised
from node.actions.exchange import WORKERS, pull_due
from node.actions.lanes import Lanes
from node.actions.listen import WORKERS as LISTENED
from node.actions.listen import Listener
from node.actions.people import forget_old_sessions
from node.actions.projector import project_dirty
from node.actions.push import Pusher
from node.actions.receipts import send_due
from node.actions.renew import renew_recalls
from node.actions.repair import repair_due
from node.actions.roster import fetch_due, may_exchange
from node.actions.rostering import bring_entry, publish_due
from node.actions.wake import wake_due
from node.node import Node
from node.storage import leases
from node.storage.errors import LostLeaseError
from sharing.seal.keys import KeyRegistry

LEASE = timedelta(seconds=8)
RENEW_S = 2
WAKE_S = 1
PULL_S = 1  # how often is looked whose turn it is
REPAIR_S = 10  # how often is looked whose feed is to be compared with what we hold of it
SWEEP_S = 60
RECEIPTS_S = 1
PUSH_S = 1  # how often is looked what was pushed in vain; what is new goes at once
PUSH_ANSWER_S = 10.0  # of receipts, too
REPAIRS = 4  # at a time
ALERTS_S = 1
ROSTER_S = 1  # how often is looked whether it was changed
FETCH_ROSTER_S = 60  # how long a revocation by the hub takes to bite, at most
PUBLISH_ROSTER_S = 5
PROJECT_LIMIT = 20
Job = Callable[[Node], object]

_log = structlog.get_logger(__name__)


class Schedule:
    """The jobs of one process; they run while it leads."""

    def __init__(self, node: Node, transport: Transport) -> None:
        self._node = node
        self._owner = f"{socket.gethostname()[:32]}:{os.getpid()}:{node.rng(4).hex()}"
        self._lease: leases.Lease | None = None
        self._heeded: KeyRegistry | None = None
        quick = replace(transport, answer_s=PUSH_ANSWER_S)
        self._pusher = Pusher(quick)
        self._pulls, self._repairs = Lanes("pull", WORKERS), Lanes("repair", REPAIRS)
        self._listened = Lanes("listen", LISTENED)
        listener = Listener(transport, self._pulls.begin)
        self._jobs: dict[str, tuple[float, Job]] = {
            "project": (node.settings.project_interval_s, self._project),
            "wake": (WAKE_S, wake_due),
            "pull": (
                PULL_S,
                _exchanging(lambda node: pull_due(node, transport, self._pulls.begin)),
            ),
            "listen": (
                PULL_S,
                _exchanging(lambda node: listener.listen_due(node, self._listened.begin)),
            ),
            "receipts": (RECEIPTS_S, _exchanging(partial(_send_receipts, transport=quick))),
            "push": (PUSH_S, _exchanging(self._pusher.begin)),
            "alerts": (ALERTS_S, _announce),
            "deliver": (ALERTS_S, deliver_due),
            "repair": (
                REPAIR_S,
                _exchanging(lambda node: repair_due(node, transport, self._repairs.begin)),
            ),
            "sweep": (SWEEP_S, forget_old_sessions),
            "roster": (ROSTER_S, self._heed_roster),
            "publish roster": (PUBLISH_ROSTER_S, publish_due),
            "fetch roster": (FETCH_ROSTER_S, partial(_fetch_roster, transport=transport)),
        }
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(len(self._jobs) + 1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    @property
    def leads(self) -> bool:
        """Whether this process believes that it leads."""
        return self._lease is not None

    def start(self) -> None:
        """Begin; leads at once if nobody does."""
        self.lead()
        self._scheduler.add_job(self.lead, "interval", seconds=RENEW_S)
        for name, (every_s, _) in self._jobs.items():
            job = self._scheduler.add_job(self.run, "interval", seconds=every_s, args=(name,))
            if name == "fetch roster":  # and now: who was away is behind
                job.modify(next_run_time=self._node.wall())
        self._scheduler.start()

    def stop(self) -> None:
        """End without waiting for a job at a slow peer: nothing is half done, it is redone."""
        self._scheduler.shutdown(wait=False)
        for lanes in (self._pusher, self._listened, self._pulls, self._repairs):
            lanes.close()
        held, self._lease = self._lease, None
        if held is not None:
            with self._node.store.write() as unit:
                leases.give_back(unit.connection, held, now=self._node.wall())

    def lead(self) -> None:
        """Take the lead or keep it, if nobody else has it."""
        with _told("lead"):
            held = self._take()
            if held != self._lease:
                _log.info("leads" if held else "follows", fence=held.fence if held else None)
            self._lease = held

    def run(self, name: str) -> None:
        """Run a job once, if we lead; its write units end if we no longer do."""
        held, (_, job) = self._lease, self._jobs[name]
        if held is None:
            return
        fenced = self._node.store.guarded(partial(leases.check, held=held))
        try:
            with _told(name):
                job(replace(self._node, store=fenced))
        except LostLeaseError:
            self._lease = None
            _log.warning("lost the lead", job=name)

    def _project(self, node: Node) -> None:
        while project_dirty(node, PROJECT_LIMIT):
            _exchanging(self._pusher.begin)(node)  # what is urgent was projected first

    def _heed_roster(self, node: Node) -> None:
        """Do once, for each roster that is read, what its revocations ask for."""
        registry = node.registry
        if registry is not self._heeded:
            disown_compromised(node)
            renew_recalls(node)
            self._heeded = registry

    def _take(self) -> leases.Lease | None:
        with self._node.store.write() as unit:
            now = self._node.wall()
            return leases.take(unit.connection, "schedule", self._owner, now=now, length=LEASE)


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Tell what a job raises, with its traceback; it ends this run only."""
    try:
        yield
    except LostLeaseError:
        raise
    except Exception:  # noqa: BLE001  one of the three places where everything is caught
        _log.exception("job failed", job=name)


def _exchanging(job: Job) -> Job:
    """Give the job, not done while our roster is too old to exchange by."""
    return lambda node: job(node) if may_exchange(node) else None


def _fetch_roster(node: Node, *, transport: Transport) -> None:
    fetch_due(node, transport)
    bring_entry(node, transport)


def _send_receipts(node: Node, *, transport: Transport) -> None:
    send_due(node, transport)


def _announce(node: Node) -> None:
    tell_due(node)
    escalate_due(node)
