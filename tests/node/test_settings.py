import re
from pathlib import Path

import pytest

from node import settings as settings_module
from node.errors import SettingsError
from node.settings import FILE, Settings, load_settings

ORG = "0f0e0d0c-0b0a-4908-8706-050403020100"
GOOD = f'org = "{ORG}"\nname = "Node FR"\ncountry = "FR"\n'


def read(data: Path, text: str) -> Settings:
    (data / FILE).write_text(text)
    return load_settings(data)


def test_three_facts_make_a_node(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD)
    assert (settings.org, settings.country, settings.role) == (ORG, "FR", "national")
    assert settings.database == f"sqlite:///{tmp_path}/isac.db"
    assert settings.roster_file == tmp_path / "roster.json"
    assert settings.clock_path is None
    assert settings.rulebook_name == "national"


def test_the_environment_overrules_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISAC_PORT", "9000")
    monkeypatch.setenv("ISAC_ALLOW_HOSTS", "127.0.0.1:9001, 127.0.0.1:9002")
    settings = read(tmp_path, GOOD + "port = 8081\n")
    assert settings.port == 9000
    assert settings.allow_hosts == {"127.0.0.1:9001", "127.0.0.1:9002"}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('org = "x"\nname = "n"\ncountry = "FR"\n', "org"),
        (GOOD.replace("FR", "fr"), "country"),
        (GOOD + "port = 0\n", "port"),
        (GOOD + 'role = "king"\n', "role"),
        (GOOD + 'base_url = "ftp://x"\n', "base_url"),
        (GOOD + 'base_url = "https://x/?a=b"\n', "base_url"),
        (GOOD + 'allow_host = ["x"]\n', "allow_host"),
        (GOOD + "relay_hops = 2\n", "relay_hops"),
        (GOOD + "feed_wait_s = 31\n", "feed_wait_s"),
        (GOOD + 'trusted_proxies = ["*"]\n', "trusted_proxies"),
        (GOOD + 'client_cert_header = "a b"\n', "client_cert_header"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, field: str) -> None:
    with pytest.raises(SettingsError, match=f"^setting {field}: "):
        read(tmp_path, text)


def test_all_wrong_settings_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, GOOD + "port = 0\npull_interval_s = 0\n")
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "setting port",
        "setting pull_interval_s",
    ]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no node in .*isac init"):
        load_settings(tmp_path)


def test_broken_toml_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"node\.toml: .*line 1"):
        read(tmp_path, "org = \n")


def test_the_database_address_is_never_shown(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD + 'database_url = "postgresql://isac:hunter2@db/isac"\n')
    assert "hunter2" not in repr(settings)
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, GOOD + 'database_url = ["postgresql://isac:hunter2@db/isac"]\n')
    assert "hunter2" not in str(caught.value)


def test_every_setting_says_what_it_is_and_is_in_the_readme() -> None:
    assert all(field.description for field in Settings.model_fields.values())
    readme = (Path(settings_module.__file__).parent / "README.md").read_text()
    table = readme.partition("## Settings")[2].partition("\n## ")[0]
    named = re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    assert named == list(Settings.model_fields)
