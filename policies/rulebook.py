"""From Cedar text to a `Rulebook` that can be asked.

A rulebook is the floor plus a node's own policies, checked as a whole and digested as a whole. It
is refused unless every policy has an id of its own and a reason a person understands, and unless
each name in it means something: a rule that can never match is a leak waiting for its day.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import cast
from uuid import UUID

from cedarpy import PolicySet, Schema, pst, validate_policies

from policies.errors import BadRulebookError
from policies.party import Party
from policies.release import Need, read_needs
from policies.subject import Subject

_ID = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9]+)*")
_ENGINE_PREFIX = re.compile(r"^for policy `policy\d+`[:,] ")
_FLOOR = "floor."
_RESERVED = (_FLOOR, "default.")
_WHO = ("Party", "Role", "Community")

SHIPPED = {"national": "1", "hub": "1", "community": "1", "closed": "1"}
"""The rulebooks that come with the program, with their versions."""

# Nothing is held back on arrival: holding is the sender's affair, so both actions are permitted.
_INGRESS = """
@id("ingress")
@reason("what the floor does not forbid may come in")
permit (principal, action in [Action::"disclose", Action::"unattended"], resource);
"""


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy as people see it: its id, and the sentence that says what it is for.

    `needs` is what a release of what it holds takes beside an operator. `rule` is what it says,
    without any of these: two policies with one rule decide alike.
    """

    id: str
    reason: str
    needs: frozenset[Need]
    rule: pst.Template = field(repr=False, compare=False)

    @property
    def permits(self) -> bool:
        """Whether it is an agreement, and not a prohibition or a hold."""
        return self.rule.effect == "permit"

    @property
    def is_floor(self) -> bool:
        """Whether the program brings it, and no rulebook can be without it."""
        return self.id.startswith(_FLOOR)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A checked rulebook; only `read_rulebook` makes one.

    `policies` maps the engine's own ids to ours. `named` are the uuids and roles that some policy
    names, `read` the facts that some policy reads ("principal.country"): parties that differ in
    nothing of these are one class, and so are slots (D15). `digest` is 64 hex digits over floor,
    schema and text.
    """

    name: str
    version: str
    text: str = field(repr=False)
    digest: str
    policies: Mapping[str, Policy] = field(repr=False, compare=False)
    named: frozenset[str] = field(repr=False, compare=False)
    read: frozenset[str] = field(repr=False, compare=False)
    engine: PolicySet = field(repr=False, compare=False)

    def needs_of(self, ids: Iterable[str]) -> frozenset[Need]:
        """Return what a release takes of what these policies, by their @id, hold together."""
        held = frozenset(ids)
        by = (policy.needs for policy in self.policies.values() if policy.id in held)
        return frozenset[Need]().union(*by)

    def party_class(self, party: Party) -> Party:
        """Return the party without what these policies cannot tell of it."""
        return replace(
            party,
            org=party.org if party.org in self.named else "",
            country=party.country if "principal.country" in self.read else "",
            roles=party.roles & self.named,
            communities=party.communities & self.named,
            hosts=party.hosts if "principal.hosts" in self.read else frozenset(),
        )

    def subject_class(self, subject: Subject) -> Subject:
        """Return the slot without what these policies cannot tell of it; 0 is no kind, no type."""
        kind = subject.kind if "resource.kind" in self.read else 0
        slot_type = subject.type if "resource.type" in self.read else 0
        if (kind, slot_type) == (subject.kind, subject.type):
            return subject
        return replace(subject, kind=kind, type=slot_type)


def read_rulebook(text: str, *, name: str, version: str) -> Rulebook:
    """Check a node's policies together with the floor.

    Raises:
        BadRulebookError: names the policy at fault and says why.
    """
    own = _parse(text, name)
    for number, policy in enumerate(own, start=1):
        _check_names(policy, number, name)
    whole = _shipped_text("floor.cedar") + "\n" + text
    policies = _parse(whole, name)
    _check_ids_differ(policies, name)
    _check_against_schema(whole, policies, name)
    return Rulebook(
        name=name,
        version=version,
        text=text,
        digest=_digest(_shipped_text("floor.cedar"), _shipped_text("schema.cedarschema"), text),
        policies={p.id: _policy(p) for p in policies},
        named=frozenset(uid.id for p in policies for kind in _WHO for uid in _uids(p, kind)),
        read=frozenset(fact for p in policies for node in _nodes(p) for fact in _facts_read(node)),
        engine=PolicySet.from_str(whole),
    )


def shipped(name: str) -> Rulebook:
    """Return a rulebook that comes with the program, by its name in `SHIPPED`.

    Raises:
        BadRulebookError: none of that name is shipped.
    """
    if name not in SHIPPED:
        raise BadRulebookError(name, "name", f"shipped are {', '.join(sorted(SHIPPED))}")
    text = _shipped_text(f"rulebooks/{name}.cedar")
    return read_rulebook(text, name=name, version=SHIPPED[name])


def ingress_rulebook() -> Rulebook:
    """Return the floor alone, for asking about what arrives with ourselves as the party (D8)."""
    return read_rulebook(_INGRESS, name="ingress", version="1")


@cache
def schema() -> Schema:
    """Return the schema, parsed once."""
    return Schema.from_str(_shipped_text("schema.cedarschema"))


@cache
def _shipped_text(path: str) -> str:
    return resources.files("policies").joinpath(path).read_text(encoding="utf-8")


def _parse(text: str, name: str) -> list[pst.Template]:
    """Return the policies in the order of the text."""
    try:
        parsed = PolicySet.from_str(text).to_pst()
    except ValueError as error:
        raise BadRulebookError(name, _place_of_fault(text), f"cannot be read: {error}") from error
    if parsed.templates:
        shape = next(iter(parsed.templates.values()))
        label = shape.annotations.get("id", "a template")
        raise BadRulebookError(name, label, "has a ?slot, and nothing here fills one")
    return [parsed.static_policies[f"policy{i}"] for i in range(len(parsed.static_policies))]


def _place_of_fault(text: str) -> str:
    """Return the id, or else the line, of the first policy that cannot be read.

    The engine does not say where it stopped, so look for the longest start that it can read.
    """
    readable = 0
    for end in (found.end() for found in re.finditer(";", text)):
        with suppress(ValueError):
            PolicySet.from_str(text[:end])
            readable = end
    rest = text[readable:]
    if named := re.search(r'@id\s*\(\s*"([^"]+)"\s*\)', rest):
        return named[1]
    return f"line {text.count(chr(10), 0, readable + len(rest) - len(rest.lstrip())) + 1}"


def _policy(policy: pst.Template) -> Policy:
    said = policy.annotations
    rule = replace(policy, id="", annotations=pst.FrozenMap())
    return Policy(said["id"], said["reason"], read_needs(said.get("needs", "")), rule)


def _check_names(policy: pst.Template, number: int, name: str) -> None:
    """Refuse a policy without id or reason, or naming what cannot be."""
    policy_id = policy.annotations.get("id", "")
    if not policy_id:
        raise BadRulebookError(name, f"policy {number}", "has no @id")
    if not _ID.fullmatch(policy_id):
        raise BadRulebookError(name, policy_id, "an @id is lower-case words joined by . or -")
    if policy_id.startswith(_RESERVED):
        raise BadRulebookError(name, policy_id, "only the program's own ids start so")
    if not policy.annotations.get("reason", "").strip():
        raise BadRulebookError(name, policy_id, "has no @reason")
    try:
        read_needs(policy.annotations.get("needs", ""))
    except ValueError as error:
        raise BadRulebookError(name, policy_id, f"@needs: {error}") from error
    for uid in _uids(policy, "Slot"):
        raise BadRulebookError(
            name, policy_id, f"names the slot {uid.id}; slots have no names here"
        )
    for uid in [*_uids(policy, "Party"), *_uids(policy, "Community")]:
        if not _is_uuid(uid.id):
            raise BadRulebookError(name, policy_id, f"{uid} is not a lower-case uuid")
    if any(isinstance(node, pst.HasAttr) for node in _nodes(policy)):
        raise BadRulebookError(name, policy_id, "asks `has`, but every attribute is always there")


def _check_ids_differ(policies: list[pst.Template], name: str) -> None:
    seen: set[str] = set()
    for policy in policies:
        policy_id = policy.annotations["id"]
        if policy_id in seen:
            raise BadRulebookError(name, policy_id, "two policies have this @id")
        seen.add(policy_id)


def _check_against_schema(text: str, policies: list[pst.Template], name: str) -> None:
    ids = {policy.id: policy.annotations["id"] for policy in policies}
    for fault in validate_policies(text, schema()).errors:
        policy_id = ids.get(fault.policy_id, "text")
        raise BadRulebookError(name, policy_id, _ENGINE_PREFIX.sub("", fault.error))


def _digest(*parts: str) -> str:
    """Return SHA-256 over the parts' own SHA-256, so that no text moves across a border."""
    return sha256(b"".join(sha256(part.encode()).digest() for part in parts)).hexdigest()


def _uids(policy: pst.Template, of_type: str) -> list[pst.EntityUid]:
    return [uid for uid in pst.entity_uids(policy) if str(uid.type) == of_type]


def _facts_read(node: object) -> Iterator[str]:
    """Yield the fact that a node of a policy reads; where it is not plain of whom, of everybody."""
    match node:
        case pst.GetAttr(base=pst.Var(name=owner), attr=name):
            yield f"{owner}.{name}"
        case pst.GetAttr(attr=name):
            yield from (f"principal.{name}", f"resource.{name}")
        case _:
            pass


def _nodes(root: object) -> Iterator[object]:
    """Yield every node of a parsed policy."""
    yield root
    if isinstance(root, Mapping):
        parts: list[object] = list(cast("Mapping[str, object]", root).values())
    elif isinstance(root, tuple):
        parts = list(cast("tuple[object, ...]", root))
    elif is_dataclass(root):
        parts = [getattr(root, part.name) for part in fields(root)]
    else:
        parts = []
    for part in parts:
        yield from _nodes(part)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
