"""`monitor demo`: nine weeks of an invented field, played through the sandbox with a set clock."""

from __future__ import annotations

import email
import email.header
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from email.message import Message
from pathlib import Path
from zoneinfo import ZoneInfo

import typer

from monitor.build import House, build
from monitor.cli import demo_desk
from monitor.cli.demo_desk import ADMIN, CURATOR, FORMER, MEMBER, PASSWORD
from monitor.cli.frame import choices, tell
from monitor.cli.serving import listen, serve
from monitor.core.polling import phrases_in_words
from monitor.errors import UsageError
from monitor.pubmed.sandbox import Corpus, Fault, Sandbox, SetClock
from monitor.resources import resource_dir
from monitor.settings import load, with_secret_key

START = date(2026, 9, 21)
WEEKS = 9
ZONE = ZoneInfo("Europe/Berlin")
CURATING = 1
"""The curator sits down on Tuesdays, after the digest."""
UNKNOWN_PHRASE = "CAR-iNK"
UNKNOWN_FROM, UNKNOWN_UNTIL = date(2026, 10, 6), date(2026, 10, 14)
FAILING_FROM, FAILING_UNTIL = date(2026, 10, 30), date(2026, 11, 3)
FAILING_TERM = "NKX101"
"""Stands in the search of one topic only."""
OUTAGE_FROM, OUTAGE_UNTIL = date(2026, 11, 3), date(2026, 11, 10)
NOTE_ON = date(2026, 11, 13)
NOTE = "The controls were matched after the fact; read the methods before you quote the difference."
"""What the curator writes of the best paper before the last digest."""
SENTINELS = {
    "car-nk": (101, 103, 104, 106, 108, 110),
    "ipsc-nk": (115, 117, 119, 121, 123, 125),
    "cik": (61, 63, 65, 67, 68, 69),
    "nk-adoptive": (136, 138, 139, 141, 143),
    "nk-engager": (72, 74, 76, 78, 80),
    "car-t-comparator": (151, 153, 155),
    "safety": (159,),
    "integrity": (164,),
}
"""Per topic, the invented papers that one line of its core alone finds; real sentinels are not in the sandbox."""
KEPT_FROM_WIDE = 90000112
SAVED_SEARCH = '("CAR-NK"[tiab] OR "CAR NK"[tiab:~2]) AND "clinical trial"[pt]'
MARKER = ".evidence-monitor-demo"
PORTS_TRIED = 50


class Unpaced:
    """The sandbox of the demo allows any rate."""

    def reserve(self) -> float:
        return 0.0


@dataclass
class Week:
    """What happened up to one digest day."""

    day: date
    new: int = 0
    revised: int = 0
    polls: int = 0
    failed: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    withdrawn: int = 0
    mails: list[tuple[str, str, Path]] = field(default_factory=list)
    note: str = ""


def play(folder: Path, port: int, *, once: bool = False) -> None:
    """Play the story into `folder`, print what happened, and serve the issues unless `once`."""
    folder = folder.absolute()
    _prepare(folder)
    with demo_house(folder, port) as (house, sandbox, clock, listener):
        tell(f"Playing {WEEKS} weeks of invented papers. Nothing leaves this machine.")
        mails = folder / "mail"
        for week in story(house, sandbox, clock, mails):
            for line in week_lines(week):
                typer.echo(line)
        for line in _end_lines(folder):
            typer.echo(line)
        if once:
            return
        for line in _further_lines(folder, sandbox, house.settings.public_url):
            typer.echo(line)
        clock.run()
        serve(house, "127.0.0.1", port, worker=True, bound=listener)


@contextmanager
def demo_house(folder: Path, port: int) -> Iterator[tuple[House, Sandbox, SetClock, socket.socket]]:
    """Open an installation in `folder` that asks a sandbox, mails into a folder, and lives by a set clock."""
    listener = listen("127.0.0.1", port, tries=PORTS_TRIED)
    clock = SetClock()
    clock.set(_at(START, 5))
    corpus = Corpus.read(resource_dir("db") / "seed" / "demo_corpus.xml")
    with listener, Sandbox(corpus, clock=clock, rate_limit=None) as sandbox:
        settings = with_secret_key(
            load(
                choices.config,
                environ={},
                home=folder,
                eutils_url=sandbox.url,
                public_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
                mail_from="NK evidence (demo) <digest@lab.example>",
                timezone=ZONE.key,
            )
        )
        with build(settings, clock=clock, create=True) as house:
            house.pacer = Unpaced()
            house.patience = 0.0
            house.expect_worker = False
            yield house, sandbox, clock, listener


