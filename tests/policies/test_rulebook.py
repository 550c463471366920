import re
from dataclasses import replace
from importlib import resources

import pytest

from policies.decide import Effect, decide
from policies.errors import BadRulebookError
from policies.label import CATEGORIES
from policies.party import KINDS, ROLES, Party
from policies.rulebook import SHIPPED, Rulebook, ingress_rulebook, read_rulebook, shipped
from policies.subject import LOGS
from tests.policies.strategies import COMMUNITIES, ORGS
from tests.policies.test_decide import peer, relation, subject

GOOD = '@id("green") @reason("because") permit (principal, action, resource);'


def read(text: str) -> Rulebook:
    return read_rulebook(text, name="draft", version="2")


def text_of(path: str) -> str:
    return resources.files("policies").joinpath(path).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SHIPPED)
def test_every_policy_has_an_id_and_a_sentence(name: str) -> None:
    rulebook = shipped(name)
    texts = text_of("floor.cedar") + rulebook.text
    assert len(rulebook.policies) == len(re.findall(r"^(?:permit|forbid) ", texts, re.MULTILINE))
    ids = [policy.id for policy in rulebook.policies.values()]
    assert len(set(ids)) == len(ids)
    for policy in rulebook.policies.values():
        assert " " in policy.reason
        assert policy.reason == policy.reason.strip()
        assert not policy.reason.endswith(".")


def test_the_floor_only_forbids() -> None:
    floor = text_of("floor.cedar")
    assert not re.search(r"^\s*permit", floor, re.MULTILINE)
    own = read(GOOD).policies.values()
    assert {p.id for p in own if p.id.startswith("floor.")} == {p.id for p in own} - {"green"}


def test_the_readme_explains_every_floor_policy() -> None:
    readme = text_of("README.md")
    floor = [p.id for p in read(GOOD).policies.values() if p.id.startswith("floor.")]
    assert [policy for policy in floor if f"`{policy}`" not in readme] == []


@pytest.mark.parametrize(
    ("enumeration", "names"),
    [("Category", CATEGORIES), ("Kind", KINDS), ("Role", ROLES), ("Log", LOGS)],
)
def test_the_schema_lists_exactly_what_the_code_knows(
    enumeration: str, names: frozenset[str]
) -> None:
    found = re.search(
        rf"entity {enumeration} enum \[(.*?)\]", text_of("schema.cedarschema"), re.DOTALL
    )
    assert found is not None
    assert frozenset(re.findall(r'"([^"]+)"', found[1])) == names


def test_a_rulebook_knows_its_name_version_and_text() -> None:
    rulebook = read(GOOD)
    assert (rulebook.name, rulebook.version, rulebook.text) == ("draft", "2", GOOD)


def test_the_digest_follows_every_byte_of_the_text() -> None:
    assert read(GOOD).digest == read(GOOD).digest
    assert re.fullmatch(r"[0-9a-f]{64}", read(GOOD).digest)
    assert len({read(text).digest for text in (GOOD, GOOD + "\n", "// x\n" + GOOD)}) == 3


def test_the_digest_covers_the_floor_and_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    before = read(GOOD).digest
    digests = {before}
    for changed in ("floor.cedar", "schema.cedarschema"):
        texts = {path: text_of(path) for path in ("floor.cedar", "schema.cedarschema")}
        texts[changed] += "// one more remark\n"
        with monkeypatch.context() as patch:
            patch.setattr("policies.rulebook._shipped_text", texts.__getitem__)
            digests.add(read(GOOD).digest)
    assert len(digests) == 3


def test_an_empty_rulebook_permits_nothing() -> None:
    decision = decide(subject(), relation(own=True), peer(), read(""))
    assert decision.effect is Effect.WITHHOLD
    assert [reason.id for reason in decision.reasons] == ["default.deny"]


def test_a_party_class_keeps_only_what_some_policy_can_tell() -> None:
    rulebook = read(
        f'@id("one") @reason("r") permit (principal == Party::"{ORGS[0]}", action, resource);'
        f'@id("two") @reason("r") permit (principal, action, resource)'
        f' when {{ [Party::"{ORGS[1]}"].contains(principal) }};'
        f'@id("three") @reason("r") permit (principal in Community::"{COMMUNITIES[0]}", action,'
        ' resource) when { ["FR"].contains(principal.country) };'
    )
    full = Party(ORGS[2], "node", "BE", ROLES, frozenset(COMMUNITIES), frozenset({"pacs"}))
    assert rulebook.party_class(full) == Party(
        "", "node", "BE", frozenset({"community"}), frozenset(COMMUNITIES[:1])
    )
    assert rulebook.party_class(replace(full, org=ORGS[1])).org == ORGS[1]
    assert read(GOOD).party_class(full) == Party("", "node", "", frozenset({"community"}))


