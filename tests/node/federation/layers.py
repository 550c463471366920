"""Bytes as somebody curious would read them: unpacked, decoded, unescaped, as deep as it goes."""

import base64
import binascii
import html
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

import zstandard

_MAX_BYTES = 64 << 20
_DEEP = 5
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){12,}")
_ESCAPED = re.compile(rb"\\u([0-9a-fA-F]{4})")


@dataclass
class Layers:
    """Gives each layer of what it is shown once; what it has seen before is not read again."""

    _seen: set[bytes] = field(default_factory=set)

    def of(self, data: bytes, depth: int = 0) -> Iterator[bytes]:
        """The bytes themselves, and whatever is packed, encoded or escaped in them."""
        if data in self._seen or depth > _DEEP:
            return
        self._seen.add(data)
        yield data
        packed = list[bytes]()
        with suppress(zipfile.BadZipFile, zlib.error, zstandard.ZstdError, ValueError):  # no such
            packed += _unpacked(data)
        for inside in (*packed, *_unescaped(data), *_decoded(data)):
            yield from self.of(inside, depth + 1)


def _unpacked(data: bytes) -> Iterator[bytes]:
    """What zstd, gzip or zip hold."""
    match data[:4]:
        case b"\x28\xb5\x2f\xfd":
            reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data))
            yield reader.read(_MAX_BYTES)
        case b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for name in archive.namelist():
                    yield name.encode()
                    yield archive.read(name)
        case start if start[:2] == b"\x1f\x8b":
            yield zlib.decompress(data, wbits=31)
        case _:
            pass


def _unescaped(data: bytes) -> Iterator[bytes]:
    if b"\\u" in data:
        yield _ESCAPED.sub(lambda found: chr(int(found[1], 16)).encode("utf-8", "replace"), data)
    if b"%" in data:
        yield unquote_to_bytes(data)
    if b"&" in data:
        yield html.unescape(data.decode("utf-8", "replace")).encode()


def _decoded(data: bytes) -> Iterator[bytes]:
    """Runs of base64, wherever they begin, and of hex."""
    for run in set(_HEX.findall(data)):
        yield binascii.unhexlify(run)
    for run in set(_BASE64.findall(data)):
        plain = run.translate(bytes.maketrans(b"-_", b"+/"))
        for start in range(4):
            tail = plain[start:]
            whole = tail[: len(tail) - (len(tail) % 4 == 1)]
            yield base64.b64decode(whole + b"=" * (-len(whole) % 4))


def windows(layers: Iterable[bytes], size: int) -> frozenset[bytes]:
    """Every run of so many bytes in them, to look many up at once."""
    return frozenset(
        layer[at : at + size] for layer in layers for at in range(len(layer) - size + 1)
    )