def story(house: House, sandbox: Sandbox, clock: SetClock, mails: Path) -> Iterator[Week]:
    """Live through the weeks, day by day as a worker would; yield each digest day with what led to it."""
    _people(house)
    _sentinels(house)
    seen: set[Path] = set()
    week = Week(START)
    for number in range((WEEKS - 1) * 7 + 1):
        day = START + timedelta(days=number)
        digest_day = day.weekday() == START.weekday()
        week.day = day
        if OUTAGE_FROM <= day < OUTAGE_UNTIL:
            week.note = "the machine was down all week: nothing was polled and no digest was made"
        else:
            clock.set(_at(day, 6))
            _weather(sandbox, day)
            _poll(house, week)
            if digest_day:
                clock.set(_at(day, 7))
                house.publishing.publish()
                house.delivering.run()
                week.mails = sorted(_new_mails(mails, seen), key=lambda mail: mail[0])
                _return_one(house, week)
            if day.weekday() == CURATING and day < NOTE_ON - timedelta(days=1):
                demo_desk.sit_down(house, day)
            if day == NOTE_ON:
                demo_desk.sit_down(house, day, NOTE, new=3, older=0)
        if digest_day:
            yield week
            week = Week(day)
    _last_things(house)


def week_lines(week: Week) -> Iterator[str]:
    """Tell a week: what was searched and found, what went wrong, and which mails went out."""
    yield f"\n{week.day:%a %d %b %Y}   {week.polls} searches: {week.new} new, {week.revised} revised"
    if week.failed:
        yield f"    searches failed for {', '.join(sorted(week.failed))}"
    for phrase in sorted(week.unknown):
        yield f"    PubMed did not know the phrase “{phrase}”; the digest says so"
    if week.withdrawn:
        yield f"    {week.withdrawn} withdrawn: PubMed no longer has it, we keep it"
    for address, subject, _ in week.mails:
        yield f"    {address:<20} {subject}"
    if week.note:
        yield f"    {week.note}"


def _end_lines(folder: Path) -> Iterator[str]:
    number = len(list((folder / "mail").glob("*.eml")))
    yield f"\n{number} mails lie in {folder / 'mail'}; the papers came from {resource_dir('db') / 'seed' / 'demo_corpus.xml'}"
    yield f"Look closer with  {_command(folder)} …"
    for asked, answer in (
        ("show 90000201 --versions", "what became of one paper"),
        ("search 'lymphoma \"NK cell*\"[tiab]'", "the library, in PubMed's language"),
        (f"topic test car-nk {KEPT_FROM_WIDE}", "why a paper was not found, and what would find it"),
        ("topic report car-nk", "what the search has proved to find"),
    ):
        yield f"  {asked:<36} {answer}"


def _further_lines(folder: Path, sandbox: Sandbox, address: str) -> Iterator[str]:
    """Where to sign in as whom, and what can be tried while the imitation of PubMed answers."""
    yield f"\nOpen {address}/ and sign in with the password  {PASSWORD}"
    for who, sees in (
        (MEMBER, "the week, the papers, digests and settings"),
        (CURATOR, "and the queue: press ? for its keys"),
        (ADMIN, "and searches, vocabulary, runs, people and the digest studio"),
    ):
        yield f"  {who:<20} {sees}"
    ask = f"MONITOR_EUTILS_URL={sandbox.url} {_command(folder)}"
    yield "\nPubMed is imitated as long as this runs. In another terminal:"
    yield f"  {ask} topic preview car-nk"
    yield f"  {ask} topic edit cik --line 1 --off --dry-run     (what a change would cost)"
    yield f"  {ask} topic report car-nk\n"


def _command(folder: Path) -> str:
    command = sys.argv[0] if Path(sys.argv[0]).name == "monitor" else "monitor"
    return f"{command} --home {folder}"


