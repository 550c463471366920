"""What an operator may set: `node.toml` in the data directory, overruled by ISAC_… variables.

Relative paths start at the data directory. A field that is wrong or unknown stops the start with
its name and the reason; nothing is guessed.
"""

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from node.errors import SettingsError

FILE = "node.toml"
Suite = Literal["ed25519", "ed25519+ml-dsa-65"]


def _as_uuid(text: str) -> str:
    return str(UUID(text))


def _as_base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("not like https://isac.example.org")
    return text.rstrip("/")


def _as_networks(texts: frozenset[str]) -> frozenset[str]:
    return frozenset(str(ip_network(text)) for text in texts)


class Settings(BaseSettings):
    """One node's settings, checked."""

    model_config = SettingsConfigDict(env_prefix="ISAC_", extra="forbid", frozen=True)

    data: Path = Field(description="The data directory: settings, keys, database file.")
    org: Annotated[str, AfterValidator(_as_uuid)] = Field(
        description="This node's organisation: the uuid that the roster knows it by."
    )
    name: str = Field(min_length=1, max_length=200, description="Its name, as people read it.")
    country: str = Field(pattern="^[A-Z]{2}$", description="Its country, ISO 3166-1 alpha-2.")
    role: Literal["national", "hub"] = Field(
        default="national", description="national (hospitals report to it) or hub (ENISA's)."
    )
    base_url: Annotated[str, AfterValidator(_as_base_url)] = Field(
        default="http://127.0.0.1:8080", description="How the outside reaches this node."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8080, ge=1, le=65535, description="Port to listen on.")
    database_url: str = Field(
        default="",
        repr=False,
        description="postgresql://… or sqlite:///PATH; empty: isac.db in the data directory.",
    )
    roster: Path = Field(
        default=Path("roster.json"), description="The members of the federation and their keys."
    )
    suite: Suite = Field(
        default="ed25519",
        description="What signs our statements and recalls: one key, or two that both must hold.",
    )
    rulebook: Literal["", "national", "hub", "community", "closed"] = Field(
        default="",
        description="The shipped rulebook in force from the first start, until another is applied; "
        "empty: the one named like the role.",
    )
    pull_interval_s: float = Field(
        default=60, gt=0, le=86400, description="Seconds between two pulls from one peer."
    )
    peer_day_mib: float = Field(
        default=4096,
        gt=0,
        description="Mebibytes that one peer may bring in a day, a relay of each member; "
        "the rest waits.",
    )
    feed_wait_s: int = Field(
        default=25,
        ge=0,
        le=30,
        description="Seconds that a peer may hold our question until it has something for us; "
        "0: peers are asked at intervals only.",
    )
    project_interval_s: float = Field(
        default=0.5, gt=0, le=60, description="Seconds between two looks at what must be projected."
    )
    relay_hops: int = Field(
        default=1,
        ge=0,
        le=1,
        description="0: nothing received is passed on; 1: GREEN and CLEAR once.",
    )
    allow_hosts: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset(),
        description="host:port of peers that may be called although private or without TLS.",
    )
    tls_client: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(),
        description="PEM files, each a client certificate with its key: the first is shown to "
        "peers, all are pinned in our entry of the roster.",
    )
    trusted_proxies: Annotated[frozenset[str], NoDecode, AfterValidator(_as_networks)] = Field(
        default=frozenset({"127.0.0.1"}),
        description="Addresses of the proxies before this node: what they say of a request's "
        "sender is believed, of nobody else.",
    )
    client_cert_header: str = Field(
        default="",
        pattern="^$|^[A-Za-z][A-Za-z0-9-]{0,63}$",
        description="The header in which these proxies tell a member's client certificate, like "
        "Client-Cert (RFC 9440); empty: pins of members are not checked.",
    )
    announce: Literal["all", "listed", "analyst"] = Field(
        default="analyst",
        description="Urgent events of others are told to local organisations: all at once, at once "
        "those of the members in announce_from, or each when an analyst lets it.",
    )
    announce_from: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset(), description="uuids of members whose urgent events are told at once."
    )
    escalate_after_min: float = Field(
        default=30,
        gt=0,
        le=10080,
        description="Minutes until an alert nobody has acknowledged goes to the second contact.",
    )
    webhook_hosts: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset(),
        description="host:port that webhooks may call although private or without TLS.",
    )
    mail_relay: str = Field(
        default="",
        repr=False,
        pattern=r"^$|^(smtp|starttls|smtps)://",
        description="smtp://, starttls:// or smtps:// [user:password@]host:port; empty: no mail.",
    )
    mail_from: str = Field(default="", description="The sender of our mail.")
    clock_file: Path | None = Field(
        default=None, description="Scenario clock of an exercise; unset: wall time."
    )

    @field_validator(
        "allow_hosts",
        "announce_from",
        "webhook_hosts",
        "tls_client",
        "trusted_proxies",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            [one.strip() for one in value.split(",") if one.strip()]
            if isinstance(value, str)
            else value
        )

    @property
    def database(self) -> str:
        """Give the database's address, the default file where none was set."""
        return self.database_url or f"sqlite:///{self.data / 'isac.db'}"

    @property
    def roster_file(self) -> Path:
        """Give the roster's path, below the data directory unless absolute."""
        return self.data / self.roster

    @property
    def tls_client_paths(self) -> tuple[Path, ...]:
        """Give the paths of our client certificates, below the data directory unless absolute."""
        return tuple(self.data / path for path in self.tls_client)

    @property
    def clock_path(self) -> Path | None:
        """Give the scenario clock's path, or None for wall time."""
        return None if self.clock_file is None else self.data / self.clock_file

    @property
    def rulebook_name(self) -> str:
        """Give the name of the shipped rulebook that decides here at first."""
        return self.rulebook or self.role

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let what the caller says win, then the environment, then the file."""
        del dotenv_settings, file_secret_settings
        data = init_settings()["data"]
        return (
            init_settings,
            env_settings,
            TomlConfigSettingsSource(settings_cls, Path(data) / FILE),
        )


def load_settings(data: Path) -> Settings:
    """Read the settings of the node in `data`.

    Raises:
        SettingsError: one line for each setting at fault: its name, and why.
    """
    if not (data / FILE).exists() and "ISAC_ORG" not in os.environ:
        raise SettingsError(f"no node in {data}: make one with `isac init`, or say --data")
    try:
        return Settings(data=data.absolute())
    except ValidationError as error:
        raise SettingsError("\n".join(_lines(data, error))) from None
    except ValueError as error:  # TOML that does not parse
        raise SettingsError(f"{data / FILE}: {error}") from error


def _lines(data: Path, error: ValidationError) -> list[str]:
    """Say what is wrong without repeating the value: a database address holds a password."""
    missing = "" if (data / FILE).exists() else f" ({data / FILE} is not there: `isac init`?)"
    return [
        f"setting {'.'.join(map(str, fault['loc']))}: {fault['msg']}{missing}"
        for fault in error.errors(include_input=False, include_url=False)
    ]