def test_a_slot_class_keeps_kind_and_type_only_where_some_policy_reads_them() -> None:
    slot = subject()
    assert (slot.kind, slot.type) == (2, 1)
    assert read(GOOD).subject_class(slot) == replace(slot, kind=0, type=0)
    by_kind = GOOD.replace("resource)", "resource) when { resource.kind == 2 }")
    assert read(by_kind).subject_class(slot) == replace(slot, type=0)
    by_type = by_kind.replace("resource.kind", "(if context.own then resource else resource).type")
    assert read(by_type).subject_class(slot) == replace(slot, kind=0)


REFUSED = {
    "no id": ('@reason("r") permit (principal, action, resource);', "policy 1", "no @id"),
    "an empty id": (
        f'{GOOD} @id("") @reason("r") permit (principal, action, resource);',
        "policy 2",
        "no @id",
    ),
    "no reason": ('@id("a") permit (principal, action, resource);', "a", "no @reason"),
    "a blank reason": (
        '@id("a") @reason(" ") permit (principal, action, resource);',
        "a",
        "no @reason",
    ),
    "an id that is no id": (
        '@id("Not An Id") @reason("r") permit (principal, action, resource);',
        "policy 1",
        "lower-case",
    ),
    "an id twice": (GOOD + GOOD, "green", "two policies"),
    "an id of the floor": (
        '@id("floor.red") @reason("r") permit (principal, action, resource);',
        "floor.red",
        "program's own",
    ),
    "an id like the floor's": (
        '@id("floor.new") @reason("r") forbid (principal, action, resource);',
        "floor.new",
        "program's own",
    ),
    "an id like a default": (
        '@id("default.deny") @reason("r") forbid (principal, action, resource);',
        "default.deny",
        "program's own",
    ),
    "a misspelt annotation": (
        '@id("a") @need("two-roles") @reason("r") permit (principal, action, resource);',
        "a",
        "@need means nothing; known are @id, @needs, @reason",
    ),
    "an annotation in capitals": (
        '@id("a") @Needs("order") @reason("r") permit (principal, action, resource);',
        "a",
        "@… means nothing",
    ),
    "needs on a forbid of every action, which holds nothing": (
        '@id("a") @needs("order") @reason("r") forbid (principal, action, resource);',
        "a",
        "@needs: stands only with a hold",
    ),
    "needs on a forbid of disclose": (
        GOOD.replace('")', '") @needs("order")', 1)
        .replace("permit", "forbid")
        .replace("action", 'action == Action::"disclose"'),
        "green",
        "@needs: stands only with a hold",
    ),
    "needs on an agreement": (
        GOOD.replace('")', '") @needs("order")', 1).replace(
            "action", 'action == Action::"unattended"'
        ),
        "green",
        "@needs: stands only with a hold",
    ),
    "needs of nothing": (
        GOOD.replace('")', '") @needs', 1)
        .replace("permit", "forbid")
        .replace("action", 'action == Action::"unattended"'),
        "green",
        "@needs: names none; known are ground, order, two-persons, two-roles",
    ),
    "a template": (
        '@id("a") @reason("r") permit (principal == ?principal, action, resource);',
        "a",
        "?slot",
    ),
    "text that is no Cedar": ("hello", "line 1", "cannot be read"),
    "a fault on a later line": (GOOD + "\n\npermit (principal);", "line 3", "cannot be read"),
    "a fault in a policy with an id": (
        GOOD + '\n@id("b") @reason("has a ; in it") permit (principal action, resource);',
        "b",
        "unexpected token `action`",
    ),
}
MISSPELT = {
    "attribute": ("resource.colour == 1", "`colour`"),
    "relation": ("context.mine", "`mine`"),
    "category": ('resource.categories.contains(Category::"clincal")', "clincal"),
    "category as text": ('resource.categories.contains("clinical")', "String and Category"),
    "role": ('principal in Role::"memer"', "memer"),
    "kind": ('principal.kind == Kind::"hospitl"', "hospitl"),
    "log": ('resource.log == Log::"reports"', "reports"),
    "type": ('principal == User::"x"', "`User`"),
    "colour as text": ('resource.tlp == "green"', "Long and String"),
    "has": ("resource has colour", "asks `has`"),
    "sum": ("resource.kind + 1 == 3", "calculates"),
    "product": ("resource.tlp * 9223372036854775807 > 0", "calculates"),
    "minus": ("-resource.type < 4", "calculates"),
    "organisation": ('principal == Party::"France"', "not a lower-case uuid"),
    "community": ('principal in Community::"EH-ISAC"', "not a lower-case uuid"),
    "upper-case uuid": (f'principal == Party::"{ORGS[0].replace("1", "A")}"', "lower-case uuid"),
    "slot": ('resource == Slot::"slot"', "slots have no names"),
    "deep inside": ('if true then context.own else resource in [Slot::"x"]', "no names"),
}


