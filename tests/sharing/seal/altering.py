"""Ways to alter a package or a delta, and what comes of it: tables of them are in the tests."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sharing.errors import RefusedError
from sharing.seal.canonical import read_base64, write_base64
from sharing.seal.holding import Holding
from sharing.seal.verify import Recipient
from tests.sharing.seal.notary import verified

Alteration = Callable[[bytes], bytes]
Row = tuple[str, int, Alteration]  # the case, the check that refuses it, and how it is made
Json = dict[str, Any]


def rows(table: Sequence[Row]) -> pytest.MarkDecorator:
    """A test for each row, which is called by its case."""
    names = [name for name, _, _ in table]
    assert len(set(names)) == len(names)
    return pytest.mark.parametrize(("check", "alter"), [row[1:] for row in table], ids=names)


def refused_by(read: Callable[[bytes], object], raw: bytes) -> int:
    """The check that refuses these bytes, with one line that says so."""
    with pytest.raises(RefusedError) as refused:
        read(raw)
    assert "\n" not in str(refused.value)
    return refused.value.check


def refusal(raw: bytes, *, held: Holding | None = None, me: Recipient | None = None) -> str:
    """Check and reason with which these bytes are refused."""
    with pytest.raises(RefusedError) as refused:
        verified(raw, held=held, me=me)
    assert str(refused.value) == f"check {refused.value.check}: {refused.value.reason}"
    return str(refused.value)


def with_head(raw: bytes, change: Callable[[Json], object]) -> bytes:
    """Line 0 with what `change` did to its members."""
    line, rest = raw.split(b"\n", 1)
    head: Json = json.loads(line)
    change(head)
    return json.dumps(head, separators=(",", ":")).encode() + b"\n" + rest


def both(*alterations: Alteration) -> Alteration:
    """One after the other."""

    def alter(raw: bytes) -> bytes:
        for alteration in alterations:
            raw = alteration(raw)
        return raw

    return alter


def put(name: str, value: object) -> Alteration:
    """Another value of a member, or one more member."""
    return lambda raw: with_head(raw, lambda head: head.update({name: value}))


def lacking(name: str) -> Alteration:
    """Without this member."""
    return lambda raw: with_head(raw, lambda head: head.pop(name))


def turn(name: str, change: Callable[[Any], object]) -> Alteration:
    """What `change` makes of a member."""
    return lambda raw: with_head(raw, lambda head: head.update({name: change(head[name])}))


def decoded(name: str, change: Callable[[bytes], bytes]) -> Alteration:
    """What `change` makes of the bytes of a member in base64."""
    return turn(name, lambda text: write_base64(change(read_base64(text))))


def lines(change: Callable[[list[bytes]], list[bytes]]) -> Alteration:
    """What `change` makes of the lines behind the head."""

    def alter(raw: bytes) -> bytes:
        head, *others = raw.split(b"\n")[:-1]
        return b"\n".join([head, *change(others), b""])

    return alter


def text(old: bytes, new: bytes) -> Alteration:
    """One text in place of another, which is there."""

    def alter(raw: bytes) -> bytes:
        assert old in raw
        return raw.replace(old, new, 1)

    return alter


def flipped(raw: bytes) -> bytes:
    """The same with a bit of its last byte turned."""
    return raw[:-1] + bytes((raw[-1] ^ 1,))


def spelled_otherwise(encoded: str) -> str:
    """Base64 of the same bytes that nobody would write: a bit set that stands for nothing."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    bare = encoded.rstrip("=")
    assert bare != encoded
    return bare[:-1] + letters[letters.index(bare[-1]) ^ 1] + "=" * (len(encoded) - len(bare))
