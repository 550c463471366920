import json
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.tlp import Pap, Tlp, is_pap_tag, is_tlp_tag, read_pap, read_tlp
from tests.policies.tags import COLOURS, PAP, TLP, claims, dressed, strange

SPELLINGS = {
    Tlp.CLEAR: [
        "tlp:clear",
        "TLP:CLEAR",
        "tlp:white",
        "TLP:WHITE",
        "white",
        "Clear",
        "TLP WHITE",
        "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
        "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
        "marking-tlp--94868c89-83c2-464b-929b-a1a8aa3c8487",
    ],
    Tlp.GREEN: [
        "tlp:green",
        "TLP: Green",
        "green",
        "tlp-green",
        '"tlp:green"',
        "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
        "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    ],
    Tlp.AMBER: [
        "tlp:amber",
        "[TLP:AMBER]",
        "(tlp:amber)",
        " amber ",
        "tlp_amber",
        'tlp="amber"',
        "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        "marking-definition--F88D31F6-486f-44da-b317-01333bde0b82",
    ],
    Tlp.AMBER_STRICT: [
        "tlp:amber+strict",
        "TLP:AMBER+STRICT",
        "TLP:AMBER STRICT",
        "TLP AMBER STRICT",
        "amber+strict",
        "amber-strict",
        "AMBER_STRICT",
        "TLP_AMBER_STRICT",
        "tlp:amber + strict",
        "TLP:AMBER\u00a0STRICT",
        "amberstrict",
        "TLP:AMBER-STRICT",
        "ＴＬＰ：ＡＭＢＥＲ＋ＳＴＲＩＣＴ",
        "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    ],
    Tlp.RED: [
        "tlp:red",
        "TLP:RED",
        "red",
        "TLP : RED",
        "{tlp:red}",
        "\u200btlp:\u00adred\ufeff",
        "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
    ],
}
UNREADABLE = [
    "",
    "tlp",
    "tlp:",
    "tlp:unclear",
    "tlp:ex:chr",
    "tlp:rainbow",
    "tlp:strict",
    "tlp:red+strict",
    "tlp:amber+strict+",
    "tlp:amber+",
    "tlp:amber,tlp:red",
    "tlp:green red",
    "tlp:tlp:green",
    "pap:green",
    "tlp:clea\u0433",
    "tlp:gr\u00ebn",
    "tlp1",
    "1",
    "marking-definition--00000000-0000-4000-8000-000000000000",
]


@pytest.mark.parametrize(
    ("text", "tlp"), [(text, tlp) for tlp, texts in SPELLINGS.items() for text in texts]
)
def test_every_spelling_in_use_is_read(text: str, tlp: Tlp) -> None:
    assert read_tlp(text) is tlp


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_spells_no_colour_is_not_guessed(text: str) -> None:
    assert read_tlp(text) is None


@given(st.text())
def test_any_text_gives_a_colour_or_none(text: str) -> None:
    assert read_tlp(text) in {None, *Tlp}
    assert read_pap(text) in {None, *Pap}


@pytest.mark.parametrize(
    ("tlp", "word", "tag", "title"),
    [
        (Tlp.CLEAR, "clear", "tlp:clear", "TLP:CLEAR"),
        (Tlp.GREEN, "green", "tlp:green", "TLP:GREEN"),
        (Tlp.AMBER, "amber", "tlp:amber", "TLP:AMBER"),
        (Tlp.AMBER_STRICT, "amber+strict", "tlp:amber+strict", "TLP:AMBER+STRICT"),
        (Tlp.RED, "red", "tlp:red", "TLP:RED"),
    ],
)
def test_one_spelling_is_written(tlp: Tlp, word: str, tag: str, title: str) -> None:
    assert (tlp.word, tlp.tag, tlp.title) == (word, tag, title)


@given(st.sampled_from(Tlp))
def test_what_is_written_is_read_back(tlp: Tlp) -> None:
    for written in (tlp.word, tlp.tag, tlp.title, tlp.marking):
        assert read_tlp(written) is tlp


def test_colours_are_ordered_from_clear_to_red() -> None:
    assert [tlp.name for tlp in sorted(Tlp)] == ["CLEAR", "GREEN", "AMBER", "AMBER_STRICT", "RED"]
    assert [pap.name for pap in sorted(Pap)] == ["CLEAR", "GREEN", "AMBER", "RED"]


@pytest.mark.parametrize(
    ("text", "pap"),
    [
        ("PAP:RED", Pap.RED),
        ("pap:amber", Pap.AMBER),
        ("PAP: Green", Pap.GREEN),
        ("PAP:WHITE", Pap.CLEAR),
        ("clear", Pap.CLEAR),
        ("PAP:AMBER+STRICT", None),
        ("tlp:red", None),
        ("PAP:PINK", None),
        ("PAP RED", Pap.RED),
        ("pap=amber", Pap.AMBER),
        ("ＰＡＰ：ＧＲＥＥＮ", Pap.GREEN),
        ("marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92", Pap.CLEAR),
        ("marking-definition--a3bea94c-b469-41dc-9cfe-d6e7daba7730", Pap.CLEAR),
        ("marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9", Pap.GREEN),
        ("marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab", Pap.AMBER),
        ("marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e", Pap.RED),
        ("marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", None),  # TLP:RED
        ("740d36e5-7714-4c30-961a-3ae632ceee0e", None),
    ],
)
def test_pap_is_read_like_tlp(text: str, pap: Pap | None) -> None:
    assert read_pap(text) is pap


@given(st.sampled_from(Pap))
def test_pap_is_written_as_its_taxonomy_writes_it(pap: Pap) -> None:
    assert pap.tag == pap.title == f"PAP:{pap.word.upper()}"
    assert read_pap(pap.tag) is read_pap(pap.word) is pap


def test_a_tag_about_tlp_is_known_even_if_unreadable() -> None:
    tags = ["tlp:red", "TLP:unclear", "tlp:ex:chr", "TLPAMBER", "[tlp:red]", "\u200btlp:red"]
    assert all(is_tlp_tag(tag) for tag in [*tags, Tlp.RED.marking])
    assert not any(is_tlp_tag(tag) for tag in ["red", "misp:tlp", "pap:red", ""])


@pytest.mark.parametrize(
    "tag",
    [
        "#tlp:red",
        "<tlp:red>",
        "misp:tlp=red",
        "misp:tlp:unclear",
        "traffic-light-protocol:red",
        "Traffic Light Protocol",
        "pap:red;tlp:red",
        "eutlp-red",
        "T.L.P. RED",
        "t\u034flp:red",
        "tl\x0bp:red",
        "tlp:r\ufe0fed!",
        "\u3164tlp:red",
        "\u03c4lp:red",
        "\u0442lp:red",
        "TL\u0420:RED",
        "\U0001f1f9\U0001f1f1\U0001f1f5 red",
        "tIp:red",
        "t1p:red",
        "stix:marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
        "TIP:RED",
        "t\u0406p:red",
        "t|p:red",
        "t!p red",
        "t\u00a6p:red",
        "7lp:red",
        "\u22a4LP:red",
        "tl\u00fe:red",
        "t\u4e28p:red",
        "red:tlp",
        "RED (TLP)",
        "AMBER+STRICT (TLP)",
        "Traffic Light: RED",
        "traffic-light=amber",
        'tlp:red="x"',
        "TLP:RED+STRICT",
        "TLP 2.0 RED",
        "TLP v2: AMBER",
        "tlp:rouge",
        "misp:tlp=\u7ea2",
        "T.L.P. rot",
    ],
)
def test_what_looks_like_a_tlp_tag_and_is_none_we_read_is_one_without_meaning(tag: str) -> None:
    assert is_tlp_tag(tag)
    assert read_tlp(tag) is None


@pytest.mark.parametrize(
    "tag",
    [
        "tip:redirected",
        "tip",
        "tip of the day: reduce",
        "dst-ip:redirected",
        "multiple reds",
        "T. L. Parker",
        "lp:red",
        "typ:red",
        "red traffic light",
        "\u7ea2\u8272 red",
        "misp:tlp",
        "type:RAT",
        "red team",
        'admiralty-scale:source-reliability="a"',
        "\u043a\u0440\u0430\u0441\u043d\u044b\u0439",
        "traffic light",
        "T1059.001 PowerShell",
    ],
)
def test_other_tags_stay_other_tags(tag: str) -> None:
    assert not is_tlp_tag(tag)


@given(strange())
def test_what_people_take_for_a_tag_the_table_and_the_reader_agree_on(tag: str) -> None:
    assert is_tlp_tag(tag) is claims(TLP, tag)
    assert is_pap_tag(tag) is claims(PAP, tag)


@given(st.sampled_from(COLOURS).flatmap(lambda c: st.tuples(st.just(c), dressed(f"tlp:{c}"))))
def test_dress_hides_no_colour_and_makes_no_other(given_: tuple[str, str]) -> None:
    colour, tag = given_
    assert is_tlp_tag(tag)
    assert read_tlp(tag) in {None, read_tlp(colour)}


@pytest.mark.parametrize(
    "tag",
    [
        "PAP:PINK",
        "pap = amber",
        "PAP RED",
        "pap_green",
        '"PAP:WHITE"',
        "[pap:red]",
        "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e",
        "stix:marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e",
        "#pap:red",
        "(PAP) red",
        "pap.red",
        "P.A.P: RED",
        "P.A.P: PINK",
        "PAP RED!",
        "PAP v3: RED",
        "Red (PAP)",
        "amber:pap",
        "AMBER STRICT PAP",
        "p@p:red",
        "p4p red",
        "\u0440\u0430\u0440 red",
        "Permissible Actions Protocol: RED",
        "permissible-action-protocol:pink",
        "Permissible Actions: RED",
    ],
)
def test_a_tag_about_pap_is_known_even_if_unreadable(tag: str) -> None:
    assert is_pap_tag(tag)


@pytest.mark.parametrize(
    "tag",
    [
        "paper",
        "paper red",
        "pap smear",
        "pap smear clear",
        "pap test",
        "pap",
        "papillon",
        "papillon rouge",
        "CPAP red",
        "bipap: green",
        "PAP reduced",
        "AP: red",
        "(AP) Red Cross",
        "p2p red",
        "permissible actions",
        "tlp:red",
        "red",
    ],
)
def test_what_only_sounds_like_pap_is_no_tag_about_it(tag: str) -> None:
    assert not is_pap_tag(tag)


@pytest.mark.parametrize("ask", [is_tlp_tag, is_pap_tag])
@pytest.mark.parametrize(
    "part", ["t", "t.", "7 1 ", "red", "tip.", "pap ", "v", "\u2020", "|", "light "]
)
def test_a_long_tag_is_read_once_and_not_once_more_from_each_of_its_signs(
    ask: Callable[[str], bool], part: str
) -> None:
    start = process_time()
    ask("pap" + part * 100_000)
    ask("t" + part * 100_000)
    assert process_time() - start < 5  # a quarter of a second; hours, if its square


def test_no_tag_of_the_real_events_is_taken_for_one_of_a_colour(shared_data: Path) -> None:
    files = sorted((shared_data / "real" / "misp-events").glob("*.json"))
    names = {name for file in files for name in names_of_tags(json.loads(file.read_bytes()))}
    assert len(names) > 100
    assert [name for name in sorted(names) if is_tlp_tag(name) or is_pap_tag(name)] == []


def names_of_tags(of: object) -> Iterator[str]:
    """The names of all tags in a MISP document."""
    if isinstance(of, dict):
        yield from (tag["name"] for tag in of.get("Tag", []))
        yield from names_of_tags(list(of.values()))
    elif isinstance(of, list):
        for each in of:
            yield from names_of_tags(each)


@given(st.sampled_from(Tlp), st.sampled_from(["{}", "[{}]", '"{}"', " {}\n", "\u200b{}\ufeff"]))
def test_what_spells_a_colour_with_its_scale_is_known_as_a_tag(tlp: Tlp, shape: str) -> None:
    for written in (tlp.tag, tlp.title, tlp.marking):
        assert read_tlp(shape.format(written)) is tlp
        assert is_tlp_tag(shape.format(written))
