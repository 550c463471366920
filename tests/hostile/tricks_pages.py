"""What a hostile member gives instead of a page: refused as a whole, nothing of it is used."""

import time
from collections.abc import Iterator
from dataclasses import replace

import orjson

from federation.wire import ITEMS_CAP, MEDIA_TYPE, Op
from tests.federation.strategies import put_line, signer
from tests.hostile.forging import LIFE, OTHER_LIFE, Forger, Item, org_of, put, sealed
from tests.hostile.raw import MIB, Heard, reply
from tests.hostile.trick import BOMB, HONEST, SHARED, Tricks, Wire, gibibyte, head, packed, page

METADATA = "https://169.254.169.254"

PAGES = Tricks()
trick = PAGES.add


# ── The page: refused as a whole ─────────────────────────────────────────────────────────────────


@trick("check 2, signature")
def signs_with_a_key_of_another_member(me: Forger, heard: Heard) -> Wire:
    feed = replace(me.feed, signer=signer(org_of(HONEST)))
    return page(me.page(heard.asked, [put(sealed(me.name))], feed=feed))


@trick("check 2, signature")
def changes_the_trailer_after_signing(me: Forger, heard: Heard) -> Wire:
    lines = me.page(heard.asked, [put(sealed(me.name))]).splitlines()
    trailer = orjson.loads(lines[-1])
    was = trailer["signatures"][0]["sig"]
    trailer["signatures"][0]["sig"] = was[:10] + ("A" if was[10] != "A" else "B") + was[11:]
    return page(b"\n".join([*lines[:-1], orjson.dumps(trailer)]) + b"\n")


@trick("check 2, from")
def signs_in_the_name_of_another_member(me: Forger, heard: Heard) -> Wire:
    feed = replace(me.feed, me=org_of(HONEST))
    return page(me.page(heard.asked, [put(sealed(me.name))], feed=feed))


@trick("check 2, to")
def gives_the_page_of_another_recipient(me: Forger, heard: Heard) -> Wire:
    feed = replace(me.feed, peer=org_of(HONEST))
    return page(me.page(heard.asked, [put(sealed(me.name))], feed=feed))


@trick("check 2, nonce")
def replays_a_page(me: Forger, heard: Heard) -> Wire:
    return page(me.page(heard.asked, [put(sealed(me.name))], nonce="A" * 22))


@trick("check 2, header")
def answers_with_a_foreign_cursor(me: Forger, heard: Heard) -> Wire:
    return page(me.page(heard.asked, cursor="foreign"))


@trick("check 2, after")
def starts_beyond_the_place_asked_for(me: Forger, heard: Heard) -> Wire:
    return page(me.page(heard.asked, [put(sealed(me.name), 9)], after=5))


@trick("check 2, after")
def passes_a_push_off_as_a_page(me: Forger, heard: Heard) -> Wire:
    return page(me.page(heard.asked, [put(sealed(me.name))], after=None))


@trick("check 2, incarnation")
def goes_on_in_another_life(me: Forger, heard: Heard) -> Wire:
    feed = replace(me.feed, incarnation=OTHER_LIFE if heard.asked.cursor else LIFE)
    items = [] if heard.asked.cursor else [put(sealed(me.name))]
    return page(me.page(heard.asked, items, feed=feed))


@trick("check 2, root")
def changes_an_item_line_after_signing(me: Forger, heard: Heard) -> Wire:
    signed = me.page(heard.asked, [put(sealed(me.name), urgent=False)])
    return page(signed.replace(b'"urgent":false', b'"urgent":true', 1))


@trick("check 2, count")
def leaves_out_an_item_that_it_signed(me: Forger, heard: Heard) -> Wire:
    item = put(sealed(me.name), raw=b"")
    line = replace(item.line, op=Op.WITHDRAW, digest=None)
    signed = me.page(heard.asked, [Item(line)])
    return page(signed.replace(line.write() + b"\n", b""))


@trick("check 2, order")
def repeats_a_place(me: Forger, heard: Heard) -> Wire:
    items = [replace_op(put(sealed(me.name), 3)), replace_op(put(sealed(me.name), 3))]
    return page(me.page(heard.asked, items))


@trick("check 1, too-many-items")
def sends_more_items_than_were_asked_for(me: Forger, heard: Heard) -> Wire:
    line = put_line(SHARED, 1)
    rows = (replace(line, op=Op.WITHDRAW, digest=None, pos=pos) for pos in range(1, 203))
    lines = [row.write() for row in rows]
    assert len(lines) > ITEMS_CAP
    head, *_, trailer = me.page(heard.asked).splitlines()
    return page(b"\n".join([head, *lines, trailer]) + b"\n")


