"""`monitor topic preview`, `diff`, `test`: what a search would find, before it is saved."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.drafts import desk, drafts_in
from monitor.cli.frame import PARTLY, UNREACHABLE, Json, count, leave, tell
from monitor.cli.topics import TopicName, group
from monitor.core.pmid import read_pmid
from monitor.errors import NotFound, UsageError

if TYPE_CHECKING:
    from monitor.build import House
    from monitor.core.draft import Draft
    from monitor.core.strategy import Lane, Strategy
    from monitor.core.trials import Shown
    from monitor.services.comparing import Comparison, Side
    from monitor.services.previewing import Apart, Previewed
    from monitor.services.suggesting import Phrase
    from monitor.services.trials import LaneTest, LineTest, Tested

WIDTH = 40
"""Characters of the longest bar."""
QUERY = 200
"""Characters of a search that a line at the terminal shows."""
LaneName = Annotated[str, typer.Option("--lane", metavar="LANE", help="core or wide.")]
FromFile = Annotated[
    Path | None, typer.Option("--from", metavar="FILE", help="A topic file that is not saved, instead of what stands.")
]
Number = Annotated[
    int | None, typer.Option("--version", metavar="N", min=1, help="An older version, instead of what stands.")
]


@group.command("preview")
def preview(
    topic: TopicName,
    lane: LaneName = "core",
    source: FromFile = None,
    version: Number = None,
    as_json: Json = False,
) -> None:
    """Count what a search would find: by year, lately, the newest papers, and the share that is in the library."""
    from monitor.services.previewing import PREVIEW_REQUESTS

    chosen = lanes_named(lane)[0]
    with desk() as here, asking(PREVIEW_REQUESTS + 1) as heard:
        draft = drafted(here, topic, source, version)
        found = here.trials.preview(draft, chosen, tell=heard)
    if as_json:
        _print_object(found)
    else:
        _print_preview(draft, found)
    for phrase in found.unknown_phrases:
        tell(f"PubMed does not know the phrase “{phrase}” and would search without it or for its words apart.")
    for text in (*found.warnings, *found.refusals):
        tell(text)
    if found.why_not:
        tell(f"{found.why_not}\nWhat stands here is of the library alone." if found.count is None else found.why_not)
    if found.count is None and not found.refusals:
        leave(UNREACHABLE)
    if found.unknown_phrases or found.refusals or found.why_not:
        leave(PARTLY)


@group.command("diff")
def diff(
    topic: TopicName,
    old: Annotated[
        str | None,
        typer.Option("--from", metavar="VERSION|FILE", help="The one before, if not told; or a topic file."),
    ] = None,
    new: Annotated[
        str | None, typer.Option("--to", metavar="VERSION|FILE", help="What stands, if not told; or a topic file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare two versions of a search: papers gained and lost, by the library and by PubMed, and by which line."""
    with desk() as here, asking() as heard:
        to_version = _number(new, "--to") if new is not None and new.isdecimal() else None
        to_file = Path(new) if new is not None and to_version is None else None
        newer = drafted(here, topic, to_file, to_version)
        from_file = Path(old) if old is not None and _is_file_name(old) else None
        older: Strategy | Draft
        if from_file is not None:
            older, begins = drafted(here, topic, from_file), str(from_file)
        else:
            before = _number(old, "--from") if old is not None else _version_before(here, topic, to_file, to_version)
            older, begins = here.strategies.version(topic, before), f"version {before}"
        ends = str(to_file) if to_file else f"version {to_version or newer.based_on}"
        if begins == ends and not as_json:
            typer.echo(f"{topic}: {ends} is compared with itself; there is no difference.")
            return
        found = here.trials.diff(older, newer, tell=heard)
    if as_json:
        _print_object(found)
    else:
        _print_diff(topic, begins, ends, found)
    _tell_problems(found.why_not, found.refusals)


