"""`monitor search`: the library in PubMed's language, and the searches that are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.frame import PARTLY, Json, app, count, house, leave, print_json, tell
from monitor.core.pmid import LARGEST_PMID
from monitor.errors import NotFound, QuerySyntaxError, UsageError

if TYPE_CHECKING:
    from monitor.build import House
    from monitor.services.library import Explained, Found, SearchPage
    from monitor.storage.facets import Facets
    from monitor.storage.saved import SavedSearch

FACETS_SHOWN = 12
"""Values of a facet that the terminal lists; JSON has them all."""


@app.command("search")
def search(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="QUERY", help="In PubMed's language; @NAME runs a saved search."),
    ] = None,
    limit: Annotated[int, typer.Option(help="Papers to list at most.")] = 50,
    before: Annotated[
        int | None, typer.Option(min=1, max=LARGEST_PMID, metavar="PMID", help="Go on below this PMID.")
    ] = None,
    relevance: Annotated[bool, typer.Option("--relevance", help="The most relevant first, not the newest.")] = False,
    facets: Annotated[
        bool, typer.Option("--facets", help="Count by year, topic, type, journal, tag, level, language and flag.")
    ] = False,
    number: Annotated[bool, typer.Option("--count", help="Print the number of papers alone.")] = False,
    explain: Annotated[
        int | None, typer.Option(min=1, max=LARGEST_PMID, metavar="PMID", help="Say why it finds a paper, or why not.")
    ] = None,
    save: Annotated[str | None, typer.Option(metavar="NAME", help="Keep the search under a name.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="With --save: change what the name stands for.")] = False,
    rename: Annotated[
        str | None, typer.Option(metavar="NAME", help="Give the saved search @NAME another name.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the saved searches and their feeds.")] = False,
    forget: Annotated[str | None, typer.Option(metavar="NAME", help="Forget a saved search; its feed ends.")] = None,
    as_json: Json = False,
) -> None:
    """Search the library, newest first; keep searches, and follow them through a feed."""
    text = " ".join(words or ()).strip()
    asked = {
        "--facets": facets,
        "--count": number,
        "--explain": explain is not None,
        "--save": save is not None,
        "--rename": rename is not None,
        "--list": listed,
        "--forget": forget is not None,
    }
    _check(text, [name for name, wanted in asked.items() if wanted], before, relevance, replace)
    with house() as here, by_name(text):
        if listed:
            _print_saved(here, here.saved.all(), as_json)
        elif forget is not None:
            typer.echo(f"{here.saved.forget(forget).name} is forgotten; its feed has ended.")
        elif rename is not None:
            _print_kept(here, here.saved.rename(text, rename), as_json)
        elif save is not None:
            kept = here.saved.save(save, here.saved.query(text), replace=replace)
            _print_kept(here, kept, as_json)
            tell_notes(here, kept.query)
        else:
            query = here.saved.query(text)
            if facets:
                _print_facets(query, here.library.facets(query), as_json)
                tell_notes(here, query)
            elif number:
                found = here.library.count(query)
                print_json({"query": query, "count": found}) if as_json else typer.echo(found)
                tell_notes(here, query)
            elif explain is not None:
                _explain(here, query, explain, as_json)
            else:
                page = here.library.search(
                    query, before=before, limit=limit, order="relevance" if relevance else "newest"
                )
                _print_page(page, as_json)


@contextmanager
def by_name(text: str) -> Iterator[None]:
    """Where what @NAME stands for cannot be read any more, say how to put it right."""
    try:
        yield
    except QuerySyntaxError as error:
        if text.startswith("@"):
            error.add_note(
                f"{text} stands for that. Put it right, its feed stays: monitor search QUERY --save {quote(text[1:])} --replace"
            )
        raise


def tell_notes(here: House, query: str) -> None:
    """Say what a search may be meant to ask and does not; a list of hits carries this itself."""
    for note in here.library.notes(query):
        tell(note)


def found_as_object(found: Found) -> dict[str, Any]:
    """Give a hit as JSON holds it."""
    own = found.own
    return {
        "pmid": found.pmid,
        "citation": found.line,
        "retracted": found.retracted,
        "concern": found.concern,
        "withdrawn": found.withdrawn,
        "provisional": found.provisional,
        "added_on": own.added_on,
        "topics": sorted(own.topics),
        "tags": sorted(own.tags),
        "level": next(iter(own.levels), None),
        "claims": sorted(own.claims),
        "decision": own.decision,
    }


def _check(text: str, asked: list[str], before: int | None, relevance: bool, replace: bool) -> None:
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} do different things; choose one")
    (what,) = asked or (None,)
    if what in ("--list", "--forget"):
        if text:
            raise UsageError(f"{what} takes no query; put a query of several words into quotes")
    elif not text:
        raise UsageError("say what to search for, or --list the saved searches")
    if what == "--rename" and not text.startswith("@"):
        raise UsageError("--rename goes with a saved search: monitor search @NAME --rename NEW")
    if replace and what != "--save":
        raise UsageError("--replace goes with --save")
    if what is not None and (before is not None or relevance):
        raise UsageError(f"{what} lists no papers, so --before and --relevance do not go with it")


def _print_page(page: SearchPage, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "query": page.query,
                "count": page.total,
                "next_before": page.next_before,
                "notes": page.notes,
                "alone": [{"query": part, "count": number} for part, number in page.alone],
                "hits": [found_as_object(each) for each in page.hits],
            }
        )
        return
    for each in page.hits:
        flags = (
            (each.retracted, "RETRACTED. "),
            (each.concern, "EXPRESSION OF CONCERN. "),
            (each.withdrawn, "WITHDRAWN FROM PUBMED. "),
            (each.provisional, "PROVISIONAL. "),
        )
        typer.echo("".join(words for stands, words in flags if stands) + each.line)
    for note in page.notes:
        tell(note)
    if not page.total:
        tell("Nothing in the library matches.")
        for part, found in page.alone:
            tell(f"  {found:>7,}  {part}")
    else:
        following = f"; next: --before {page.next_before}" if page.next_before is not None else ""
        tell(f"{len(page.hits):,} of {page.total:,}{following}")


def _print_facets(query: str, found: Facets, as_json: bool) -> None:
    from monitor.storage.facets import narrowing

    if as_json:
        counts = {
            kind: [{"value": value, "count": number, "query": narrowing(kind, value)} for value, number in values]
            for kind, values in found.counts.items()
        }
        print_json({"query": query, "counted": found.counted, "whole": found.whole, "facets": counts})
        return
    for kind, values in found.counts.items():
        if values:
            typer.echo(kind)
        for value, number in values[:FACETS_SHOWN]:
            typer.echo(f"  {number:>7,}  {value}")
        if len(values) > FACETS_SHOWN:
            typer.echo(f"           and {len(values) - FACETS_SHOWN:,} more")
    whole = "" if found.whole else ", the newest"
    tell(f"Counted {count(found.counted, 'paper')}{whole}." if found.counted else "Nothing in the library matches.")


def _explain(here: House, query: str, pmid: int, as_json: bool) -> None:
    try:
        explained = here.library.explain(query, pmid)
    except NotFound as error:
        tell(str(error))
        leave(PARTLY)
    if as_json:
        print_json(_explained_object(query, explained))
    else:
        _print_explained(explained)


def _explained_object(query: str, explained: Explained) -> dict[str, Any]:
    return {
        "query": query,
        "pmid": explained.pmid,
        "found": explained.found,
        "joined": "any" if explained.any else "all",
        "parts": [
            {
                "query": part.text,
                "fits": part.fits,
                "excluded": part.excluded,
                "ignored": part.dropped,
                "matches": [
                    {"place": each.place, "part": each.part, "words": each.words, "start": each.start, "end": each.end}
                    for each in part.matches
                ],
            }
            for part in explained.parts
        ],
        "notes": explained.notes,
    }


def _print_explained(explained: Explained) -> None:
    of = "any of these parts" if explained.any else "all of these parts"
    typer.echo(
        f"PMID {explained.pmid} is {'found' if explained.found else 'not found'}"
        + (f"; {of} must fit:" if len(explained.parts) > 1 else ":")
    )
    for part in explained.parts:
        if part.dropped:
            mark = "ignored"
        elif part.excluded:
            mark = "NOT, and it fits" if part.fits else "NOT, and it does not fit"
        else:
            mark = "fits" if part.fits else "does not fit"
        typer.echo(f"  {part.text}: {mark}")
        for place, found in dict.fromkeys((each.place, each.words) for each in part.matches):
            typer.echo(f"      {place}: {found}")
    for note in explained.notes:
        tell(note)


def _print_kept(here: House, kept: SavedSearch, as_json: bool) -> None:
    if as_json:
        print_json(_saved_object(here, kept))
        return
    typer.echo(f"@{kept.name}: {kept.query}")
    typer.echo(f"  feed: {here.links.feed(kept.key)}")


def _print_saved(here: House, kept: list[SavedSearch], as_json: bool) -> None:
    if as_json:
        print_json([_saved_object(here, each) for each in kept])
        return
    for each in kept:
        _print_kept(here, each, as_json)
    if not kept:
        tell("No search is saved. Keep one: monitor search QUERY --save NAME")


def _saved_object(here: House, kept: SavedSearch) -> dict[str, Any]:
    return {
        "name": kept.name,
        "query": kept.query,
        "created_at": kept.created_at,
        "changed_at": kept.changed_at,
        "feeds": {form: here.links.feed(kept.key, form) for form in ("atom", "json")},
    }
