"""What changes our own logs: who may, how they are found, and the line it leaves in the audit."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from node.actions.aliases import known_as
from node.actions.caller import Caller
from node.actions.errors import BadInputError, NotAllowedError, NotFoundError
from node.actions.sealing import OwnLog, read_own
from node.node import Node
from node.storage import audit
from node.storage.logs import LogRow, find_log
from node.storage.store import Unit
from sharing.errors import SharingError
from sharing.incidents.report import BadReportError

_SUBMITTERS = frozenset({"hospital", "operator"})


@dataclass(frozen=True, slots=True)
class Submitted:
    """An event of ours as it stands after an act; `is_new` False: the act changed nothing."""

    origin: str
    event: str
    epoch: int
    seq: int
    is_new: bool


def submitted(row: LogRow, *, is_new: bool) -> Submitted:
    """Give the answer about a log as it stands."""
    return Submitted(row.origin, row.event, row.epoch, row.seq, is_new)


def check_submitter(caller: Caller) -> None:
    """Let only those through who may submit.

    Raises:
        NotAllowedError: the caller only reads.
    """
    if caller.role not in _SUBMITTERS:
        raise NotAllowedError(f"role {caller.role} reads; hospitals and operators submit")


def check_operator(caller: Caller, act: str) -> None:
    """Let only an operator through.

    Raises:
        NotAllowedError: the caller is none.
    """
    if caller.role != "operator":
        raise NotAllowedError(f"only an operator of this node may {act}")


def find_own_row(
    node: Node, unit: Unit, caller: Caller, origin: str, event: str, *, for_update: bool = False
) -> LogRow:
    """Give the event of ours that the caller is the source of, or staff of its node.

    Raises:
        NotFoundError: it is not there, or not the caller's: which of them is not told.
    """
    for uuid in known_as(node, caller, event):
        row = find_log(unit.connection, origin, uuid, for_update=for_update)
        if row is None or origin != node.org or row.type != "event":
            continue
        if caller.is_staff or row.source == caller.org:
            return row
    raise NotFoundError("event of yours")


def find_own(node: Node, unit: Unit, caller: Caller, origin: str, event: str) -> OwnLog:
    """Give the same with its newest version.

    Raises:
        NotFoundError: as above, or it was recalled.
    """
    row = find_own_row(node, unit, caller, origin, event)
    own = read_own(unit, node.org, row.event)
    if own is None:
        raise NotFoundError("event of yours")
    return own


def note(
    unit: Unit, node: Node, caller: Caller, action: str, row: LogRow, detail: Mapping[str, object]
) -> None:
    """Add the line that says who did what to which log."""
    audit.append(unit.connection, node.clock(), caller.name, action, row.origin, row.event, detail)


@contextmanager
def as_bad_input(field: str) -> Iterator[None]:
    """Turn what the lower floors refuse of a caller's own words into `BadInputError`."""
    try:
        yield
    except BadReportError:
        raise  # names its own fields
    except SharingError as error:
        raise BadInputError(field, str(error)) from error