@group.command("test")
def hold_against(
    topic: TopicName,
    number: Annotated[str, typer.Argument(metavar="PMID")],
    source: FromFile = None,
    version: Number = None,
    as_json: Json = False,
) -> None:
    """Hold a search against one paper: line by line found or not, by which words, and what it lacks."""
    pmid = read_pmid(number)
    if pmid is None:
        raise UsageError(f"{number!r} is not a PMID, which is a number such as 38238616")
    with desk() as here, asking() as heard:
        draft = drafted(here, topic, source, version)
        try:
            found = here.trials.test(draft, pmid, tell=heard)
        except NotFound as error:
            tell(f"{error}.")
            leave(PARTLY)
        phrases: tuple[Phrase, ...] = ()
        if found.paper.held and source is None and version is None and found.wide_alone:
            phrases = here.trials.phrases_for_core(topic, pmid).phrases
    if as_json:
        from monitor.formats.pages import plain

        _print_object({**plain(found), "phrases": phrases})
    else:
        _print_test(found, phrases)
    _tell_problems(found.why_not, found.refusals)


def drafted(here: House, topic: str, source: Path | None = None, version: int | None = None) -> Draft:
    """Return what stands, or what a topic file says, or an older version; raises UsageError for both at once."""
    if source is not None and version is not None:
        raise UsageError("say --from or --version, not both")
    if source is None:
        return here.strategies.draft(topic, version)
    drafts = drafts_in(here, source)
    for each in drafts:
        if each.topic_id == topic:
            return each
    names = ", ".join(each.topic_id for each in drafts) or "no topic"
    raise UsageError(f"{source} holds {names}, not {topic}")


def lanes_named(lane: str | None) -> tuple[Lane, ...]:
    """Return the lane of this name, both for None; raises UsageError for another name."""
    from monitor.core.strategy import LANES

    if lane is None:
        return LANES
    if lane not in LANES:
        raise UsageError(f"--lane: {lane!r} is no lane; choose core or wide")
    return (lane,)


