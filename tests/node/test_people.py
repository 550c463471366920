"""Passwords, tokens, sessions, roles; and that each of these is in the audit chain."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from node.actions import people
from node.actions.caller import Role
from node.actions.errors import BadInputError, ConflictError, NotFoundError
from node.actions.people import SignedIn, SignInRefused
from node.node import Node
from node.storage import audit
from node.storage.people import Org
from tests.node.nodes import HOSPITAL, ORG, PASSWORD, HandClock, make_node

ADDRESS = "192.0.2.7"


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def node(tmp_path: Path, clock: HandClock, database_url: str) -> Iterator[Node]:
    made = make_node(tmp_path, clock, database=database_url)
    people.enrol_org(made, "test", Org(HOSPITAL, "CH Val-Exemple", "hospital", "FR"))
    add(made, "claire", ORG, "operator")
    add(made, "nadia", HOSPITAL, "hospital")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(people, "_HASHER", quick)


def add(node: Node, login: str, org: str, role: Role, password: str | None = PASSWORD) -> None:
    people.add_person(node, "test", login=login, org=org, role=role, password=password)


def try_sign_in(node: Node, login: str, password: str, address: str = ADDRESS) -> SignInRefused:
    answer = people.sign_in(node, login, password, address)
    assert isinstance(answer, SignInRefused)
    return answer


def signed_in(node: Node, login: str = "claire", password: str = PASSWORD) -> SignedIn:
    answer = people.sign_in(node, login, password, ADDRESS)
    assert isinstance(answer, SignedIn)
    return answer


# ── Who somebody is ──────────────────────────────────────────────────────────────────────────────


def test_staff_come_as_their_node(node: Node) -> None:
    caller = people.caller_named(node, "claire")
    assert (caller.org, caller.party, caller.role) == (ORG, node.me, "operator")
    assert caller.is_staff


def test_hospital_people_come_as_their_hospital(node: Node) -> None:
    caller = people.caller_named(node, "nadia")
    assert (caller.org, caller.party.org, caller.party.kind) == (HOSPITAL, HOSPITAL, "hospital")
    assert caller.party.roles == {"community"}
    assert not caller.is_staff


@pytest.mark.parametrize(
    ("org", "role"),
    [(HOSPITAL, "operator"), (HOSPITAL, "hub_analyst"), (ORG, "hospital"), (ORG, "hub_analyst")],
)
def test_a_role_that_does_not_belong_to_the_organisation_is_refused(
    node: Node, org: str, role: Role
) -> None:
    with pytest.raises(BadInputError, match=r"^role: "):
        add(node, "eve", org, role)


def test_the_hub_has_analysts(tmp_path: Path, clock: HandClock) -> None:
    hub = make_node(tmp_path / "hub", clock, role="hub")
    add(hub, "ana", ORG, "hub_analyst")
    assert people.caller_named(hub, "ana").party.kind == "hub"
    hub.close()


def test_a_login_is_taken_once(node: Node) -> None:
    with pytest.raises(ConflictError, match="claire"):
        add(node, "claire", ORG, "operator")


@pytest.mark.parametrize("login", ["", "Claire", "a b", "x" * 121, "-x", "é"])
def test_a_login_that_people_could_mistake_is_refused(node: Node, login: str) -> None:
    with pytest.raises(BadInputError, match=r"^login: "):
        add(node, login, ORG, "operator")


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 1025])
def test_a_password_too_short_or_too_long_is_refused_unseen(node: Node, password: str) -> None:
    with pytest.raises(BadInputError, match=r"^password: at (least|most) ") as caught:
        add(node, "eve", ORG, "operator", password)
    assert not password or password not in str(caught.value)


def test_nobody_works_for_an_unknown_organisation(node: Node) -> None:
    with pytest.raises(NotFoundError):
        add(node, "eve", "c9e4d1c2-5d2e-4a53-8f44-3a7c8f1b2d10", "hospital")


@pytest.mark.parametrize(
    ("kind", "rule", "field"), [("bank", None, "kind"), ("hospital", "fr-health/9", "enrolment")]
)
def test_an_organisation_of_no_kind_or_under_no_rule_is_refused(
    node: Node, kind: str, rule: str | None, field: str
) -> None:
    with pytest.raises(BadInputError, match=rf"^{field}: "):
        people.enrol_org(node, "test", Org(HOSPITAL, "CH Val-Exemple", kind, "FR", rule))


# ── Passwords and sessions ───────────────────────────────────────────────────────────────────────


def test_the_right_password_opens_a_session(node: Node) -> None:
    signed = signed_in(node)
    assert signed.session.caller == people.caller_named(node, "claire")
    assert people.find_session(node, signed.secret) == signed.session
    assert people.caller_from_session(node, signed.secret) == signed.session.caller
    assert signed.secret not in repr(signed)
    assert signed.session.csrf not in repr(signed)


def test_login_is_read_without_case_and_password_in_any_unicode_spelling(node: Node) -> None:
    add(node, "zoe", ORG, "operator", "caf\u00e9 caf\u00e9 caf\u00e9")
    signed_in(node, " Zoe ", "cafe\u0301 cafe\u0301 cafe\u0301")


def test_wrong_login_and_wrong_password_look_alike(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(node, "robot", ORG, "operator", None)
    add(node, "gone", ORG, "operator")
    people.disable_person(node, "test", "gone")
    hashed: list[str] = []
    matches = people._matches

    def count(known: str, password: str) -> bool:
        hashed.append(known)
        return matches(known, password)

    monkeypatch.setattr(people, "_matches", count)
    answers = {
        try_sign_in(node, "claire", "wrong password").wait,
        try_sign_in(node, "nobody", PASSWORD).wait,
        try_sign_in(node, "robot", PASSWORD).wait,
        try_sign_in(node, "gone", PASSWORD).wait,
        try_sign_in(node, "", "").wait,
    }
    assert answers == {timedelta()}
    assert len(hashed) == 5  # each of them costs one hash


@pytest.mark.parametrize("login", ["claire\0", "\0", "x" * 5000, "cl\ud800aire", "claire'--"])
def test_a_login_that_cannot_be_is_nobodys_and_costs_the_same(
    node: Node, monkeypatch: pytest.MonkeyPatch, login: str
) -> None:
    hashed: list[str] = []
    monkeypatch.setattr(people, "_matches", lambda known, _: hashed.append(known))
    assert try_sign_in(node, login, PASSWORD).wait == timedelta()
    assert hashed == [people._NOBODY]


def test_the_hash_of_nobody_costs_what_a_real_one_costs() -> None:
    assert not PasswordHasher().check_needs_rehash(people._NOBODY)
    assert not people._matches(people._NOBODY, "")


def test_failures_slow_down_one_login_at_one_address_only(node: Node, clock: HandClock) -> None:
    for _ in range(5):
        assert try_sign_in(node, "claire", "wrong password").wait == timedelta()
    assert try_sign_in(node, "claire", PASSWORD).wait == timedelta(seconds=1)
    assert isinstance(people.sign_in(node, "claire", PASSWORD, "198.51.100.1"), SignedIn)
    assert isinstance(people.sign_in(node, "nadia", PASSWORD, ADDRESS), SignedIn)
    clock.turn(seconds=1)
    signed_in(node)


def test_one_good_login_does_not_open_its_address_for_guessing(node: Node) -> None:
    for number in range(50):
        try_sign_in(node, f"user{number}", "wrong password")
        if number == 30:
            signed_in(node)
    assert try_sign_in(node, "user99", "wrong password").wait > timedelta()


def test_a_session_ends(node: Node, clock: HandClock) -> None:
    first, second = signed_in(node), signed_in(node)
    people.sign_out(node, first.secret)
    assert people.find_session(node, first.secret) is None
    assert people.find_session(node, second.secret) is not None
    clock.turn(hours=12)
    assert people.find_session(node, second.secret) is None
    assert people.forget_old_sessions(node) == 1


def test_a_new_password_ends_the_old_one_and_its_sessions(node: Node) -> None:
    signed = signed_in(node)
    people.change_password(node, "test", "claire", "another good password")
    assert people.find_session(node, signed.secret) is None
    try_sign_in(node, "claire", PASSWORD)
    signed_in(node, password="another good password")


# ── Tokens ───────────────────────────────────────────────────────────────────────────────────────


def test_a_token_names_its_holder_as_a_machine(node: Node) -> None:
    caller = people.caller_from_token(node, people.make_token(node, "test", "claire"))
    assert caller is not None
    assert (caller.name, caller.role, caller.org) == ("claire", "operator", ORG)
    assert caller.party.kind == "machine"
    assert caller.party.roles == node.me.roles


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _: "", id="empty"),
        pytest.param(lambda token: token[:-1], id="short"),
        pytest.param(lambda token: token + "0", id="long"),
        pytest.param(str.upper, id="upper case"),
        pytest.param(lambda token: token[:-1] + "10"[int(token[-1] == "1")], id="wrong sum"),
        pytest.param(lambda _: f"isac_{'0' * 64}34b1e4cb", id="unknown, sum right"),
        pytest.param(lambda token: "é" + token, id="not ASCII"),
    ],
)
def test_a_token_that_is_not_quite_right_is_nobody(node: Node, spoil: Callable[[str], str]) -> None:
    token = people.make_token(node, "test", "claire")
    assert people.caller_from_token(node, spoil(token)) is None


def test_tokens_end_by_time_by_revoking_and_with_their_person(node: Node, clock: HandClock) -> None:
    short = people.make_token(node, "test", "claire", life=timedelta(days=1))
    revoked = people.make_token(node, "test", "claire")
    kept = people.make_token(node, "test", "claire")
    people.revoke_token(node, "test", "claire", revoked[:12])
    assert people.caller_from_token(node, short) is not None
    clock.turn(days=1)
    assert people.caller_from_token(node, short) is None
    assert people.caller_from_token(node, revoked) is None
    assert people.caller_from_token(node, kept) is not None
    people.disable_person(node, "test", "claire")
    assert people.caller_from_token(node, kept) is None


def test_revoking_what_is_not_there_is_told(node: Node) -> None:
    with pytest.raises(NotFoundError):
        people.revoke_token(node, "test", "claire", "isac_0000000")


def test_a_disabled_person_is_out_at_once(node: Node) -> None:
    signed = signed_in(node)
    people.disable_person(node, "test", "claire")
    assert people.find_session(node, signed.secret) is None
    with pytest.raises(NotFoundError):
        people.caller_named(node, "claire")
    with pytest.raises(NotFoundError):
        people.make_token(node, "test", "claire")


def test_the_database_holds_no_secret(tmp_path: Path, clock: HandClock) -> None:
    node = make_node(tmp_path, clock)
    add(node, "claire", ORG, "operator")
    token, signed = people.make_token(node, "test", "claire"), signed_in(node)
    node.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("isac.db*"))
    assert b"isac_" in stored  # its prefix, so this looks in the right place
    for secret in (token, token[5:69], signed.secret, PASSWORD):
        assert secret.encode() not in stored


def test_every_act_is_in_the_audit_chain(node: Node) -> None:
    people.make_token(node, "claire", "nadia")
    signed_in(node)
    people.disable_person(node, "claire", "nadia")
    with node.store.read() as unit:
        assert audit.verify(unit.connection).n == 8
        lines = audit.latest(unit.connection, 8)
    assert [(line.actor, line.action) for line in reversed(lines)] == [
        ("program", "rulebook.apply"),
        ("init", "node.init"),
        ("test", "org.enrol"),
        ("test", "person.add"),
        ("test", "person.add"),
        ("claire", "token.make"),
        ("claire", "session.open"),
        ("claire", "person.disable"),
    ]