def _people(house: House) -> None:
    demo_desk.people(house)
    everything = [state.stored.id for state in house.topics.all()]
    house.subscribing.subscribe(MEMBER, ["car-nk", "ipsc-nk", "cik", "nk-adoptive"], zone=ZONE.key)
    house.subscribing.subscribe(CURATOR, everything, zone=ZONE.key)
    house.subscribing.subscribe(FORMER, ["cik"], zone=ZONE.key)


def _sentinels(house: House) -> None:
    """Let every topic stand on papers that the sandbox has, as a lab would with papers it knows."""
    for topic_id, numbers in SENTINELS.items():
        draft = replace(house.strategies.draft(topic_id), sentinels=tuple(90000000 + number for number in numbers))
        house.strategies.save(draft, "sentinels among the invented papers")


def _last_things(house: House) -> None:
    """Leave something of everything behind, for those who look around."""
    house.screening.decide([KEPT_FROM_WIDE], "keep", topics=["car-nk"], actor=house.screening.curator(CURATOR))
    house.saved.save("CAR-NK trials", SAVED_SEARCH)
    demo_desk.vote(house)
    house.vocabularies.refresh()


def _weather(sandbox: Sandbox, day: date) -> None:
    """Let PubMed behave as the story wants it on this day."""
    sandbox.unknown_phrases = [UNKNOWN_PHRASE] if UNKNOWN_FROM <= day < UNKNOWN_UNTIL else []
    sandbox.faults.clear()
    if FAILING_FROM <= day < FAILING_UNTIL:
        sandbox.fault(Fault.DATABASE_OUTAGE, utility="esearch", term=FAILING_TERM)


def _poll(house: House, week: Week) -> None:
    report = house.polling.poll_due(house.settings.poll_hour, ZONE)
    for outcome in report.outcomes:
        week.polls += 1
        if outcome.state == "failed":
            week.failed.add(outcome.topic_id)
        if outcome.poll is not None and outcome.kind == "window":
            week.new += outcome.poll.new
            week.revised += outcome.poll.revised
            week.unknown |= set(phrases_in_words(outcome.poll.unknown_phrases))
    before = house.library.totals().withdrawn
    checked = house.rechecking.run()
    if checked.poll is not None:
        week.revised += checked.poll.revised
    week.withdrawn += house.library.totals().withdrawn - before


def _new_mails(folder: Path, seen: set[Path]) -> Iterator[tuple[str, str, Path]]:
    for path in sorted(set(folder.glob("*.eml")) - seen):
        seen.add(path)
        message = _read(path)
        yield str(message["To"]), _subject(message), path


def _return_one(house: House, week: Week) -> None:
    """The former member's mail comes back from the first issue on, as a relay would report it."""
    for address, _, path in week.mails:
        if FORMER in address:
            received = house.bouncing.receive(_notice(_read(path)))
            if received.suppressed:
                week.note = f"{FORMER} bounced: no more mail goes there"


def _notice(message: Message) -> bytes:
    """Return a delivery status notice (RFC 3464) about one mail."""
    return "\r\n".join(
        [
            "From: MAILER-DAEMON@relay.lab.example",
            "To: digest@lab.example",
            "Subject: Undelivered Mail Returned to Sender",
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="=_demo"',
            "",
            "--=_demo",
            "Content-Type: text/plain",
            "",
            "The mail could not be delivered.",
            "--=_demo",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; relay.lab.example",
            "",
            f"Final-Recipient: rfc822; {FORMER}",
            "Action: failed",
            "Status: 5.1.1",
            "Diagnostic-Code: smtp; 550 5.1.1 no such user",
            "",
            "--=_demo",
            "Content-Type: text/rfc822-headers",
            "",
            f"Message-ID: {message['Message-ID']}",
            f"To: {FORMER}",
            "",
            "--=_demo--",
            "",
        ]
    ).encode("ascii")


def _read(path: Path) -> Message:
    return email.message_from_bytes(path.read_bytes())


def _subject(message: Message) -> str:
    return str(email.header.make_header(email.header.decode_header(message["Subject"])))


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour, 5), ZONE).astimezone(UTC)


def _prepare(folder: Path) -> None:
    """Empty the folder of an earlier demo; a folder that holds anything else is refused."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise UsageError(f"{folder} holds something that is no demo; choose another --dir")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / MARKER).write_text("made by monitor demo; it is emptied at the next one\n", encoding="ascii")
    except OSError as error:
        raise UsageError(f"cannot use {folder}: {error.strerror}") from error
