"""From Cedar text to a `Rulebook` that can be asked.

A rulebook is the floor plus a node's own policies, checked as a whole and digested as a whole. It
is refused unless every policy has an id of its own and a reason a person understands, and unless
each name in it means something: a rule that can never match is a leak waiting for its day.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from importlib import resources
from itertools import pairwise
from uuid import UUID

from cedarpy import PolicySet, Schema, pst, validate_policies

from policies.bounds import TextError, policy_ends
from policies.errors import BadRulebookError
from policies.parsed import facts_read, nodes_of
from policies.party import Party
from policies.printable import printable, told
from policies.release import Need, read_needs
from policies.subject import Subject

_ID = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9]+)*")
_ENGINE_PREFIX = re.compile(r"^for policy `policy\d+`[:,] ")
_ANNOTATIONS = ("id", "needs", "reason")
_CALCULATES = frozenset({"add", "sub", "mul", "neg"})
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

    @property
    def own(self) -> tuple[Policy, ...]:
        """Its policies without the floor's."""
        return tuple(policy for policy in self.policies.values() if not policy.is_floor)

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
        _check_annotations(policy, number, name)
        _check_names(policy, name)
    whole = _shipped_text("floor.cedar") + "\n" + text
    read = _read(whole).static_policies
    policies = [read[f"policy{n}"] for n in range(len(read))]  # in the order of the text
    _check_ids_differ(policies, name)
    _check_against_schema(whole, policies, name)
    return Rulebook(
        name=name,
        version=version,
        text=text,
        digest=_digest(_shipped_text("floor.cedar"), _shipped_text("schema.cedarschema"), text),
        policies={p.id: _policy(p) for p in policies},
        named=frozenset(uid.id for p in policies for kind in _WHO for uid in _uids(p, kind)),
        read=frozenset(fact for p in policies for node in nodes_of(p) for fact in facts_read(node)),
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
    """Return the policies of a text that nobody has looked at yet.

    One by one, since the engine does not say where it stopped.
    """
    try:
        ends = policy_ends(text)
    except TextError as error:
        label = _label(text, error.start, error.at)
        raise BadRulebookError(name, label, str(error)) from error
    policies: list[pst.Template] = []
    for start, end in pairwise([0, *ends]):
        try:
            parsed = _read(text[start:end])
        except ValueError as error:
            fault = f"cannot be read: {told(str(error))}"
            raise BadRulebookError(name, _label(text, start, end), fault) from error
        if parsed.templates:
            fault = "has a ?slot, and nothing here fills one"
            raise BadRulebookError(name, _label(text, start, end), fault)
        policies += parsed.static_policies.values()
    return policies


def _read(text: str) -> pst.PolicySet:
    return PolicySet.from_str(text).to_pst()


def _label(text: str, start: int, end: int) -> str:
    """Return the id of the policy that begins there, or else the line."""
    policy = text[start:end]
    named = re.search(r'@id\s*\(\s*"([^"]+)"\s*\)', policy)
    if named and _ID.fullmatch(named[1]):
        return named[1]
    before = start + len(policy) - len(policy.lstrip())
    return f"line {text.count(chr(10), 0, before) + 1}"


def _policy(policy: pst.Template) -> Policy:
    said = policy.annotations
    rule = replace(policy, id="", annotations=pst.FrozenMap())
    return Policy(said["id"], said["reason"], read_needs(said.get("needs", "")), rule)


def _check_annotations(policy: pst.Template, number: int, name: str) -> None:
    """Refuse a policy without id or reason, or with an annotation that means nothing.

    Nothing typed is repeated unless it is a plain word: it may be about a patient.
    """
    policy_id = policy.annotations.get("id", "")
    if not policy_id:
        raise BadRulebookError(name, f"policy {number}", "has no @id")
    if not _ID.fullmatch(policy_id):
        fault = "an @id is lower-case words joined by . or -"
        raise BadRulebookError(name, f"policy {number}", fault)
    if policy_id.startswith(_RESERVED):
        raise BadRulebookError(name, policy_id, "only the program's own ids start so")
    if not policy.annotations.get("reason", "").strip():
        raise BadRulebookError(name, policy_id, "has no @reason")
    for each in sorted(policy.annotations.keys() - set(_ANNOTATIONS)):
        known = ", ".join(f"@{known}" for known in _ANNOTATIONS)
        fault = f"@{printable(each)} means nothing; known are {known}"
        raise BadRulebookError(name, policy_id, fault)
    if "needs" in policy.annotations and (fault := _fault_of_needs(policy)):
        raise BadRulebookError(name, policy_id, f"@needs: {fault}")


def _check_names(policy: pst.Template, name: str) -> None:
    """Refuse a policy naming what cannot be."""
    policy_id = policy.annotations["id"]
    if _uids(policy, "Slot"):
        raise BadRulebookError(name, policy_id, "names a slot; slots have no names here")
    for uid in [*_uids(policy, "Party"), *_uids(policy, "Community")]:
        if not _is_uuid(uid.id):
            fault = f'{uid.type}::"{printable(uid.id)}" is not a lower-case uuid'
            raise BadRulebookError(name, policy_id, fault)
    nodes = list(nodes_of(policy))
    if any(isinstance(node, pst.HasAttr) for node in nodes):
        raise BadRulebookError(name, policy_id, "asks `has`, but every attribute is always there")
    if any(isinstance(n, pst.BinaryOp | pst.UnaryOp) and n.op in _CALCULATES for n in nodes):
        fault = "calculates, and what is too large for that would end every question in a fault"
        raise BadRulebookError(name, policy_id, f"{fault}: compare with what is written")


def _fault_of_needs(policy: pst.Template) -> str:
    """Return what is wrong with a policy's @needs; empty: nothing."""
    words = policy.annotations["needs"].split()
    unknown = [word for word in words if word not in set(Need)]
    if unknown or not words:
        fault = f"{printable(' '.join(unknown))} is none" if unknown else "names none"
        return f"{fault}; known are {', '.join(sorted(Need))}"
    actions = {uid.id for uid in pst.entity_uids(policy.action) if str(uid.type) == "Action"}
    if policy.effect != "forbid" or "unattended" not in actions or "disclose" in actions:
        return 'stands only with a hold: forbid with action == Action::"unattended"'
    return ""


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
        raise BadRulebookError(name, policy_id, told(_ENGINE_PREFIX.sub("", fault.error)))


def _digest(*parts: str) -> str:
    """Return SHA-256 over the parts' own SHA-256, so that no text moves across a border."""
    return sha256(b"".join(sha256(part.encode()).digest() for part in parts)).hexdigest()


def _uids(policy: pst.Template, of_type: str) -> list[pst.EntityUid]:
    return [uid for uid in pst.entity_uids(policy) if str(uid.type) == of_type]


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
