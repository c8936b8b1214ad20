"""`monitor init`, `up`, `web`, `worker`, `poll`, `digest`, `send`, `bounce`, `doctor`: the daily work."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.frame import (
    PARTLY,
    UNREACHABLE,
    Json,
    app,
    count,
    house,
    leave,
    print_json,
    read_date,
    settings,
    tell,
)
from monitor.core.polling import phrases_in_words
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.build import House
    from monitor.services.lanepoll import PollOutcome
    from monitor.services.polling import Preview
    from monitor.services.publishing import Planned

NOTICE_LIMIT = 10 * 2**20

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)]


@app.command("init")
def init(
    index: Annotated[
        bool, typer.Option("--index", help="Write the search index anew even if nothing calls for it.")
    ] = False,
) -> None:
    """Create or upgrade the database and its search index, and load the starter topics, vocabulary and levels; safe to repeat."""
    from monitor.build import House
    from monitor.cli.progress import index_progress
    from monitor.settings import with_secret_key
    from monitor.storage.engine import connect

    told = with_secret_key(settings())
    database = connect(told.database_url.get_secret_value())
    try:
        with index_progress() as show:
            report, indexed, rulebooks = House(told, database).setup.run(show, index=index)
        typer.echo(f"{database.name} is ready.")
    finally:
        database.dispose()
    if indexed is not None:
        typer.echo(f"search index written anew over {indexed.citations:,} citations")
        if indexed.damaged:
            some = ", ".join(map(str, indexed.damaged[:10]))
            tell(
                f"{len(indexed.damaged):,} stored records are damaged, and no search finds them (PMID {some}); restore a backup, or let the next fetch replace them"
            )
    for names, what in ((report.added, "added"), (report.renewed, "renewed"), (report.kept, "left as you have them")):
        if names:
            typer.echo(f"topics {what}: {', '.join(names)}")
    for kind, what in rulebooks.items():
        typer.echo(f"{kind} {'left as you have it' if what == 'kept' else what}")


@app.command("up")
def up(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve web pages and run the worker on one machine; Ctrl-C stops both."""
    _serve(host, port, worker=True)


