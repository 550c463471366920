"""What a hospital brings tells others nothing of which hospital it is (D3, D4).

Its uuids become ours (`aliases.py`), its own name is a slot that only it and this node may read,
creators named further within stay behind, and a text that names it is refused with its place: what
it means to say of itself belongs into a report. A report is not refused for it: of what may leave,
its name is cut out. So too where staff bring in what a hospital that is enrolled here made, but for
texts and uuids, which are theirs to answer for.
"""

from collections.abc import Iterable
from dataclasses import replace

import orjson

from node.actions.aliases import part_alias, under_aliases
from node.actions.caller import Caller
from node.actions.errors import BadInputError
from node.node import Node
from node.storage.people import Org, find_org, list_orgs
from sharing.creators import naming, texts_in, without_creators, without_names
from sharing.event import Attribute, Draft, Json
from sharing.incidents.fields import FIELDS
from sharing.incidents.report import Report
from sharing.slots_event import SOURCE_IDENTITY

_CONSTITUENTS = frozenset({"hospital", "supplier"})


def untold(node: Node, caller: Caller, draft: Draft, within: str = "") -> Draft:
    """Give the draft so that it tells others neither which hospital made it nor its uuids.

    Raises:
        BadInputError: a text of a hospital's own names it; gives the place, `within` before it.
    """
    if caller.is_staff:
        return _without_constituents(node, draft)
    event = without_creators(draft.event)
    _check_texts(node, caller.org, replace(event, orgc=None), within)
    return replace(draft, event=under_aliases(node, caller.org, event), hides_creator=True)


def untold_attributes(node: Node, source: str, attributes: Iterable[Attribute]) -> list[Attribute]:
    """The same of attributes that are added to an event of this hospital's.

    Raises:
        BadInputError: a text names it.
    """
    left = [without_creators(each) for each in attributes]
    _check_texts(node, source, left)
    return [replace(each, uuid=part_alias(node, source, each.uuid)) for each in left]


def unnamed(home: Org, report: Report) -> Report:
    """Give the report for others: the texts that may leave are without the hospital's names."""
    names = {*_names(home), str(report.values.get("entity_name", ""))}
    told = {
        name: without_names(value, names) if _is_for_others(name) else value
        for name, value in report.values.items()
    }
    return replace(report, values=told)


def _is_for_others(name: str) -> bool:
    row = FIELDS.get(name)
    return row is not None and row.leaves_node and SOURCE_IDENTITY not in row.categories


def _without_constituents(node: Node, draft: Draft) -> Draft:
    with node.store.read() as unit:
        orgs = [org for org in list_orgs(unit.connection) if org.kind in _CONSTITUENTS]
    is_named = naming(name for org in orgs for name in _names(org))

    def tells(creator: Json) -> bool:
        return is_named(orjson.dumps(creator).decode())

    if not orgs:
        return draft
    hides = draft.hides_creator or (draft.event.orgc is not None and tells({**draft.event.orgc}))
    return replace(draft, event=without_creators(draft.event, tells), hides_creator=hides)


def _check_texts(node: Node, org: str, part: object, within: str = "") -> None:
    with node.store.read() as unit:
        home = find_org(unit.connection, org)
    if home is None:
        return
    is_named = naming(_names(home))
    for path, text in texts_in(part):
        if is_named(text):
            place = path.lstrip("/")
            raise BadInputError(
                f"{within}: {place}" if within else place,
                "names who brought it to all who may read it: say it without",
            )


def _names(org: Org) -> tuple[str, str]:
    return org.org, org.name
