"""What a hostile member puts into a good page, into its repair and its roster."""

from dataclasses import replace
from datetime import timedelta

from federation.feed import FEED_PATH, PACKAGES_PATH
from federation.gossip import GOSSIP_TYPE, ROSTER_PATH, Gossip, write_gossip
from federation.repair_lines import REPAIR_PATH
from federation.transfer import OutboxSet
from federation.wire import Op
from policies.label import Label
from policies.tlp import Tlp
from sharing.event import Audience
from sharing.seal.holding import Holding
from sharing.seal.maps import MaskRun
from sharing.seal.package import write_package
from sharing.seal.recall import Recall, make_recall
from tests.federation.strategies import put_line, signer
from tests.hostile.forging import VICTIM, Forger, Item, now, org_of, put, sealed
from tests.hostile.raw import Heard, reply
from tests.hostile.rooted import roster_of
from tests.hostile.trick import (
    HELD,
    HONEST,
    LOG,
    SHARED,
    Tricks,
    Wire,
    gibibyte,
    head,
    offering,
    page,
)

ITEMS = Tricks()
trick = ITEMS.add

# ── The item: put in quarantine alone ────────────────────────────────────────────────────────────


def held(me: Forger, label: Label | None = None, audience: Audience | None = None) -> Holding:
    return sealed(me.name, label=label, audience=audience or Audience())


@trick("grammar", check=3)
def says_what_fed_1_does_not_know(me: Forger, heard: Heard) -> Wire:
    item = put(held(me), raw=b"")
    return offering(me, heard, Item(replace(item.line, size=0, hops=99)))


@trick("our own log", check=3)
def gives_the_victim_a_log_of_its_own(me: Forger, heard: Heard) -> Wire:
    return offering(me, heard, put(held(me), origin=VICTIM, hops=1))


@trick("unasked", check=3)
def relays_without_being_asked(me: Forger, heard: Heard) -> Wire:
    return offering(me, heard, put(SHARED, hops=1))


@trick("hops", check=3)
def poses_as_the_originator_of_a_foreign_log(me: Forger, heard: Heard) -> Wire:
    return offering(me, heard, put(held(me), origin=org_of(HONEST), event=SHARED.statement.event))


@trick("of another log", check=5, role="hub")
def reuses_a_foreign_uuid_in_anothers_name(me: Forger, heard: Heard) -> Wire:
    mine = sealed(me.name, event=SHARED.statement.event)
    return offering(me, heard, put(mine, origin=org_of(HONEST), hops=1))


@trick("recall: by another than the originator", check=5)
def recalls_a_foreign_log(me: Forger, heard: Heard) -> Wire:
    org, event = org_of(me.name), SHARED.statement.event
    envelope = make_recall(Recall(event, org, 0, 1, "error", now()), [signer(org, "seal")])
    line = replace(put_line(SHARED, 1, hops=1), op=Op.RECALL, digest=None, recall=envelope)
    return offering(me, heard, Item(line))


@trick("equivocation", check=5)
def seals_two_statements_for_one_version(me: Forger, heard: Heard) -> Wire:
    place = me.place(heard.asked)
    event = SHARED.statement.event  # its own log of that uuid: another log
    return page(
        me.page(heard.asked, [put(sealed(me.name, f"Take {place}", event=event), place + 1)])
    )


@trick("not addressed", check=5)
def gives_amber_that_names_somebody_else(me: Forger, heard: Heard) -> Wire:
    amber = held(me, Label(Tlp.AMBER), Audience(frozenset({org_of(HONEST)})))
    return offering(me, heard, put(amber))


@trick("not addressed", check=5)
def gives_amber_that_names_nobody(me: Forger, heard: Heard) -> Wire:
    return offering(me, heard, put(held(me, Label(Tlp.AMBER))))


@trick("not addressed", check=5)
def gives_red(me: Forger, heard: Heard) -> Wire:
    return offering(me, heard, put(held(me, Label(Tlp.RED))))


@trick("widened-by-relay", check=7, role="hub")
def relays_amber_even_to_who_is_named(me: Forger, heard: Heard) -> Wire:
    amber = sealed(HONEST, label=Label(Tlp.AMBER), audience=Audience(frozenset({VICTIM})))
    return offering(me, heard, put(amber, hops=1))


