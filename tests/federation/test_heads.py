"""Heads: any number of logs is told in answers that fit, and no answer can go on for ever."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from federation.call import Reply
from federation.errors import BadReplyError
from federation.heads import HEADS_TYPE, ToldHead, read_heads, that_fit, write_heads
from tests.federation.strategies import BE, FR, NOW, REGISTRY, nonce, signer

HYBRID_RECALL = b"r" * 7000  # bytes of an envelope with an ML-DSA-65 signature, in base64


def heads(count: int, recall: bytes | None = None) -> list[ToldHead]:
    return [ToldHead(str(UUID(int=n, version=4)), 0, n, recall) for n in range(count)]


def told(
    page: Sequence[ToldHead], *, more: bool, after: str | None
) -> tuple[tuple[ToldHead, ...], bool]:
    """What FR reads of an answer that BE wrote."""
    body = write_heads(page, me=BE, to=FR, nonce=nonce(), more=more, signer=signer(BE))
    reply = Reply(200, {"content-type": HEADS_TYPE}, body)
    read = read_heads(
        reply, after=after, sender=BE, me=FR, nonce=nonce(), registry=REGISTRY, now=NOW
    )
    assert read is not None
    return read


@pytest.mark.parametrize(
    ("count", "recall"), [(0, None), (1, HYBRID_RECALL), (2500, None), (100, HYBRID_RECALL)]
)
def test_any_number_of_logs_is_told_in_answers_that_fit(count: int, recall: bytes | None) -> None:
    left, got, more = heads(count, recall), list[ToldHead](), True
    while more:
        page = that_fit(left)
        after = got[-1].event if got else None
        read, more = told(page, more=len(left) > len(page), after=after)
        assert read or not more
        got, left = [*got, *read], left[len(read) :]
    assert got == heads(count, recall)


def test_heads_that_would_never_end_are_refused() -> None:
    one, two, three = heads(3)
    assert told([two, three], more=True, after=one.event) == ((two, three), True)
    for page, after in ([three, two], None), ([one], one.event), ([one], two.event):
        with pytest.raises(BadReplyError, match="out of order"):
            told(page, more=True, after=after)
