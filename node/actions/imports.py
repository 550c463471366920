"""Bringing in files of other tools: all events of a file, or nothing of it.

What a file brings becomes this node's own log under the event's own uuid (D28): its creator is
kept, as a claim nobody has checked. Without a colour chosen for it a file is AMBER+STRICT and stays
at home until an operator publishes it. The same file again changes nothing; with another colour it
changes what was not published yet.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from node.actions.caller import Caller
from node.actions.drafts import make_event
from node.actions.errors import BadInputError
from node.actions.groups_met import Met, adopt
from node.actions.own import (
    Submitted,
    as_bad_input,
    check_operator,
    check_submitter,
    note,
    submitted,
)
from node.actions.patients import PatientDataError, check_typed, noted
from node.actions.publish import publish as publish_event
from node.actions.sealing import OwnLog, Version, until_settled, write_version
from node.actions.untold import untold
from node.node import Node
from node.storage.groups import GroupRow
from policies.label import Label
from policies.tlp import Tlp
from sharing.event import Draft
from sharing.formats.misp import read_misp
from sharing.patients.check import MOST, Found


@dataclass(frozen=True, slots=True)
class Imported:
    """An event as it was taken in, with how many attributes it holds.

    `notes` say what of it reaches fewer than its distribution says.
    """

    done: Submitted
    info: str
    attributes: int
    published: bool
    notes: tuple[str, ...] = ()


def import_misp(
    node: Node, caller: Caller, name: str, raw: bytes, *, tlp: Tlp | None, publish: bool
) -> list[Imported]:
    """Bring in a MISP document; `tlp` is the colour below which nothing of it falls.

    Gives an answer for each event of it, in its order; `is_new` False: it is here already.

    Raises:
        BadMispError: the document is broken: names it and the place; nothing of it is kept.
        NotAllowedError, BadInputError: the caller may not, or published without a colour.
        PatientDataError: the file holds patient data that nobody released; nothing of it is kept.
        ConflictError: an event of one of the uuids is here and says something else.
    """
    check_submitter(caller)
    if publish:
        check_operator(caller, "publish")
        if tlp is None:
            raise BadInputError("tlp", "choose one: what is published needs a colour")
    intake, found = Label(tlp or Tlp.AMBER_STRICT), read_misp(raw, name=name)

    def once() -> tuple[list[Draft], list[tuple[Submitted, bool]]]:
        met = Met(node, caller, by_number=False)
        read = [
            each.draft(intake=intake, own_org=node.org, source=caller.org, reach=met)
            for each in found
        ]
        passed = _check(node, caller, name, read)
        met.check(f"{name}/")
        drafts = [untold(node, caller, each, name) for each in read]
        told = {each.event.uuid: noted(one) for each, one in zip(drafts, passed, strict=True)}
        groups = met.adopted.values()
        return drafts, _write(node, caller, name, drafts, groups, told, publish=publish)

    drafts, written = until_settled(once)
    if publish:
        written = [
            (_let_go(node, caller, done, published=published), True) for done, published in written
        ]
    return [
        Imported(done, draft.event.info, draft.event.attribute_count, published, draft.notes)
        for (done, published), draft in zip(written, drafts, strict=True)
    ]


def _check(node: Node, caller: Caller, name: str, drafts: list[Draft]) -> list[tuple[Found, ...]]:
    """Let the events of a file pass, or none of them; gives what of each was released."""
    passed, found, whole = list[tuple[Found, ...]](), list[Found](), True
    for draft in drafts:
        within = f"{name}: {draft.event.uuid}" if len(drafts) > 1 else name
        try:
            passed.append(check_typed(node, caller, draft.event, within=within))
        except PatientDataError as error:
            found += error.findings
            whole = whole and error.whole
    if found:
        raise PatientDataError(found[:MOST], whole=whole and len(found) <= MOST)
    return passed


def _write(
    node: Node,
    caller: Caller,
    name: str,
    drafts: list[Draft],
    groups: Iterable[GroupRow],
    told: Mapping[str, Mapping[str, object]],
    *,
    publish: bool,
) -> list[tuple[Submitted, bool]]:
    with as_bad_input(name):
        made = [make_event(node, draft, published=publish, anew=True) for draft in drafts]
    new = sorted((one for one in made if isinstance(one, Version)), key=lambda one: one.log.event)
    if new:
        with node.store.write() as unit:
            adopt(node, unit, caller, groups)
            for version in new:
                write_version(unit, version)
            for version in new:
                detail = {"file": name, "seal": version.log.seal, "published": publish}
                detail |= told[version.log.event]
                note(unit, node, caller, "event.import", version.log, detail)
    return [
        (submitted(one.row, is_new=False), one.row.published)
        if isinstance(one, OwnLog)
        else (submitted(one.log, is_new=True), one.log.published)
        for one in made
    ]


def _let_go(node: Node, caller: Caller, done: Submitted, *, published: bool) -> Submitted:
    """Publish what was held until now."""
    if published:
        return done
    let_go = publish_event(node, caller, done.origin, done.event)
    return replace(done, is_new=done.is_new or let_go.is_new)
