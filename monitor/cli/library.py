"""`monitor cite`, `show`, `import`, `export`: the library at the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.frame import PARTLY, Json, app, house, leave, print_json, tell
from monitor.core.pmid import LARGEST_PMID, read_pmid
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.services.library import Record

Pmids = Annotated[list[int], typer.Argument(metavar="PMID", min=1, max=LARGEST_PMID)]


@app.command("cite")
def cite(
    pmids: Pmids,
    style: Annotated[str, typer.Option(help="nlm, summary, vancouver or gbt7714.")] = "nlm",
) -> None:
    """Print citations as text, one a line."""
    with house() as here:
        cited = here.library.cite(pmids, style)
    for line in cited.lines:
        typer.echo(line)
    _say_unknown(cited.unknown)


@app.command("show")
def show(
    pmid: Annotated[int, typer.Argument(metavar="PMID", min=1, max=LARGEST_PMID)],
    as_json: Json = False,
    versions: Annotated[bool, typer.Option("--versions", help="What changed in it, and when we saw it.")] = False,
) -> None:
    """Print one citation whole, how it was screened, and what is proposed for it."""
    from monitor.cli.proposing import proposed_line, proposed_object
    from monitor.cli.screening import how_it_stands, screened_object
    from monitor.errors import NotFound

    with house() as here:
        try:
            record = here.library.record(pmid)
        except NotFound as error:
            tell(str(error))
            leave(PARTLY)
        (screened,) = here.screening.of([pmid])
        with here.database.read() as session:
            proposed = here.vocabularies.of(session, [pmid])[pmid]
    if as_json:
        told = {"screening": screened_object(screened), "proposed": proposed_object(proposed)}
        print_json({**_object(record), **told})
    else:
        _print(record)
        typer.echo(f"\nScreening: {how_it_stands(screened)}")
        typer.echo(f"Proposed: {proposed_line(proposed)}")
        if versions:
            _print_versions(record)


@app.command("import")
def import_files(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="PubMed XML (.xml, .xml.gz), NBIB, RIS, or a list of PMIDs.")
    ],
    as_json: Json = False,
) -> None:
    """Take in files: PubMed XML whole, other formats as names of records to fetch."""
    with house() as here:
        report = here.importing.run(files, tell)
    if as_json:
        print_json(report.as_object())
    else:
        for line in report.lines():
            typer.echo(line)
    for line in report.refusals():
        tell(line)
    leave(report.exit_code)


@app.command("export")
def export(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="QUERY", help="A search, @NAME of a saved one, or PMIDs; the whole library when none is named."
        ),
    ] = None,
    format_name: Annotated[str, typer.Option("--format", help="jsonl, nbib, ris, bibtex, csl-json or csv.")] = "jsonl",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; replaced only when all is written.")
    ] = None,
) -> None:
    """Print the library, what a search finds, or some PMIDs, in a format that other programs read."""
    from monitor.cli.files import write_out
    from monitor.cli.search import by_name, tell_notes

    pmids, text = _only_pmids(words), " ".join(words or ())
    with house() as here, by_name(text):
        unknown = here.library.unknown(pmids) if pmids else ()
        query = here.saved.query(text) if words and not pmids else None
        if query is not None:
            tell_notes(here, query)
            if not here.library.count(query):
                tell("Nothing in the library matches.")
        write_out(here.library.export(format_name, pmids, query), output)
    _say_unknown(unknown)


def _only_pmids(words: list[str] | None) -> list[int] | None:
    """Return the PMIDs where nothing but numbers was given: these are named, not searched for."""
    given = " ".join(words or ()).replace(",", " ").split()
    if not given or not all(word.isascii() and word.isdigit() for word in given):
        return None
    pmids = []
    for word in given:
        pmid = read_pmid(word)
        if pmid is None:
            raise UsageError(f"{word[:40]} is no PMID; they go from 1 to {LARGEST_PMID}")
        pmids.append(pmid)
    return pmids


def _say_unknown(pmids: tuple[int, ...]) -> None:
    for pmid in pmids:
        tell(f"PMID {pmid} is not in the library.")
    if pmids:
        leave(PARTLY)


def _object(record: Record) -> dict[str, object]:
    from monitor.formats.jsonl import to_object

    held = record.held
    return {
        "citation": to_object(record.citation),
        "provisional": held.provisional,
        "retracted": held.retracted,
        "concern": held.concern,
        "withdrawn_at": held.withdrawn_at,
        "added_at": held.added_at,
        "changed_at": held.changed_at,
        "fetched_at": held.fetched_at,
        "versions": [
            {"version": each.version, "seen_at": each.seen_at, "changes": [change.words for change in each.changes]}
            for each in record.versions
        ],
        "relations": [
            {
                "pmid": each.pmid,
                "kind": each.kind,
                "other_pmid": each.other_pmid,
                "source": each.source,
                "seen_at": each.seen_at,
                "ended_at": each.ended_at,
            }
            for each in record.relations
        ],
    }


def _print(record: Record) -> None:
    from monitor.core.markup import plain
    from monitor.formats.nlm import cite as nlm

    citation, held = record.citation, record.held
    for flag, words in (
        (held.retracted, "RETRACTED"),
        (held.concern, "EXPRESSION OF CONCERN"),
        (held.provisional, "PROVISIONAL: not yet fetched from PubMed"),
    ):
        if flag:
            typer.echo(words)
    if held.withdrawn_at is not None:
        typer.echo(f"WITHDRAWN: PubMed no longer has it (noticed {held.withdrawn_at:%Y-%m-%d})")
    typer.echo(nlm(citation))
    if citation.abstract is not None:
        typer.echo("")
        for section in citation.abstract.sections:
            label = f"{section.label}: " if section.label else ""
            typer.echo(label + plain(section.text))
    if citation.mesh_headings:
        typer.echo(
            "\nMeSH: "
            + "; ".join(("*" if each.major else "") + each.descriptor.name for each in citation.mesh_headings)
        )
    if citation.unknown:
        typer.echo("\nKept though unknown to us: " + ", ".join(each.path for each in citation.unknown))


def _print_versions(record: Record) -> None:
    typer.echo("")
    for each in record.versions:
        words = ", ".join(change.words for change in each.changes) or "first seen"
        typer.echo(f"{each.seen_at:%Y-%m-%d %H:%M}  {words}")