@contextmanager
def asking(most: int | None = None) -> Iterator[Callable[[int], object]]:
    """Show at a terminal that PubMed is being asked, and how often."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    of = f" of at most {most}" if most else ""

    def heard(number: int) -> None:
        sys.stderr.write(f"\rAsking PubMed: request {number}{of} …")
        sys.stderr.flush()

    try:
        yield heard
    finally:
        sys.stderr.write("\r" + " " * 60 + "\r")
        sys.stderr.flush()


def _is_file_name(text: str) -> bool:
    return Path(text).suffix.lower() in (".yaml", ".yml", ".toml")


def _number(text: str, option: str) -> int:
    if not text.isdecimal() or int(text) < 1 or len(text) > 9:
        raise UsageError(f"{option}: {text!r} is not the number of a version, nor a topic file (.yaml, .toml)")
    return int(text)


def _version_before(here: House, topic: str, to_file: Path | None, to_version: int | None) -> int:
    """Return what a comparison begins from: what stands for a file, else the version before."""
    stands = here.strategies.history(topic)[-1].version
    if to_file is not None:
        return stands
    after = to_version or stands
    if after == 1:
        raise UsageError(f"{topic}: version 1 has none before it; name what to compare with --from and --to")
    return after - 1


def _print_object(value: object) -> None:
    from monitor.formats.pages import json_text

    typer.echo(json_text(value), nl=False)


def _tell_problems(why_not: str | None, refusals: Sequence[str]) -> None:
    for text in refusals:
        tell(text)
    if why_not:
        tell(f"{why_not}\nWhat PubMed says is missing here; what the library says is whole.")
    if why_not or refusals:
        leave(PARTLY)


def _print_preview(draft: Draft, found: Previewed) -> None:
    typer.echo(f"{draft.title} ({draft.topic_id}), {found.lane}")
    if found.count is not None:
        typer.echo(f"PubMed counts {count(found.count, 'paper')}.")
        if found.recent is not None:
            typer.echo(f"Created in the last 30 days: {found.recent:,}.")
        if found.share is not None and found.share.of:
            share = found.share
            of = "" if share.whole else " newest, which are all that PubMed names of so large a set"
            typer.echo(f"In the library: {share.held:,} of {share.of:,}{of} ({share.held / share.of:.0%}).")
    matches = "matches" if found.library == 1 else "match"
    typer.echo(f"By our own reading, {count(found.library, 'paper')} of the library {matches}.")
    _print_apart(found.apart)
    if found.bars:
        typer.echo("\nBy Create Date:")
        longest = max((number or 0 for _, number in found.bars), default=0)
        first = next((at for at, (_, number) in enumerate(found.bars) if number != 0), 0)
        if first:
            typer.echo(f"  none before {found.bars[first][0]}")
        for label, number in found.bars[first:]:
            bar = "#" * -(-(number or 0) * WIDTH // longest) if longest else ""
            typer.echo(f"  {label:<12} {'?' if number is None else format(number, ','):>9}  {bar}".rstrip())
    typer.echo("\nIn the library, line by line (papers; of these, found by no other line):")
    for line in found.lines:
        if not line.line.enabled:
            said = "off"
        elif line.library is None:
            said = "only PubMed can read it"
        else:
            said = f"{line.library:,}; {line.unique:,}"
        typer.echo(f"  {line.position:>3}  {said:<14} {_short(line.line.query)}")
    typer.echo("\nNewest:" if found.count is not None else "\nNewest in the library:")
    for paper in found.newest:
        mark = "" if paper.held else "  (not in the library)"
        typer.echo(f"  {paper.pmid}  {paper.citation or 'its record could not be had'}{mark}")
    if not found.newest:
        typer.echo("  none")
    if found.translation:
        typer.echo(f"\nPubMed reads it as: {_short(found.translation, 3 * QUERY)}")
    typer.echo(f"\n{count(found.requests, 'request')} to PubMed; nothing was stored.")


def _print_apart(apart: Apart | None) -> None:
    if apart is None:
        return
    unnamed = len(apart.withdrawn) + len(apart.young) + len(apart.others)
    parts = [
        f"{len(pmids):,} {why} ({_pmids(pmids)})"
        for pmids, why in (
            (apart.withdrawn, "withdrawn by PubMed"),
            (apart.young, f"so young that PubMed may not search {'it' if len(apart.young) == 1 else 'them'} yet"),
            (apart.others, "that PubMed reads otherwise, or has changed since"),
        )
        if pmids
    ]
    if parts:
        typer.echo(f"  PubMed does not name {unnamed:,} of them: {'; '.join(parts)}.")
    if apart.unmatched:
        typer.echo(
            f"  PubMed names {count(len(apart.unmatched), 'paper')} of the library that our own reading does not find: "
            f"{_pmids(apart.unmatched)}."
        )


def _pmids(pmids: Sequence[int]) -> str:
    return ", ".join(map(str, pmids[:20])) + (" and others" if len(pmids) > 20 else "")


def _short(query: str, most: int = QUERY) -> str:
    """Shorten a search for the terminal; `--json` and `topic show` have it whole."""
    return query if len(query) <= most else f"{query[:most].rstrip()} … ({len(query):,} characters; whole with --json)"


def _print_diff(topic: str, old: str, new: str, found: Comparison) -> None:
    typer.echo(f"{topic}: {new} against {old}")
    for lane in found.lanes:
        if not lane.changed:
            typer.echo(f"\n{lane.lane}: searches the same.")
            continue
        if lane.old_query is None or lane.new_query is None:
            typer.echo(f"\n{lane.lane}: the lane is {'new' if lane.old_query is None else 'gone'}.")
        else:
            typer.echo(f"\n{lane.lane}")
        _print_side(lane.gained, "gained", "new")
        _print_side(lane.lost, "lost", "gone")
    typer.echo(f"\n{count(found.requests, 'request')} to PubMed; nothing was stored.")


def _print_side(side: Side, moved: str, done: str) -> None:
    said = f"{side.pubmed:,} by PubMed, " if side.pubmed is not None else ""
    typer.echo(f"  {moved}: {said}{len(side.library):,} of the library by our own reading")
    for line in side.lines:
        by = f"library {line.library:,}" if line.unreadable is None else "only PubMed can read it"
        by += f", PubMed {line.pubmed:,}" if line.pubmed is not None else ""
        typer.echo(f"    line {line.position} {done}: {_short(line.line.query)}  [{by}]")
    for each in side.papers:
        lines = f"line{'s' if len(each.lines) > 1 else ''} {', '.join(map(str, each.lines))}; " if each.lines else ""
        place = "held" if each.paper.held else "not in the library"
        typer.echo(f"    {each.paper.pmid}  {each.paper.title or 'its record could not be had'}  [{lines}{place}]")
    total = side.pubmed if side.pubmed is not None else len(side.library)
    if total > len(side.papers):
        typer.echo(f"    … {len(side.papers)} of {total:,}: the newest, then others from all over the rest")
    if side.agree:
        typer.echo("    PubMed and the library agree on the papers held." if total else "    PubMed says so too.")
    for pmids, who in ((side.only_library, "our own reading"), (side.only_pubmed, "PubMed")):
        if pmids:
            typer.echo(f"    They disagree: {count(len(pmids), 'paper')} held {moved} by {who} alone: {_pmids(pmids)}")


def _print_test(found: Tested, phrases: Sequence[Phrase]) -> None:
    typer.echo(f"{found.paper.citation}" + ("" if found.paper.held else "  (not in the library; fetched for this)"))
    for lane in found.lanes:
        _print_lane_test(lane)
    if phrases:
        typer.echo("\nOnly the wide lane finds it. Lines that would have put it into core, best first:")
        for phrase in phrases:
            good = (
                f"{phrase.good:,} of {phrase.total:,} others with it are core or kept"
                if phrase.total
                else "no other paper has it"
            )
            typer.echo(f"  {phrase.query}\n      {good}; core would gain {count(phrase.gain, 'paper')}")
            for pmid, title in phrase.titles:
                typer.echo(f"      {pmid}  {title}")
    if found.sentinels:
        typer.echo("\nSentinels:")
    for each in found.sentinels:
        ours = "not in the library" if each.lines is None else "core does not find it"
        if each.lines:
            ours = f"found by core line{'s' if len(each.lines) > 1 else ''} {', '.join(map(str, each.lines))}"
        theirs = "" if each.pubmed is None else "; PubMed finds it" if each.pubmed else "; PubMed does not find it"
        typer.echo(f"  {each.pmid}  {ours}{theirs}")


def _print_lane_test(lane: LaneTest) -> None:
    ours = "found" if lane.found else "not found"
    if lane.pubmed is None:
        said = f"{ours} by our own reading"
    elif lane.disagree:
        theirs = "finds it" if lane.pubmed else "does not find it"
        said = f"{ours} by our own reading, but PubMed {theirs}"
    else:
        said = f"{ours}, and PubMed says so too"
    typer.echo(f"\n{lane.lane}: {said}")
    for line in lane.lines:
        _print_line_test(line)


def _print_line_test(line: LineTest) -> None:
    typer.echo(f"  {line.position:>3}  {line.state:<10} {_short(line.line.query)}")
    for match in line.matches:
        typer.echo(f"         {_excerpt(match)}")
    if line.state == "unreadable":
        typer.echo(f"         only PubMed can read this line: {line.failed[0]}")
    elif line.failed:
        typer.echo("         it does not meet " + "; nor ".join(line.failed))
    for each in line.undecidable:
        typer.echo(f"         cannot be told from a record: {each}")


def _excerpt(match: Shown) -> str:
    return f"{match.place}: {match.before}»{match.words}«{match.after}   by {_short(match.term)}"
