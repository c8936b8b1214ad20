"""Settings: read once, checked whole, frozen; the only module that reads the environment."""

from __future__ import annotations

import difflib
import os
import secrets
import tomllib
from collections.abc import Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from monitor.errors import SettingsError

PREFIX = "MONITOR_"
LANGUAGES = ("en",)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def _local_zone() -> str:
    from tzlocal import get_localzone_name

    try:
        name = get_localzone_name()
    except (LookupError, ValueError, OSError):
        return "UTC"
    return name if name in available_timezones() else "UTC"


class Settings(BaseModel):
    """What this installation is told. Defaults, then `monitor.toml`, then `MONITOR_*`, then flags."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    home: Path = Field(Path("var"), description="Folder for the database, mail and the secret key")
    database_url: SecretStr = Field(SecretStr(""), description="SQLite or PostgreSQL; default is SQLite in the home")
    ncbi_email: str | None = Field(
        None, description="Contact address that NCBI asks for; without it PubMed is not asked"
    )
    ncbi_api_key: SecretStr | None = Field(None, description="NCBI API key: 10 requests a second instead of 3")
    eutils_url: str = Field("https://eutils.ncbi.nlm.nih.gov/entrez/eutils/", description="Where E-utilities answer")
    mail_url: SecretStr = Field(
        SecretStr(""), description="smtps://, smtp:// or file:DIR; default is a folder in the home"
    )
    mail_from: str = Field("Evidence Monitor <monitor@localhost>", description="Sender of every mail")
    mail_reply_to: str | None = Field(None, description="A person who reads answers")
    mail_plain_relays: tuple[str, ...] = Field((), description="Relays that may be spoken to without TLS, by name")
    public_url: str = Field("http://127.0.0.1:8000", description="Address of the web pages as mails name it")
    timezone: str = Field(default_factory=_local_zone, description="Zone of polls and of new subscriptions")
    language: str = Field("en", description="Language of new subscriptions")
    digest_name: str = Field("NK evidence", description="First words of every subject")
    poll_hour: int = Field(6, ge=0, le=23, description="Local hour of the daily poll")
    first_poll_days: int = Field(30, ge=1, le=3650, description="How far a topic's first poll looks back")
    reconcile_days: int = Field(30, ge=1, le=366, description="Days between full reconciliations of a topic")
    secret_key: SecretStr = Field(SecretStr(""), description="Signs links and bounce addresses; made at first start")

    @field_validator("eutils_url", "public_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{value!r} is not an http(s) address")
        if parts.username or parts.query or parts.fragment:
            raise ValueError("must be a plain address without user, query or fragment")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK and parts.hostname.endswith("nih.gov"):
            raise ValueError("NCBI is only asked over https")
        return value.rstrip("/")

    @field_validator("ncbi_email", "mail_from", "mail_reply_to")
    @classmethod
    def _mail_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        address = parseaddr(value)[1]
        if address.count("@") != 1 or not all(address.split("@")) or any(c in value for c in "\r\n"):
            raise ValueError(f"{value!r} is not a mail address")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            near = difflib.get_close_matches(value, available_timezones(), 1)
            raise ValueError(f"{value!r} is not a time zone" + (f"; did you mean {near[0]}?" if near else ""))
        return value

    @field_validator("language")
    @classmethod
    def _language(cls, value: str) -> str:
        if value not in LANGUAGES:
            raise ValueError(f"{value!r} is not available; choose from {', '.join(LANGUAGES)}")
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: SecretStr) -> SecretStr:
        scheme = value.get_secret_value().split(":", 1)[0]
        if value.get_secret_value() and scheme.split("+")[0] not in ("sqlite", "postgresql"):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @field_validator("mail_url")
    @classmethod
    def _mail(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and not text.startswith(("smtp://", "smtps://", "file:")):
            raise ValueError("must begin with smtp://, smtps:// or file:")
        return value

    @model_validator(mode="after")
    def _in_the_home(self) -> Self:
        home = self.home.expanduser().absolute()
        derived: dict[str, Any] = {"home": home}
        if not self.database_url.get_secret_value():
            derived["database_url"] = SecretStr(f"sqlite:///{home / 'monitor.db'}")
        if not self.mail_url.get_secret_value():
            derived["mail_url"] = SecretStr(f"file:{home / 'mail'}")
        for name, value in derived.items():
            object.__setattr__(self, name, value)
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def load(config: Path | None = None, environ: Mapping[str, str] | None = None, **flags: object) -> Settings:
    """Read all sources and return checked settings.

    Flags that are None were not given. Raises SettingsError with every problem found, one sentence each.
    """
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    values = _from_file(config, problems) | _from_environment(environ, problems)
    values |= {name: value for name, value in flags.items() if value is not None}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        for each in error.errors():
            name = str(each["loc"][0]) if each["loc"] else "settings"
            problems.append(f"{PREFIX}{name.upper()}: {each['msg'].removeprefix('Value error, ')}")
        raise SettingsError(problems) from None
    if problems:
        raise SettingsError(problems)
    return settings


def with_secret_key(settings: Settings) -> Settings:
    """Return settings with a secret key, reading or making `secret-key` (mode 0600) in the home where none was given."""
    if settings.secret_key.get_secret_value():
        return settings
    path = settings.home / "secret-key"
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = path.read_text(encoding="ascii").strip()
        else:
            key = secrets.token_urlsafe(32)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(key + "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{PREFIX}HOME: cannot keep a secret key in {path}: {error}"]) from error
    if not key:
        raise SettingsError([f"{path} is empty; delete it to have a new key made"])
    return settings.model_copy(update={"secret_key": SecretStr(key)})


def _from_file(config: Path | None, problems: list[str]) -> dict[str, object]:
    path = config or Path("monitor.toml")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if config is not None:
            problems.append(f"--config: {path} does not exist")
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{path}: {error}")
        return {}
    for name in sorted(set(values) - set(Settings.model_fields)):
        problems.append(f"{path}: {name!r} is not a setting{_suggest(name)}")
        del values[name]
    return values


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        value = environ[variable]
        if name.endswith("_file") and name.removesuffix("_file") in Settings.model_fields:
            name = name.removesuffix("_file")
            if PREFIX + name.upper() in environ:
                problems.append(f"{variable}: {PREFIX}{name.upper()} is set too; keep one")
                continue
            try:
                value = Path(value).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                problems.append(f"{variable}: {error}")
                continue
        if name not in Settings.model_fields:
            problems.append(f"{variable} is not a setting{_suggest(name)}")
        elif name == "mail_plain_relays":
            values[name] = tuple(part for part in value.replace(",", " ").split())
        elif value or name in ("database_url", "mail_url", "secret_key"):
            values[name] = value
    return values


def _suggest(name: str) -> str:
    near = difflib.get_close_matches(name, Settings.model_fields, 1)
    return f"; did you mean {near[0]}?" if near else ""
