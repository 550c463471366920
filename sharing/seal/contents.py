"""What slots say, as far as the seal cares: each is one I-JSON object, and no thing is there twice.

A thing is named by its kind and the `uuid` in its head; an edit voids the old record first (§2.1).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import compress, islice

import orjson

from sharing.errors import UnreadableError
from sharing.seal.disclosure import Disclosure
from sharing.seal.records import SlotType
from sharing.seal.strictjson import AT_ONCE, read_objects


def check_contents(disclosure: Disclosure) -> None:
    """Check every disclosed slot; raises UnreadableError that repeats nothing of a slot."""
    heads, others = defaultdict[int, list[bytes]](list), list[bytes]()
    for band in disclosure.bands:
        for slot, slot_type in enumerate(band.header.types):
            texts = heads[band.header.kind] if slot_type == SlotType.HEAD else others
            texts += filter(None, disclosure.column(band, slot))
    check_slots(others)
    things = Things()
    for kind, texts in heads.items():
        for objects in read_objects(texts):
            things.add(kind, _uuids(objects))


def check_slots(texts: Sequence[bytes]) -> None:
    """Check that each is one I-JSON object."""
    for _ in read_objects(texts):
        pass


def read_uuids(heads: Sequence[bytes]) -> list[str | None]:
    """Check these slots; the `uuid` each has, in lower case, or None."""
    return [uuid for objects in read_objects(heads) for uuid in _uuids(objects)]


def known_uuids(heads: Iterable[bytes]) -> list[str | None]:
    """The same of slots that were checked before."""
    coming = iter(heads)
    return [
        uuid
        for few in iter(lambda: b",".join(islice(coming, AT_ONCE)), b"")
        for uuid in _uuids(orjson.loads(b"[%b]" % few))
    ]


def _uuids(values: Iterable[Mapping[str, object]]) -> list[str | None]:
    uuids = [value.get("uuid") for value in values]
    texts = [uuid.lower() if isinstance(uuid, str) else None for uuid in uuids]
    if texts.count(None) != uuids.count(None):
        raise UnreadableError("uuid is not a text")
    return texts


def things_of(disclosure: Disclosure) -> dict[int, dict[str, int]]:
    """Index by kind and uuid of the disclosed things, whose slots were checked before."""
    things = defaultdict[int, dict[str, int]](dict)
    for band in disclosure.bands:
        if band.header.types[0] == SlotType.HEAD:
            indices = disclosure.indices[band.rank : band.rank + band.length]
            heads = disclosure.column(band, 0)
            known = list(compress(indices, heads))
            named = zip(known_uuids(filter(None, heads)), known, strict=True)
            things[band.header.kind].update((uuid, at) for uuid, at in named if uuid is not None)
    return dict(things)


def check_new(
    added: Mapping[int, Collection[str | None]],
    kept: Disclosure,
    known: Mapping[int, Mapping[str, int]],
) -> None:
    """Check that no thing among `added` is one of `known` that is kept; raises UnreadableError."""
    for kind, uuids in added.items():
        before = known.get(kind, {})
        twice = [before[uuid] for uuid in uuids if uuid is not None and uuid in before]
        if any(map(kept.holds_head, twice)):
            raise UnreadableError(f"two live records of kind {kind} with one uuid")


class Things:
    """The live things of a log that were seen so far."""

    def __init__(self) -> None:
        self._seen = dict[int, set[str]]()

    def add(self, kind: int, uuids: Sequence[str | None]) -> None:
        """Take note of things of one kind; raises UnreadableError for one that is there already."""
        named = [uuid for uuid in uuids if uuid is not None]
        seen = self._seen.setdefault(kind, set())
        expected = len(seen) + len(named)
        seen.update(named)
        if len(seen) != expected:
            raise UnreadableError(f"two live records of kind {kind} with one uuid")