@trick("seal check", check=5)
def widens_a_label(me: Forger, heard: Heard) -> Wire:
    amber = held(me, Label(Tlp.AMBER))
    raw = write_package(amber)
    assert b'"tlp":"amber"' in raw
    return offering(me, heard, put(amber, raw=raw.replace(b'"tlp":"amber"', b'"tlp":"green"')))


@trick("seal check", check=5)
def strips_a_label(me: Forger, heard: Heard) -> Wire:
    amber = held(me, Label(Tlp.AMBER))
    bare = amber.narrowed({index: mask for index, mask in amber.masks.items() if index})
    return offering(me, heard, put(bare))


@trick("compromised", check=5, compromised_since="2026-01-01T00:00:00Z")
def backdates_what_a_stolen_key_seals(me: Forger, heard: Heard) -> Wire:
    old = sealed(me.name, at=now().replace(year=2025) - timedelta(days=1))
    return offering(me, heard, put(old))


@trick("a log of type report", check=5)
def shares_a_report_that_never_travels(me: Forger, heard: Heard) -> Wire:
    return offering(me, heard, put(sealed(me.name, log="report")))


@trick("another projection than the item names", check=6)
def gives_less_than_it_names(me: Forger, heard: Heard) -> Wire:
    whole = held(me)
    last = max(whole.masks)
    less = whole.narrowed({index: mask for index, mask in whole.masks.items() if index != last})
    return offering(me, heard, put(whole, raw=write_package(less)))


@trick("seal check", check=5)
def gives_a_package_with_a_head_100000_deep(me: Forger, heard: Heard) -> Wire:
    deep = b'{"fise":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n{}\n"
    return offering(me, heard, put(held(me), raw=deep))


@trick("seal check", check=5, answers=(FEED_PATH, PACKAGES_PATH))
def gives_a_delta_that_leads_from_nowhere_to_nothing(me: Forger, heard: Heard) -> Wire:
    if heard.path.startswith(FEED_PATH):
        erased = (MaskRun(0, 1, 1),)
        return offering(me, heard, put(held(me), raw=b"{}\n", base="0" * 64, erase=erased))
    return reply(b"no package\n", "application/vnd.fisn.disclosure+ndjson")


# ── Repair: what its feed adds up to ─────────────────────────────────────────────────────────────


@trick("comparing failed", where="repair", answers=(FEED_PATH, REPAIR_PATH))
def adds_up_to_something_and_answers_nonsense_when_asked(me: Forger, heard: Heard) -> Wire:
    if heard.path.startswith(FEED_PATH):
        return page(me.page(heard.asked, outbox=OutboxSet(5, "ab" * 32)))
    return reply(b"[" * 100_000, "application/vnd.fisn.repair")


# ── The roster ───────────────────────────────────────────────────────────────────────────────────


@trick("signature", where=LOG, role="hub", answers=(ROSTER_PATH,))
def forges_a_roster(me: Forger, heard: Heard) -> Wire:
    return gossip(roster_of(HELD + 1, by="a thief without the key"))


@trick("equivocation: two rosters", where=LOG, role="hub", answers=(ROSTER_PATH,))
def gives_another_roster_of_the_same_version(me: Forger, heard: Heard) -> Wire:
    return gossip(roster_of(HELD, issued_ago=timedelta(hours=2)))


@trick("rollback: roster 1 is older than 2", where=LOG, role="hub", answers=(ROSTER_PATH,))
def gives_a_stale_roster(me: Forger, heard: Heard) -> Wire:
    return gossip(roster_of(HELD - 1))


@trick("form", where=LOG, role="hub", answers=(ROSTER_PATH,))
def nests_a_roster_100000_deep(me: Forger, heard: Heard) -> Wire:
    return reply(b'{"roots":' + b"[" * 100_000 + b"]" * 100_000 + b"}", GOSSIP_TYPE)


@trick("sent more than", where=LOG, role="hub", answers=(ROSTER_PATH,))
def gives_a_roster_of_a_gibibyte(me: Forger, heard: Heard) -> Wire:
    return gibibyte(head(GOSSIP_TYPE), b"[")


def gossip(roster: bytes) -> bytes:
    return reply(write_gossip(Gossip((), roster)), GOSSIP_TYPE)