@app.command("web")
def web(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the web pages alone."""
    _serve(host, port, worker=False)


@app.command("worker")
def worker() -> None:
    """Poll, select and send what is due, until stopped."""
    from monitor.cli.serving import Running, stopped_by_signals

    with stopped_by_signals() as stop, house() as here:
        _say_what_is_missing(here)
        running = Running(here, pages=False, worker=True)
        running.start()
        tell("Working. Ctrl-C stops.")
        try:
            stop.wait()
        finally:
            running.stop()
    tell("Stopped.")


@app.command("poll")
def poll(
    topics: Annotated[
        list[str] | None, typer.Argument(metavar="TOPIC", help="Only these; all when none is named.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First day, instead of the usual overlap.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day.")] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="Compare the whole set; what PubMed created before the topic was watched is never news."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Ask PubMed for counts and store nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Ask PubMed now: what is new and what was revised."""
    from monitor.cli.progress import poll_progress

    first, last = read_date(since, "--from"), read_date(until, "--to")
    with house() as here:
        if dry_run:
            previews = here.polling.preview(topics or (), since=first, until=last, full=full)
            _tell_previews(previews, as_json=as_json)
            return
        with poll_progress() as progress:
            report = here.polling.poll(topics or (), since=first, until=last, full=full, progress=progress)
    if as_json:
        print_json([_outcome_object(each) for each in report.outcomes])
    else:
        for each in report.outcomes:
            typer.echo(_outcome_line(each))
    for each in report.outcomes:
        if each.error:
            tell(f"{each.topic_id} ({each.lane}): {each.error}")
        for phrase in phrases_in_words(each.poll.unknown_phrases) if each.poll else ():
            tell(f"{each.topic_id} ({each.lane}): PubMed does not know the phrase “{phrase}” and searched without it.")
        for text in (*each.poll.warnings, *each.poll.refused) if each.poll else ():
            tell(f"{each.topic_id} ({each.lane}): {text}")
    leave(report.exit_code)


@app.command("digest")
def digest(
    on: Annotated[str | None, typer.Option(metavar="DATE", help="Take this day as everybody's digest day.")] = None,
    to: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Send a marked test to this address; nothing is recorded.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be queued, and queue nothing.")] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write .eml, .html and .txt there instead of queueing.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Select, freeze and queue what is due."""
    day = read_date(on, "--on")
    with house() as here:
        if to is not None:
            _test(here, to, on, output, dry_run=dry_run)
            return
        if dry_run or output is not None:
            planned = here.publishing.plan(day)
            if output is not None:
                _write(here, planned, output)
            _tell_planned(planned, as_json=as_json)
            return
        published = here.publishing.publish(day)
    if as_json:
        print_json({"issues": published.issues, "deliveries": published.deliveries})
    elif published.deliveries:
        typer.echo(
            f"{count(published.issues, 'issue')} for {count(published.deliveries, 'person', 'people')} queued. monitor send delivers; a running worker does it by itself."
        )
    else:
        typer.echo("Nothing is due.")


@app.command("send")
def send(
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many mails.")] = None, as_json: Json = False
) -> None:
    """Deliver what is queued."""
    with house() as here:
        report = here.delivering.send(limit)
        waiting = here.delivering.outbox()
    if as_json:
        print_json(
            {
                "sent": report.sent,
                "retried": report.retried,
                "failed": report.failed,
                "cancelled": report.cancelled,
                "doubtful": report.doubtful,
                "resent": report.resent,
                "waiting": waiting.queued + waiting.leased + waiting.in_doubt,
                "stopped": report.stopped,
                "problems": report.problems,
            }
        )
    else:
        typer.echo(f"{count(report.sent, 'mail')} sent, {waiting.queued + waiting.leased + waiting.in_doubt} waiting.")
    for problem in report.problems:
        tell(problem)
    if report.stopped:
        tell(report.stopped)
    if report.problems or report.stopped:
        leave(PARTLY)


@app.command("bounce")
def bounce(as_json: Json = False) -> None:
    """Read one delivery status notice from standard input and act on it."""
    if sys.stdin.isatty():
        tell("Reading one message from standard input; Ctrl-D ends it.")
    # What a notice says stands in its first parts; the rest of a very long one is the mail it returns.
    octets = sys.stdin.buffer.read(NOTICE_LIMIT)
    if not octets.strip():
        raise UsageError("standard input is empty: feed it one message, as it came back")
    with house() as here:
        received = here.bouncing.receive(octets)
    if as_json:
        print_json(
            {
                "kind": received.kind,
                "address": received.address,
                "suppressed": received.suppressed,
                "known": received.known,
                "summary": received.summary,
            }
        )
    else:
        typer.echo(f"{received.address}: {received.summary}" if received.address else received.summary)


@app.command("doctor")
def doctor(as_json: Json = False) -> None:
    """Tell what is overdue, failing, damaged or unsafe, and what to do about it."""
    from monitor.core.health import State, headline, report

    with house() as here:
        found = here.health.findings(thorough=True)
    if as_json:
        print_json(report(found))
    else:
        typer.echo(headline(found))
        for each in found:
            typer.echo(
                f"  {each.state:<8} {each.what}: {each.text}" + (f"\n{'':11}{each.advice}" if each.advice else "")
            )
    if any(each.state is State.PROBLEM for each in found):
        leave(PARTLY)


def _serve(host: str, port: int, *, worker: bool) -> None:
    from monitor.cli.serving import listen, serve, stopped_by_signals
    from monitor.settings import LOOPBACK

    with stopped_by_signals(), listen(host, port) as listener, house(create=worker) as here:
        _say_what_is_missing(here)
        if host not in LOOPBACK:
            tell(f"Only requests for {here.settings.public_url} are answered (MONITOR_PUBLIC_URL), and this machine's.")
        serve(here, host, port, worker=worker, bound=listener)


def _say_what_is_missing(here: House) -> None:
    from monitor.mail.transport import FolderRoute, parse_mail_url

    if not here.may_ask_pubmed:
        tell(
            "PubMed is not asked without a contact address. An admin gives it on the page Set-up, or set it and start again:\n"
            "  export MONITOR_NCBI_EMAIL=you@lab.example"
        )
    if not any(person.subscription for person in here.subscribing.everyone()):
        tell(
            "Nobody is subscribed yet:\n  monitor person add ADDRESS\n"
            "  monitor person subscribe ADDRESS TOPIC...      (monitor topic list names the topics)"
        )
    route = parse_mail_url(here.settings.mail_url.get_secret_value(), plain_relays=here.settings.mail_plain_relays)
    if isinstance(route, FolderRoute):
        tell(f"Mails become files in {route.folder}; MONITOR_MAIL_URL names a mail server.")


def _test(here: House, to: str, on: str | None, output: Path | None, *, dry_run: bool) -> None:
    day = read_date(on, "--on")
    if output is not None or dry_run:
        planned = here.publishing.preview(to, day, test=True)
        if output is not None:
            _write(here, [planned], output)
        typer.echo(planned.letter.subject)
        return
    from monitor.services.studio import send_one

    send_one(here.transport, here.sender.address, to, here.publishing.test_mail(to, day))
    typer.echo(f"A test went to {to}. Nothing was recorded.")


def _write(here: House, planned: list[Planned], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, each in enumerate(planned, 1):
            stem = folder / f"{each.slot.label}-{number}"
            stem.with_suffix(".html").write_text(each.letter.html, encoding="utf-8")
            stem.with_suffix(".txt").write_text(each.letter.text, encoding="utf-8")
            stem.with_suffix(".eml").write_bytes(here.publishing.sample(each))
    except OSError as error:
        raise UsageError(f"--output: cannot write into {folder}: {error.strerror}") from error


def _tell_planned(planned: list[Planned], *, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {"slot": each.slot.day, "label": each.slot.label, "subject": each.letter.subject, "to": each.addresses}
                for each in planned
            ]
        )
        return
    for each in planned:
        typer.echo(f"{each.slot.label}  {each.letter.subject}\n{'':10}to {', '.join(each.addresses)}")
    if not planned:
        typer.echo("Nothing is due.")


def _tell_previews(previews: tuple[Preview, ...], *, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {
                    "topic": each.topic_id,
                    "lane": each.lane,
                    "count": each.count,
                    "query": each.query,
                    "translation": each.translation,
                    "unknown_phrases": each.unknown_phrases,
                    "warnings": each.warnings,
                    "error": each.error,
                }
                for each in previews
            ]
        )
    else:
        for each in previews:
            typer.echo(f"{each.topic_id:<18} {each.lane:<5} {'?' if each.count is None else format(each.count, ',')}")
    for each in previews:
        if each.error:
            tell(f"{each.topic_id} ({each.lane}): {each.error}")
        for phrase in phrases_in_words(each.unknown_phrases):
            tell(f"{each.topic_id} ({each.lane}): PubMed does not know the phrase “{phrase}” and searched without it.")
    if previews and not any(each.reached and each.count is not None for each in previews):
        leave(UNREACHABLE)
    if any(each.error or each.unknown_phrases for each in previews):
        leave(PARTLY)


def _outcome_line(each: PollOutcome) -> str:
    poll = each.poll
    if poll is None or poll.count is None:
        return f"{each.topic_id:<18} {each.lane:<5} {each.state}"
    return (
        f"{each.topic_id:<18} {each.lane:<5} {each.state:<7} PubMed counts {poll.count:,}: {poll.new:,} new, {poll.revised:,} revised, {poll.unchanged:,} unchanged"
        + (f", {poll.missing:,} missing" if poll.missing else "")
        + (f", {len(poll.refused):,} unreadable" if poll.refused else "")
    )


def _outcome_object(each: PollOutcome) -> dict[str, object]:
    poll = each.poll
    found: dict[str, object] = {
        "topic": each.topic_id,
        "lane": each.lane,
        "kind": each.kind,
        "state": each.state,
        "error": each.error,
        "query": each.query,
    }
    if poll is not None:
        found |= {
            "count": poll.count,
            "found": poll.found,
            "new": poll.new,
            "revised": poll.revised,
            "unchanged": poll.unchanged,
            "missing": poll.missing,
            "translation": poll.translation,
            "unknown_phrases": poll.unknown_phrases,
            "warnings": poll.warnings,
            "refused": poll.refused,
            "seconds": poll.seconds,
        }
    return found
