"""What a peer may not have handed us, whatever its own rules said (decisions.md D8).

The floor is asked once more with ourselves as the party, own, client and released false, and
nothing but the floor to forbid: so a source is protected by the receiver's floor too.
"""

from datetime import UTC, datetime
from functools import cache

from policies.decide import Effect, Judge
from policies.party import Party
from policies.rulebook import ingress_rulebook
from sharing.errors import RefusedError
from sharing.project import project
from sharing.seal.holding import Holding
from sharing.verdicts import Standing, Verdict

_CHECK = 7
_AFTER_EVERY_EMBARGO = datetime.max.replace(tzinfo=UTC)
_RELAYED = {"floor.relay"}


def refuse_unaddressed(holding: Holding, me: Party, hops: int) -> None:
    """Refuse a received holding that discloses a slot it should not have disclosed to us.

    Embargoes are the sender's to keep; here every one counts as over.

    Raises:
        RefusedError: check 7, `not-addressed` or `widened-by-relay`, with the floor's id.
    """
    standing = Standing(own=False, client=False, direct=hops == 0, published=True)
    judged = project(holding, me, standing, _judge(), (), _AFTER_EVERY_EMBARGO)
    refused = (v for v in judged.verdicts if v.decision.effect is not Effect.DISCLOSE)
    wrong = next(refused, None)
    if wrong is not None:
        raise RefusedError(_CHECK, _reason(wrong))


@cache
def _judge() -> Judge:
    return Judge(ingress_rulebook())


def _reason(verdict: Verdict) -> str:
    ids = [reason.id for reason in verdict.decision.reasons]
    what = "widened-by-relay" if set(ids) & _RELAYED else "not-addressed"
    return f"{what}: record {verdict.index} slot {verdict.slot_type} ({', '.join(ids)})"
