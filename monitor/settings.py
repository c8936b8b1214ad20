"""Settings: read once, checked whole, frozen; the only module that reads the environment."""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
import secrets
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, unquote, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from monitor.core.address import read_address
from monitor.errors import SettingsError, UsageError

PREFIX = "MONITOR_"
LANGUAGES = ("en", "zh-Hans")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
NAME_MAX = 60
"""Longer digest names would leave no room in a subject."""
KEY_MIN = 16
HOME_FILE = "settings.toml"
"""Within the home; the pages write it, and it counts for less than everything else but defaults."""
KEPT = ("mail_url", "mail_from", "ncbi_email", "ncbi_api_key")
"""What the pages may set, and what takes effect without a new start."""
_EVERYBODYS = frozenset(
    {"host", "cookie", "authorization", "origin", "referer", "user-agent", "accept", "from", "via", "forwarded",
     "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
)  # fmt: skip

Check = Callable[[Mapping[str, object]], Iterable[str]]
"""Looks at the values as they were given and names problems that this module cannot know of."""


def _local_zone() -> str:
    from tzlocal import get_localzone_name

    try:
        name = get_localzone_name()
    except (LookupError, ValueError, OSError):
        return "UTC"
    return name if name in available_timezones() else "UTC"


class Settings(BaseModel):
    """What this installation is told. Defaults, then what the pages keep in the home, then `monitor.toml`, then
    `MONITOR_*`, then flags."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    home: Path = Field(
        Path("var"), validate_default=True, description="Folder for the database, mail and the secret key"
    )
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
    proxy_header: str | None = Field(None, description="Header in which a proxy in front names who is signed in there")
    proxy_addresses: tuple[str, ...] = Field((), description="Addresses or networks of proxies that are believed")
    secret_key: SecretStr = Field(SecretStr(""), description="Signs links and bounce addresses; made at first start")

    @field_validator("home", mode="before")
    @classmethod
    def _place(cls, value: object) -> Path:
        try:
            return Path(str(value)).expanduser().absolute()
        except RuntimeError:
            raise ValueError("names the home of a user who is not here") from None

    @field_validator("eutils_url", "public_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        # The value may hold a password, so no message repeats it.
        try:
            parts = urlsplit(value.strip())
            host, _port = parts.hostname, parts.port
        except ValueError:
            raise ValueError("is not an http(s) address") from None
        if parts.scheme not in ("http", "https") or not host or any(c.isspace() for c in value.strip()):
            raise ValueError("is not an http(s) address")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("must be a plain address without user, query or fragment")
        if parts.scheme == "http" and host.endswith("nih.gov"):
            raise ValueError("NCBI is only asked over https")
        return value.strip().rstrip("/")

    @field_validator("ncbi_email", "mail_from", "mail_reply_to")
    @classmethod
    def _mail_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.isprintable():
            raise ValueError("holds a line break or an invisible character")
        try:
            read_address(parseaddr(value)[1] or value)
        except UsageError as error:
            raise ValueError(str(error)) from None
        return value

    @field_validator("ncbi_email")
    @classmethod
    def _bare(cls, value: str | None) -> str | None:
        if value is not None and parseaddr(value)[0]:
            raise ValueError("is the bare address, without a name")
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

    @field_validator("digest_name")
    @classmethod
    def _name(cls, value: str) -> str:
        name = " ".join(value.split())
        if not name or not name.isprintable() or len(name) > NAME_MAX:
            raise ValueError(f"must be 1 to {NAME_MAX} printable characters")
        return name

    @field_validator("proxy_header")
    @classmethod
    def _header(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{1,60}", value):
            raise ValueError("is not the name of a header, such as X-Remote-User")
        if value is not None and value.lower() in _EVERYBODYS:
            raise ValueError("is a header that every browser or proxy sends for something else")
        return value

    @field_validator("proxy_addresses")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            try:
                found = ipaddress.ip_network(each)
            except ValueError:
                raise ValueError(f"{each!r} is neither an address nor a network such as 10.0.0.0/24") from None
            if not found.prefixlen:
                raise ValueError(f"{each} is everybody: then anybody could come in as anybody")
        return value

    @field_validator("mail_plain_relays", "proxy_addresses", mode="before")
    @classmethod
    def _relays(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("ncbi_api_key", "secret_key")
    @classmethod
    def _secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and (not value.get_secret_value().isprintable() or " " in value.get_secret_value()):
            raise ValueError("holds a space, a line break or an invisible character")
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < KEY_MIN:
            raise ValueError(f"is shorter than {KEY_MIN} characters, so links could be forged")
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not value.get_secret_value().startswith(("sqlite:", "sqlite+", "postgres")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return value

    @field_validator("mail_url")
    @classmethod
    def _mail(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value() and not value.get_secret_value().startswith(("smtp://", "smtps://", "file:")):
            raise ValueError("must begin with smtp://, smtps:// or file:")
        return value

    @model_validator(mode="after")
    def _in_the_home(self) -> Self:
        derived: dict[str, Any] = {}
        if not self.database_url.get_secret_value():
            derived["database_url"] = SecretStr(f"sqlite:///{quote(str(self.home / 'monitor.db'), safe='/')}")
        if not self.mail_url.get_secret_value():
            derived["mail_url"] = SecretStr(f"file:{quote(str(self.home / 'mail'), safe='/')}")
        for name, value in derived.items():
            object.__setattr__(self, name, value)
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        """Everything that no log, page or message may show: keys, and the passwords within addresses."""
        found = [
            each.get_secret_value() for each in (self.ncbi_api_key, self.secret_key) if each and each.get_secret_value()
        ]
        for address in (self.database_url, self.mail_url):
            # Not `urlsplit().password`: a stray bracket must not keep a password from being known as one.
            password = address.get_secret_value().partition("://")[2].rpartition("@")[0].partition(":")[2]
            found += [each for each in {password, unquote(password)} if each]
        return tuple(found)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def load(
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    also: Sequence[Check] = (),
    kept: Mapping[str, str] | None = None,
    **flags: object,
) -> Settings:
    """Read all sources and return checked settings.

    Flags that are None were not given. Raises SettingsError with every problem found, one sentence each; `also` are
    checks that need more than this module may know. `kept` stands in for the file in the home, to try what would
    be written there.
    """
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    values = _from_file(config, problems) | _from_environment(environ, problems)
    values |= {name: value for name, value in flags.items() if value is not None}
    if kept is None:
        kept = _from_home(values.get("home"), problems)
    values = {**kept, **values}
    settings: Settings | None = None
    wrong: set[str] = set()
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False):
            name = str(each["loc"][0]) if each["loc"] else "settings"
            wrong.add(name)
            problems.append(f"{PREFIX}{name.upper()}: {each['msg'].removeprefix('Value error, ')}")
    if settings is not None and settings.ncbi_api_key is not None and not _private(settings.eutils_url):
        problems.append(f"{PREFIX}EUTILS_URL: an API key is only sent over https, or to this machine")
    if settings is not None and settings.proxy_header is not None and not settings.proxy_addresses:
        problems.append(f"{PREFIX}PROXY_HEADER: is believed from nobody; name the proxy in {PREFIX}PROXY_ADDRESSES")
    sound = {name: value for name, value in values.items() if name not in wrong}
    for check in also:
        problems.extend(check(sound))
    if problems or settings is None:
        raise SettingsError(problems)
    return settings


@dataclass(frozen=True)
class Sources:
    """Where settings come from, to be read again; without `environ`, the environment of that moment."""

    config: Path | None = None
    environ: Mapping[str, str] | None = None
    also: Sequence[Check] = ()
    flags: Mapping[str, object] = field(default_factory=dict)

    def load(self, kept: Mapping[str, str] | None = None) -> Settings:
        return load(self.config, self.environ, also=self.also, kept=kept, **self.flags)

    def fixed(self) -> dict[str, str]:
        """Say, for settings that the pages keep, where else they are given: no page can change those."""
        environ = os.environ if self.environ is None else self.environ
        problems: list[str] = []
        path = self.config or Path("monitor.toml")
        found = dict.fromkeys(set(KEPT) & set(_from_file(self.config, problems)), str(path))
        for name in KEPT:
            for variable in (f"{PREFIX}{name.upper()}", f"{PREFIX}{name.upper()}_FILE"):
                if environ.get(variable):
                    found[name] = variable
        return found


def read_kept(home: Path) -> dict[str, str]:
    """Return what the pages keep in a home; raises SettingsError where that cannot be read."""
    problems: list[str] = []
    found = _from_home(home, problems)
    if problems:
        raise SettingsError(problems)
    return found


def _from_home(home: object, problems: list[str]) -> dict[str, str]:
    """Read what the pages keep. A home that cannot be one is told of by its own check."""
    try:
        path = Path(str(home or Settings.model_fields["home"].default)).expanduser() / HOME_FILE
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, RuntimeError):
        return {}
    except OSError as error:
        problems.append(f"{path}: {error.strerror}")
        return {}
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{path}: {error}")
        return {}
    for name, value in given.items():
        if name not in KEPT or not isinstance(value, str):
            problems.append(f"{path}: {name} is not kept here; set it in monitor.toml or as {PREFIX}{name.upper()}")
    return {name: value for name, value in given.items() if name in KEPT and isinstance(value, str)}


def _private(url: str) -> bool:
    return url.startswith("https://") or urlsplit(url).hostname in LOOPBACK


def with_secret_key(settings: Settings) -> Settings:
    """Return settings with a secret key, reading or making `secret-key` (mode 0600) in the home where none was given."""
    if settings.secret_key.get_secret_value():
        return settings
    path = settings.home / "secret-key"
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise SettingsError([f"{PREFIX}HOME: cannot keep a secret key in {path}: {why}"]) from error
    if len(key) < KEY_MIN:
        raise SettingsError(
            [
                f"{path} is cut or empty; restore it from a backup, or delete it to have a new key made (links of mails sent before then end)"
            ]
        )
    return settings.model_copy(update={"secret_key": SecretStr(key)})


def _make_key(path: Path) -> None:
    """Make the key file whole or not at all; of two processes at once, one makes it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, unfinished = tempfile.mkstemp(prefix=".secret-key-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(unfinished, path)
        except FileExistsError:
            return
    finally:
        Path(unfinished).unlink()


def _from_file(config: Path | None, problems: list[str]) -> dict[str, object]:
    path = config or Path("monitor.toml")
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if config is not None:
            problems.append(f"--config: {path} does not exist")
        return {}
    except OSError as error:
        problems.append(f"{path}: {error.strerror}")
        return {}
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{path}: {error}")
        return {}
    return _resolved({f"{path}: {name}": (name, value) for name, value in given.items()}, problems)


def editor() -> str:
    """Return the command that opens a text for editing, as programs at a terminal look it up."""
    return os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> dict[str, object]:
    """An empty variable counts as not set, as compose files and service units write it."""
    return _resolved(
        {
            name: (name.removeprefix(PREFIX).lower(), environ[name])
            for name in sorted(environ)
            if name.startswith(PREFIX) and environ[name]
        },
        problems,
    )


def _resolved(given: Mapping[str, tuple[str, object]], problems: list[str]) -> dict[str, object]:
    """Return values by setting, with `…_file` read, from values under the name by which a problem is told."""
    values: dict[str, object] = {}
    names = {name for name, _ in given.values()}
    for told, (name, value) in given.items():
        if name.endswith("_file") and (setting := name.removesuffix("_file")) in Settings.model_fields:
            if setting in names:
                problems.append(f"{told}: {setting} is set too; keep one")
                continue
            try:
                values[setting] = Path(str(value)).expanduser().read_text(encoding="utf-8").strip()
            except OSError as error:
                problems.append(f"{told}: {value}: {error.strerror}")
            except (UnicodeDecodeError, RuntimeError):
                problems.append(f"{told}: {value}: cannot be read as text")
            else:
                if not values[setting]:
                    problems.append(f"{told}: {value} is empty")
        elif name not in Settings.model_fields:
            problems.append(f"{told} is not a setting{_suggest(name, told)}")
        else:
            values[name] = value
    return values


def _suggest(name: str, told: str) -> str:
    """Name the nearest setting as it would be written where `told` stands."""
    near = difflib.get_close_matches(name, Settings.model_fields, 1)
    if not near:
        return ""
    return f"; did you mean {PREFIX + near[0].upper() if told.startswith(PREFIX) else near[0]}?"
