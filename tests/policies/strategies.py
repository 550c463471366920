"""The words of this floor, for Hypothesis."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from policies.label import CATEGORIES, Label
from policies.party import KINDS, ROLES, Party
from policies.subject import LOGS, Relation, Subject
from policies.tlp import Pap, Tlp

ORGS = tuple(f"{n}1111111-1111-4111-8111-111111111111" for n in range(4))
COMMUNITIES = tuple(f"{n}2222222-2222-4222-8222-222222222222" for n in range(2))

tlps = st.sampled_from(Tlp)
paps = st.sampled_from(Pap)
category_sets = st.frozensets(st.sampled_from(sorted(CATEGORIES)), max_size=3)

instants = st.datetimes(
    min_value=datetime(2026, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    max_value=datetime(2027, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=2))]),
)

labels = st.builds(
    Label,
    tlp=tlps,
    pap=paps,
    categories=category_sets,
    until=st.none() | instants,
    only=st.booleans(),
    relay=st.booleans(),
)

subjects = st.builds(
    Subject,
    log=st.sampled_from(sorted(LOGS)),
    kind=st.integers(1, 13),
    type=st.integers(1, 11),
    tlp=tlps,
    pap=paps,
    categories=category_sets,
    only=st.booleans(),
    relay=st.booleans(),
)

RARELY = st.integers(0, 4).map(lambda n: n == 4)  # else most draws are withheld for one dull reason

relations = st.builds(
    Relation,
    own=st.booleans(),
    client=st.booleans(),
    direct=st.booleans(),
    named=st.booleans(),
    released=st.booleans(),
    embargoed=RARELY,
    published=RARELY.map(lambda kept_back: not kept_back),
)

parties = st.builds(
    Party,
    org=st.sampled_from(ORGS),
    kind=st.sampled_from(sorted(KINDS)),
    country=st.sampled_from(["FR", "BE", ""]),
    roles=st.frozensets(st.sampled_from(sorted(ROLES))),
    communities=st.frozensets(st.sampled_from(COMMUNITIES)),
    hosts=st.frozensets(st.sampled_from(["pacs", "ehr"])),
)

_SCOPES = st.sampled_from(
    [
        "principal",
        'principal in Role::"community"',
        'principal in Role::"member"',
        f'principal == Party::"{ORGS[0]}"',
        f'principal in Community::"{COMMUNITIES[0]}"',
    ]
)
_ACTIONS = st.sampled_from(
    [
        "action",
        'action == Action::"disclose"',
        'action == Action::"unattended"',
        'action in Action::"use"',
    ]
)
_CONDITIONS = st.sampled_from(
    [
        "",
        "when { context.named || context.released }",
        "when { resource.tlp <= 5 }",
        'when { principal.country == "FR" }',
        'unless { principal.hosts.contains("pacs") }',
        'when { resource.categories.contains(Category::"clinical") }',
        "when { resource.kind == 10 && resource.type < 5 }",
    ]
)


_POLICIES = st.tuples(st.sampled_from(["permit", "forbid"]), _SCOPES, _ACTIONS, _CONDITIONS)
Drawn = tuple[str, str, str, str]


@st.composite
def rulebook_texts(draw: st.DrawFn) -> str:
    """A rulebook of one to five policies, whatever they may say."""
    return _text(draw(st.lists(_POLICIES, min_size=1, max_size=5)))


@st.composite
def tightened_texts(draw: st.DrawFn) -> tuple[str, str]:
    """A rulebook, and the same with some agreements given up and some prohibitions added."""
    policies = draw(st.lists(_POLICIES, min_size=1, max_size=5))
    kept = [each for each in policies if each[0] == "forbid" or draw(st.booleans())]
    more = draw(st.lists(_POLICIES.map(lambda each: ("forbid", *each[1:])), max_size=2))
    return _text([*policies, _AGREEMENT]), _text([_AGREEMENT, *kept, *more])


_AGREEMENT = ("permit", "principal", "action", "")  # else hardly anything would be disclosed


def _text(policies: Sequence[Drawn]) -> str:
    return "\n".join(
        f'@id("p{n}") @reason("because") {effect} ({scope}, {action}, resource) {condition};'
        for n, (effect, scope, action, condition) in enumerate(policies)
    )
