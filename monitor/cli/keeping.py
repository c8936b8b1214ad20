"""`monitor backup`, `restore`, `sandbox`, `demo`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.frame import Json, app, choices, count, house, print_json, settings, tell
from monitor.errors import UsageError


@app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Archive to write; replaced only when all is written.")],
    as_json: Json = False,
) -> None:
    """Write everything into one archive that either database can restore."""
    from monitor.services.backup import backup as write

    if file.is_dir():
        raise UsageError(f"{file} is a folder; name a file to write")
    with house() as here:
        report = write(here.database, file, here.clock.now())
        key = here.settings.home / "secret-key"
    size = file.stat().st_size
    if as_json:
        print_json({"file": str(file), "rows": report.rows, "bytes": size, "schema": report.schema})
    else:
        typer.echo(f"{count(report.rows, 'row')} in {file} ({size:,} bytes).")
    if key.exists():
        tell(f"Keep the secret key with it: {key}")


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Archive that `monitor backup` wrote.")],
    as_json: Json = False,
) -> None:
    """Fill an empty database from an archive; one that holds anything is refused."""
    from monitor.services.backup import restore as read
    from monitor.storage.engine import connect

    if file.is_dir():
        raise UsageError(f"{file} is a folder; name the archive in it")
    database = connect(settings().database_url.get_secret_value())
    try:
        report = read(database, file)
    finally:
        database.dispose()
    if as_json:
        print_json({"database": database.name, "rows": report.rows, "made_at": report.made_at})
    else:
        typer.echo(f"{count(report.rows, 'row')} restored into {database.name}.")


@app.command("sandbox")
def sandbox(
    corpus: Annotated[
        list[Path], typer.Option("--corpus", metavar="FILE", help="PubMed XML, .xml or .xml.gz; may be repeated.")
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; the next free one by default.")] = 0,
    faults: Annotated[Path | None, typer.Option(metavar="FILE", help="YAML that says which answers go wrong.")] = None,
) -> None:
    """Serve E-utilities on this machine over PubMed XML files, to try searches without PubMed."""
    from monitor.pubmed.sandbox import Sandbox, serve

    choices.endless = True

    def ready(server: Sandbox) -> None:
        typer.echo(server.url)
        sys.stdout.flush()
        tell(f"Try: MONITOR_EUTILS_URL={server.url} monitor poll --full     Ctrl-C stops.")

    serve(corpus, port=port, faults=faults, ready=ready)


@app.command("demo")
def demo(
    once: Annotated[bool, typer.Option("--once", help="Print the summary and exit without serving pages.")] = False,
    folder: Annotated[
        Path, typer.Option("--dir", help="Where the demo keeps its database and mails; made anew each time.")
    ] = Path("demo"),
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the web pages; the next free one if taken.")
    ] = 8000,
) -> None:
    """Play nine weeks of an invented field: polls, digests, corrections, an outage; then show the issues as pages."""
    from monitor.cli.demo import play

    choices.endless = True
    play(folder, port, once=once)
