"""`monitor screen` and `monitor tag`: verdicts, tags, levels and claims from the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.frame import PARTLY, Json, app, house, leave, print_json, read_date, tell
from monitor.cli.library import Pmids
from monitor.core.people import COMMAND_LINE
from monitor.core.pmid import read_pmid
from monitor.core.screening import LEVELS, REASONS
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.build import House
    from monitor.core.people import Actor
    from monitor.services.screened import Screened

UNDO = "undo"
Note = Annotated[str | None, typer.Option(help="A few words that stay with it.")]
By = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Who decides: a curator or admin here; else the command line.")
]


@app.command("screen")
def screen(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="PMID... VERDICT", help="keep, maybe, dismiss or undo; without it, how they stand."),
    ] = None,
    topics: Annotated[list[str] | None, typer.Option("--topic", help="With keep: a topic it is kept in.")] = None,
    reason: Annotated[
        str | None, typer.Option(help="With dismiss: why, such as wrong-population or duplicate.")
    ] = None,
    note: Note = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="With maybe: put aside until that day.")] = None,
    ask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="With maybe: the curator or admin whose word it waits for.")
    ] = None,
    by: By = None,
    reopened: Annotated[
        bool, typer.Option("--reopened", help="List the papers whose title or abstract changed since their verdict.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Judge papers, take the last verdict back, or show how they stand."""
    given = list(words or ())
    verdict = given.pop() if given and not given[-1].lstrip("-").isdigit() else None
    pmids = [_pmid(each) for each in given]
    if reopened and (pmids or verdict):
        raise UsageError("--reopened lists papers and takes no PMID")
    if not reopened and not pmids:
        raise UsageError("name the PMIDs, then keep, maybe, dismiss or undo")
    if verdict in (None, UNDO) and (topics or reason or note):
        raise UsageError("--topic, --reason and --note go with keep, maybe or dismiss")
    if verdict in (None, UNDO) and (until or ask):
        raise UsageError("--until and --ask go with maybe")
    if verdict is None and by is not None:
        raise UsageError("--by goes with keep, maybe, dismiss or undo")
    with house() as here:
        if reopened:
            found = here.screening.reopened()
        elif verdict is None:
            found = here.screening.of(pmids)
        elif verdict == UNDO:
            found = here.screening.undo(pmids, actor=_actor(here, by))
        else:
            found = here.screening.decide(
                pmids,
                verdict,
                topics=topics or (),
                reason=reason,
                note=note,
                until=read_date(until, "--until"),
                asked=here.screening.curator(ask).person_id if ask is not None else None,
                actor=_actor(here, by),
            )
    _print(found, as_json)
    if reopened and not found:
        tell("No verdict rests on a title or abstract that has changed since.")
    if not reopened:
        _say_unknown(pmids, found)


@app.command("tag")
def tag(
    pmids: Pmids,
    add: Annotated[list[str] | None, typer.Option(metavar="TAG", help="A tag to put on.")] = None,
    remove: Annotated[list[str] | None, typer.Option(metavar="TAG", help="A tag to take off.")] = None,
    level: Annotated[str | None, typer.Option(help="Level of evidence: A, B1, B2, B3, C, D, E, X or none.")] = None,
    no_level: Annotated[bool, typer.Option("--no-level", help="Take the level off.")] = False,
    claim: Annotated[list[str] | None, typer.Option(metavar="C12", help="A claim that it bears on.")] = None,
    no_claim: Annotated[list[str] | None, typer.Option(metavar="C12", help="A claim to unlink.")] = None,
    note: Note = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Put tags, a level of evidence or claims on papers, or take them off; without an option, show them."""
    asked = bool(add or remove or level is not None or no_level or claim or no_claim)
    if (note or by is not None) and not asked:
        raise UsageError("--note and --by go with what is put on or taken off")
    with house() as here:
        if asked:
            found = here.screening.label(
                pmids,
                tags=add or (),
                untag=remove or (),
                level=level,
                no_level=no_level,
                claims=claim or (),
                unlink=no_claim or (),
                note=note,
                actor=_actor(here, by),
            )
        else:
            found = here.screening.of(pmids)
    _print(found, as_json)
    _say_unknown(pmids, found)


def how_it_stands(paper: Screened) -> str:
    """Say in a line what was judged of a paper and what was put on it."""
    given = paper.judgement
    parts = []
    if given.verdict is not None:
        parts.append(given.verdict + (f" in {', '.join(given.topics)}" if given.topics else ""))
        parts[0] += f" as {given.reason}: {REASONS[given.reason]}" if given.reason else ""
        if given.until is not None:
            parts.append(f"put aside until {given.until.isoformat()}")
        if given.asked is not None:
            parts.append("waits for somebody who was asked")
        if paper.reopened:
            parts.append("title or abstract changed since: read again")
    if paper.tags:
        parts.append("tags " + ", ".join(paper.tags))
    if paper.level is not None:
        parts.append(f"level {paper.level} ({LEVELS[paper.level]})")
    if paper.claims:
        parts.append("claims " + ", ".join(paper.claims))
    if given.note is not None:
        parts.append("note: " + " ".join(given.note.split()))
    return "; ".join(parts) or "not screened"


def screened_object(paper: Screened) -> dict[str, Any]:
    """Give a paper's standing as JSON holds it."""
    return {
        "pmid": paper.pmid,
        **paper.judgement._asdict(),
        "tags": paper.tags,
        "level": paper.level,
        "claims": paper.claims,
        "reopened": paper.reopened,
    }


def _actor(here: House, by: str | None) -> Actor:
    return here.screening.curator(by) if by is not None else COMMAND_LINE


def _pmid(text: str) -> int:
    pmid = read_pmid(text)
    if pmid is None:
        raise UsageError(f"{text[:40]!r} is no PMID; the verdict stands last")
    return pmid


def _print(found: tuple[Screened, ...], as_json: bool) -> None:
    if as_json:
        print_json([{**screened_object(each), "changed": each.changed} for each in found])
        return
    for each in found:
        typer.echo(f"{each.pmid}  {how_it_stands(each)}")


def _say_unknown(pmids: list[int], found: tuple[Screened, ...]) -> None:
    held = {each.pmid for each in found}
    unknown = [pmid for pmid in dict.fromkeys(pmids) if pmid not in held]
    for pmid in unknown:
        tell(f"PMID {pmid} is not in the library.")
    if unknown:
        leave(PARTLY)