@pytest.mark.parametrize(("text", "policy", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_bad_rulebook_is_refused_by_policy_and_reason(
    text: str, policy: str, reason: str
) -> None:
    with pytest.raises(BadRulebookError, match=re.escape(reason)) as refused:
        read(text)
    assert refused.value.policy == policy
    assert str(refused.value).startswith(f"rulebook draft, {policy}: ")


@pytest.mark.parametrize(("condition", "reason"), MISSPELT.values(), ids=MISSPELT)
def test_a_rule_that_names_what_does_not_exist_is_refused(condition: str, reason: str) -> None:
    text = f'{GOOD}\n@id("x.y") @reason("r") forbid (principal, action, resource) when {{ {condition} }};'
    with pytest.raises(BadRulebookError, match=re.escape(reason)) as refused:
        read(text)
    assert refused.value.policy == "x.y"


PATIENT = "Jeanne Testpatient 03/04/1961"


@pytest.mark.parametrize(
    "text",
    [
        f'@id("{PATIENT}") @reason("r") permit (principal, action, resource);',
        f'@id("{PATIENT}") @reason("r") permit (principal, acting, resource);',
        f'@id("{PATIENT}") @reason("r") permit (principal == ?principal, action, resource);',
        f'@id("a") @reason("r") permit (principal, action "{PATIENT}", resource);',
        f'@id("a") @needs("{PATIENT}") @reason("r") forbid (principal, action, resource);',
        *(
            f'{GOOD} @id("a") @reason("r") forbid (principal, action, resource) when {{ {what} }};'
            for what in (
                f'principal == Party::"{PATIENT}"',
                f'principal in Community::"{PATIENT}"',
                f'resource == Slot::"{PATIENT}"',
                f'principal in Role::"{PATIENT}"',
                f'resource["{PATIENT}"] == 1',
                f'ip("{PATIENT}").isIpv4()',
            )
        ),
    ],
)
def test_a_refusal_repeats_nothing_that_may_be_about_a_patient(text: str) -> None:
    with pytest.raises(BadRulebookError) as refused:
        read(text)
    assert not any(word in str(refused.value) for word in PATIENT.split())


def test_a_refusal_is_short_however_long_the_names_in_the_text_are() -> None:
    long = f'{GOOD} @id("a") @reason("r") forbid (principal == {"a::" * 9000}b::"x", action, resource);'
    with pytest.raises(BadRulebookError, match="unrecognized entity type") as refused:
        read(long)
    assert len(str(refused.value)) < 400


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(BadRulebookError, match="leak"):
        read('@id("a") @reason("r") permit (principal, action == Action::"leak", resource);')


def test_a_rulebook_that_is_not_shipped_is_refused_by_name() -> None:
    with pytest.raises(
        BadRulebookError,
        match=r"rulebook atlantis, name: shipped are closed, community, hub, national",
    ):
        shipped("atlantis")


def test_on_arrival_only_the_floor_refuses() -> None:
    ingress = ingress_rulebook()
    ids = {policy.id for policy in ingress.policies.values()}
    assert {policy for policy in ids if not policy.startswith("floor.")} == {"ingress"}
    assert decide(subject(), relation(), peer(), ingress).effect is Effect.DISCLOSE
