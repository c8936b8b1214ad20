"""What every command shares: the application, its settings, how results and errors are told."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from monitor import __version__, errors

if TYPE_CHECKING:
    from monitor.build import House
    from monitor.settings import Settings, Sources

DONE, PARTLY, WRONG, UNREACHABLE, DAMAGED = range(5)
"""Exit codes; a test holds them against the README."""

_CODES: tuple[tuple[type[errors.MonitorError], int], ...] = (
    (errors.SettingsError, WRONG),
    (errors.UsageError, WRONG),
    (errors.NotFound, WRONG),
    (errors.QuerySyntaxError, WRONG),
    (errors.DatabaseBehind, DAMAGED),
    (errors.DatabaseDamaged, DAMAGED),
    (errors.DatabaseUnavailable, DAMAGED),
    (errors.PubmedUnavailable, UNREACHABLE),
    (errors.PubmedRefused, UNREACHABLE),
    (errors.MailUnavailable, UNREACHABLE),
    (errors.MonitorError, PARTLY),
)
# Typer brings its own copy of Click or imports Click, depending on its version; this finds the one in use.
_ASKED_WRONGLY: type[Any] = next(each for each in typer.BadParameter.__mro__ if each.__name__ == "ClickException")
_INTERRUPTED = 130
"""What newer Typer returns for Ctrl-C, where older ones raise Abort."""


@dataclass
class Choices:
    """The options that stand before the command, and what is known of it while it runs.

    `endless` commands run until they are stopped, so that being stopped is no failure.
    """

    config: Path | None = None
    home: Path | None = None
    verbose: bool = False
    endless: bool = False
    secrets: tuple[str, ...] = ()


choices = Choices()
app = typer.Typer(
    name="monitor",
    help="Watches PubMed for a field, keeps every citation whole, and mails digests that say why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"evidence-monitor {__version__}")
        raise typer.Exit


@app.callback()
def start(
    config: Annotated[Path | None, typer.Option(help="Settings file; default is ./monitor.toml if it exists.")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder for database, mail and key; like MONITOR_HOME.")] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Log more, and show where an unexpected error arose.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    choices.config, choices.home, choices.verbose = config, home, verbose
    choices.endless, choices.secrets = False, ()


def settings() -> Settings:
    """Read and check all settings, and make the logs keep their secrets; raises SettingsError with every problem."""
    told = sources().load()
    keep_secret(told)
    return told


def sources() -> Sources:
    """Return where this command reads its settings."""
    from monitor.settings import Sources

    return Sources(choices.config, also=(_mail_problems, _database_problems), flags={"home": choices.home})


def keep_secret(told: Settings) -> None:
    """Make the logs keep what these settings have to hide, beside what they kept before."""
    from monitor import logs

    choices.secrets = tuple(dict.fromkeys((*choices.secrets, *told.secrets)))
    logs.configure(verbose=choices.verbose, secrets=choices.secrets, waited_for=not choices.endless)


@contextmanager
def house(*, create: bool = False) -> Iterator[House]:
    """Open everything a command may need; raises DatabaseBehind or DatabaseDamaged before anything is touched."""
    from monitor.build import build

    with build(settings(), create=create, sources=sources()) as here:
        yield here


def print_json(value: Any) -> None:
    """Print one JSON document; moments and dates in ISO 8601."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def tell(text: str) -> None:
    """Say something to the person at the terminal, on standard error."""
    typer.echo(text, err=True)


def leave(code: int) -> NoReturn:
    raise typer.Exit(code)


def count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def read_date(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise errors.UsageError(f"{option}: {text!r} is not a date like 2026-11-23") from None


def run(command: Callable[[], Any]) -> int:
    """Run the application; return its exit code, with every error told in a sentence that shows no secret."""
    _speak_anywhere()
    try:
        code = command()
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        return _stopped()
    except errors.MonitorError as error:
        tell(_hidden(str(error)))
        if isinstance(error, errors.QuerySyntaxError) and error.text.strip():
            from monitor.cli.pointing import pointed

            tell(_hidden(pointed(error.text, error.column)))
        for note in getattr(error, "__notes__", ()):
            tell(_hidden(note))
        return next(code for kind, code in _CODES if isinstance(error, kind))
    except BrokenPipeError:
        return _nobody_reads()
    except SystemExit as error:
        # Typer leaves this way when the reader of a pipe has gone.
        if isinstance(error.__context__, BrokenPipeError):
            return _nobody_reads()
        raise
    except Exception as error:
        if isinstance(error, _ASKED_WRONGLY):
            error.show()
            return WRONG
        return _unexpected(error)
    if code == _INTERRUPTED:
        return _stopped()
    return code if isinstance(code, int) else DONE


def _stopped() -> int:
    tell("Stopped." if choices.endless else "Stopped. What was stored is kept.")
    return DONE if choices.endless else PARTLY


def _unexpected(error: Exception) -> int:
    _without_sql(error)
    if choices.verbose:
        import traceback

        tell(_hidden("".join(traceback.format_exception(error))))
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        tell(_hidden(f"{place}{error.strerror}. What was stored is kept."))
    else:
        tell(
            _hidden(
                f"Unexpected: {type(error).__name__}: {getattr(error, 'orig', None) or error}. "
                "What was stored is kept; --verbose shows where it arose."
            )
        )
    return PARTLY


def _without_sql(error: BaseException | None) -> None:
    """Leave SQL and its parameters out of what SQLAlchemy's errors say: pages of it, with people's words within."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if hasattr(error, "orig") and hasattr(error, "statement"):
            error.statement = error.params = None  # type: ignore[attr-defined]
        error = error.__cause__ or error.__context__


def _hidden(text: str) -> str:
    from monitor.logs import Redactor

    return Redactor(choices.secrets).text(text)


def _nobody_reads() -> int:
    """`monitor export | head` is no failure; and nothing may be written at exit either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


def _speak_anywhere() -> None:
    """Let a terminal or pipe of another encoding show what it can instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _mail_problems(values: Mapping[str, object]) -> Iterator[str]:
    url, relays = values.get("mail_url"), values.get("mail_plain_relays", ())
    if not url:
        return
    from monitor.mail.transport import parse_mail_url

    listed = relays.replace(",", " ").split() if isinstance(relays, str) else [str(each) for each in relays]  # type: ignore[attr-defined]
    try:
        parse_mail_url(str(url), plain_relays=listed)
    except errors.SettingsError as error:
        yield from (f"MONITOR_MAIL_URL: {each.removeprefix('mail URL: ')}" for each in error.problems)


def _database_problems(values: Mapping[str, object]) -> Iterator[str]:
    url = values.get("database_url")
    if not url:
        return
    from monitor.storage.engine import connect

    try:
        connect(str(url)).dispose()
    except errors.UsageError as error:
        yield f"MONITOR_DATABASE_URL: {error}"


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} has no JSON form")
