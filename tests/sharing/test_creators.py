"""Which texts name somebody, however they spell it."""

import pytest

from sharing.creators import LEFT_OUT, naming, without_names

NAME = "Hôpital Saint-Éloi"


@pytest.mark.parametrize(
    "text",
    [
        "Phishing at Hôpital Saint-Éloi",
        "HOPITAL SAINT ELOI",
        "hopital\n  saint-eloi.",
        "vpn.hopital-saint-eloi.example",
        "seen_at_HopitalSaintEloi",
        "ho\u0302pital saint-e\u0301loi",
        "\uff28\uff4fpital Saint-Eloi",
    ],
)
def test_a_name_is_known_in_every_spelling(text: str) -> None:
    assert naming([NAME])(text)
    left = without_names({"a": [text, 1]}, [NAME])
    assert LEFT_OUT in str(left)
    assert not naming([NAME])(str(left))


@pytest.mark.parametrize(
    "text", ["Hôpital", "Saint-Éloi", "xHopitalSaintEloi", "Hôpital Saint-Éloienne", ""]
)
def test_less_than_a_name_and_longer_words_are_none(text: str) -> None:
    assert not naming([NAME])(text)
    assert without_names(text, [NAME]) == text


@pytest.mark.parametrize("names", [[], [""], ["--"], [" . "]])
def test_a_name_without_a_word_names_nobody(names: list[str]) -> None:
    assert not naming(names)("anything at all -- . ")
    assert without_names("a -- b", names) == "a -- b"


@pytest.mark.timeout(60)  # a second at most; what goes back over a text takes minutes
@pytest.mark.parametrize("text", ["hopital " * 60_000, "hopital" + "-" * 500_000, "h" * 500_000])
def test_no_long_text_is_gone_through_twice(text: str) -> None:
    assert not naming([NAME, "a.b|c(d)*", "x " * 500])(text)