def replace_op(item: Item) -> Item:
    """The item as a withdrawal, which has no bytes."""
    return Item(replace(item.line, op=Op.WITHDRAW, digest=None))


# ── The body: refused before it is a page ────────────────────────────────────────────────────────


@trick("unpacks to more than")
def sends_a_zip_bomb(me: Forger, heard: Heard) -> Wire:
    return page(BOMB, "Content-Encoding: zstd")


@trick("not a zstd frame with a window of at most 8 MiB")
def asks_for_a_window_of_two_gibibytes(me: Forger, heard: Heard) -> Wire:
    return page(packed(bytes(MIB), window_log=31), "Content-Encoding: zstd")


@trick("not exactly one whole zstd frame")
def ends_in_the_middle_of_a_frame(me: Forger, heard: Heard) -> Wire:
    return page(packed(me.page(heard.asked))[:-4], "Content-Encoding: zstd")


@trick("check 1, long-line")
def nests_100000_deep(me: Forger, heard: Heard) -> Wire:
    return page(b'{"fed":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n")


@trick("nested deeper than 32")
def nests_as_deep_as_a_line_is_long(me: Forger, heard: Heard) -> Wire:
    return page(b'{"fed":' + b"[" * 32_000 + b"]" * 32_000 + b"}\n")


@trick("sent more than")
def sends_a_line_of_a_gibibyte(me: Forger, heard: Heard) -> Wire:
    return gibibyte(head() + b'{"fed":"', b"A")


@trick("announces")
def announces_a_gibibyte_and_sends_little(me: Forger, heard: Heard) -> Wire:
    return head(MEDIA_TYPE, f"Content-Length: {1 << 30}") + b"{"


@trick("broke off")
def hangs_up_before_it_has_said_what_it_announced(me: Forger, heard: Heard) -> Wire:
    return head(MEDIA_TYPE, "Content-Length: 5000") + b"{"


@trick("broke off")
def sends_chunks_that_are_none(me: Forger, heard: Heard) -> Wire:
    return head(MEDIA_TYPE, "Transfer-Encoding: chunked") + b"zz\r\n{}\r\n\xff\xfe\r\n"


@trick("broke off")
def says_something_else_than_http(me: Forger, heard: Heard) -> Wire:
    return b"220 mail.example.org ESMTP\r\n"


@trick("broke off")
def sends_headers_without_end(me: Forger, heard: Heard) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    for number in range(1 << 20):
        yield f"X-{number}: {'y' * 1000}\r\n".encode()


@trick("did not answer in time")
def dribbles_its_headers(me: Forger, heard: Heard) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nX-Slow: "
    yield from dribble()


@trick("did not answer in time")
def dribbles_its_body(me: Forger, heard: Heard) -> Iterator[bytes]:
    yield head()
    yield from dribble()


@trick("did not answer in time")
def says_nothing(me: Forger, heard: Heard) -> Iterator[bytes]:
    time.sleep(80)
    yield b""


def dribble() -> Iterator[bytes]:
    """One byte a second."""
    for _ in range(80):
        time.sleep(1)
        yield b"x"


@trick("another content type")
def answers_in_another_content_type(me: Forger, heard: Heard) -> Wire:
    return reply(me.page(heard.asked), "text/html; charset=utf-8")


@trick("another content type")
def answers_a_gibibyte_of_another_content_type(me: Forger, heard: Heard) -> Wire:
    return gibibyte(head("application/octet-stream"))


@trick("an encoding that was not asked for")
def answers_in_gzip(me: Forger, heard: Heard) -> Wire:
    return page(b"\x1f\x8b\x08\x00" + bytes(100), "Content-Encoding: gzip")


@trick("answered with status 302")
def redirects_to_the_metadata_service(me: Forger, heard: Heard) -> Wire:
    to = f"Location: {METADATA}/latest/meta-data/"
    return reply(b"", MEDIA_TYPE, to, status="302 Found")


@trick("answered with status 500")
def fails_with_a_gibibyte(me: Forger, heard: Heard) -> Wire:
    return gibibyte(head(status="500 No"))


@trick("which is not a public address", base_url=METADATA)
def stands_at_the_metadata_service(me: Forger, heard: Heard) -> Wire:
    raise AssertionError("nobody is asked there")


@trick("is not https and not among the allowed hosts", base_url="http://127.0.0.1:9")
def stands_at_a_port_of_the_victim_itself(me: Forger, heard: Heard) -> Wire:
    raise AssertionError("nobody is asked there")
