"""What every command shares: the application, its settings, how results and errors are told."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from monitor import __version__, errors

if TYPE_CHECKING:
    from monitor.build import House
    from monitor.settings import Settings

DONE, PARTLY, WRONG, UNREACHABLE, DAMAGED = range(5)
"""Exit codes; a test holds them against the README."""

_CODES: tuple[tuple[type[errors.MonitorError], int], ...] = (
    (errors.SettingsError, WRONG),
    (errors.UsageError, WRONG),
    (errors.QuerySyntaxError, WRONG),
    (errors.DatabaseBehind, DAMAGED),
    (errors.DatabaseDamaged, DAMAGED),
    (errors.DatabaseUnavailable, DAMAGED),
    (errors.PubmedUnavailable, UNREACHABLE),
    (errors.PubmedRefused, UNREACHABLE),
    (errors.MailUnavailable, UNREACHABLE),
    (errors.MonitorError, PARTLY),
)


@dataclass
class Choices:
    """The options that stand before the command."""

    config: Path | None = None
    home: Path | None = None
    verbose: bool = False


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
OptionalDate = Annotated[str | None, typer.Option(metavar="DATE")]


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


def settings(**flags: object) -> Settings:
    from monitor.settings import load, with_secret_key

    return with_secret_key(load(choices.config, None, home=choices.home, **flags))


def house(**flags: object) -> AbstractContextManager[House]:
    """Open everything a command may need; raises DatabaseBehind or DatabaseDamaged before anything is touched."""
    from monitor import logs
    from monitor.build import build

    logs.configure(verbose=choices.verbose)
    return build(settings(**flags))


def print_json(value: Any) -> None:
    """Print one JSON document; moments and dates in ISO 8601."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def tell(text: str) -> None:
    """Say something to the person at the terminal, on standard error."""
    typer.echo(text, err=True)


def leave(code: int) -> NoReturn:
    raise typer.Exit(code)


def read_date(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise errors.UsageError(f"{option}: {text!r} is not a date like 2026-11-23") from None


def run(command: Callable[[], Any]) -> int:
    """Run the application; return its exit code, with every known error told in a sentence."""
    import click

    try:
        code = command()
    except click.exceptions.Abort:
        tell("Stopped.")
        return PARTLY
    except click.ClickException as error:
        error.show()
        return WRONG
    except errors.MonitorError as error:
        tell(str(error))
        return next(code for kind, code in _CODES if isinstance(error, kind))
    except KeyboardInterrupt:
        tell("Stopped.")
        return PARTLY
    except BrokenPipeError:
        sys.stderr.close()
        return DONE
    except Exception as error:
        if choices.verbose:
            raise
        tell(
            f"Unexpected: {type(error).__name__}: {error}. What was committed is kept; --verbose shows where it arose."
        )
        return PARTLY
    return code if isinstance(code, int) else DONE


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} has no JSON form")
