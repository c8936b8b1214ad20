"""Every command of the contract, against the sandbox over real HTTP."""

from __future__ import annotations

import email
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import policy
from pathlib import Path

import pytest

from monitor.pubmed.sandbox import Fault, Sandbox
from tests.acceptance.cli_world import FIRST, Cli, corpus, process
from tests.postgres import PostgresServer
from tests.unit.sandbox.records import record

ADA = "ada@lab.example"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(corpus(), rate_limit=None) as found:
        yield found


@pytest.fixture
def cli(terminal: Cli, sandbox: Sandbox) -> Cli:
    sandbox.faults.clear()
    sandbox.unknown_phrases = []
    terminal.settings["MONITOR_EUTILS_URL"] = sandbox.url
    return terminal


@pytest.fixture
def house(cli: Cli, template: Path) -> Cli:
    shutil.copytree(template, cli.home)
    return cli


@pytest.fixture
def full(house: Cli) -> Cli:
    """With the papers of CAR-NK polled and one reader."""
    assert house("poll", "car-nk").code == 0
    assert house("person", "add", ADA, "--name", "Ada").code == 0
    assert house("person", "subscribe", ADA, "car-nk", "--day", "monday", "--hour", "7").code == 0
    return house


def age(cli: Cli, days: int = 9) -> None:
    """Let the subscription and all that was found be older, so that a digest is due now."""
    with sqlite3.connect(cli.home / "monitor.db") as database:
        before = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S.000000")
        database.execute("UPDATE subscription SET scheduled_at = ?, created_at = ?", (before, before))
        database.execute("UPDATE subscription_topic SET since = ?", (before,))
    database.close()


def test_init_makes_everything_and_may_be_repeated(cli: Cli) -> None:
    first, second = cli("init"), cli("init")
    assert (first.code, second.code) == (0, 0)
    assert "topics added: car-nk" in first.out
    assert "added" not in second.out
    assert (cli.home / "secret-key").stat().st_mode & 0o777 == 0o600


def test_a_command_that_reads_makes_nothing_where_nothing_is(cli: Cli) -> None:
    said = cli("cite", FIRST)
    assert (said.code, "monitor init" in said.err) == (4, True)
    assert not cli.home.exists()


def test_poll_tells_each_topic_and_stores(house: Cli) -> None:
    said = house("poll", "car-nk", "cik", "--json")
    assert said.code == 0, said.err
    core = {each["topic"]: each for each in said.json if each["lane"] == "core"}
    assert (core["car-nk"]["count"], core["car-nk"]["new"], core["cik"]["new"]) == (2, 2, 2)
    assert {"query", "translation", "unknown_phrases", "warnings", "seconds", "missing"} <= set(core["cik"])
    again = house("poll", "car-nk", "--from", "2020-01-01")
    assert "0 new, 0 revised, 2 unchanged" in again.out


def test_a_dry_run_counts_and_stores_nothing(house: Cli) -> None:
    said = house("poll", "car-nk", "--full", "--dry-run")
    assert (said.code, "car-nk" in said.out) == (0, True)
    assert house("export").out == ""


def test_poll_is_3_when_no_topic_reached_pubmed(house: Cli, sandbox: Sandbox) -> None:
    sandbox.fault(Fault.REDIRECT_302)
    for words in (["poll", "cik"], ["poll", "cik", "--dry-run"]):
        said = house(*words)
        assert (said.code, "cik" in said.err) == (3, True)


def test_poll_is_1_when_some_failed_and_when_a_phrase_is_unknown(house: Cli, sandbox: Sandbox) -> None:
    sandbox.unknown_phrases = ["CAR-NK"]
    said = house("poll", "car-nk")
    assert (said.code, "does not know the phrase" in said.err) == (1, True)
    sandbox.unknown_phrases = []
    sandbox.fault(Fault.RETSTART_REFUSED, term="cytokine-induced")
    said = house("poll", "car-nk", "cik")
    assert said.code == 1
    assert "cik" in said.err


def test_cite_in_every_style_and_unknown_ones(full: Cli) -> None:
    said = full("cite", FIRST, 1)
    assert said.code == 1
    assert "Invented J Cell Ther" in said.out
    assert said.err == "PMID 1 is not in the library.\n"
    for style in ("nlm", "summary", "vancouver", "gbt7714"):
        assert full("cite", FIRST, "--style", style).code == 0
    assert full("cite", FIRST, "--style", "apa").code == 2


def test_show_whole_with_versions_and_as_json(full: Cli) -> None:
    shown = full("show", FIRST, "--versions")
    assert (shown.code, "Invented words." in shown.out, "first seen" in shown.out or "new" in shown.out) == (
        0,
        True,
        True,
    )
    assert "Proposed: no level" in shown.out or "Proposed: level" in shown.out
    found = full("show", FIRST, "--json").json
    assert found["proposed"]["rule"].startswith("L")
    assert (found["citation"]["pmid"], found["retracted"], len(found["versions"])) == (FIRST, False, 1)
    assert full("show", 1).code == 1


def test_export_to_a_file_or_the_terminal_in_every_format(full: Cli) -> None:
    lines = full("export").out.splitlines()
    assert {json.loads(line)["pmid"] for line in lines} == {FIRST, FIRST + 1}
    for name in ("jsonl", "nbib", "ris", "bibtex", "csl-json", "csv"):
        target = full.home.parent / f"library.{name}"
        assert full("export", "--format", name, "-o", target).code == 0
        assert target.stat().st_size > 100
    partly = full("export", FIRST, 7)
    assert (partly.code, len(partly.out.splitlines()), "PMID 7" in partly.err) == (1, 1, True)


def test_a_failed_export_leaves_the_old_file(full: Cli) -> None:
    target = full.home.parent / "library.csv"
    target.write_text("kept")
    assert full("export", "--format", "nosuch", "-o", target).code == 2
    assert target.read_text() == "kept"
    assert full("export", "-o", full.home.parent / "no" / "such" / "folder").code == 2


def test_what_is_exported_can_be_imported_elsewhere(full: Cli, tmp_path: Path) -> None:
    nbib, pmids = tmp_path / "named.nbib", tmp_path / "pmids.txt"
    full("export", "--format", "nbib", "-o", nbib)
    pmids.write_text(f"{FIRST}\n{FIRST + 2}\n")
    other = Cli(tmp_path / "other", full.capture, full.environ, full.settings)
    assert other("init").code == 0
    said = other("import", nbib, pmids, "--json")
    assert (said.code, said.json["new"], said.json["files"]) == (0, 3, 2)
    assert "3" not in other("import", pmids).err


def test_import_is_1_when_a_record_is_refused(house: Cli, tmp_path: Path) -> None:
    ris = tmp_path / "old.ris"
    ris.write_text("TY  - JOUR\nTI  - Invented paper without a number\nER  - \n")
    said = house("import", ris)
    assert (said.code, "no PMID" in said.err) == (1, True)


def test_topics_are_listed_and_shown(full: Cli) -> None:
    listed = full("topic", "list")
    assert "car-nk" in listed.out
    assert "done" in listed.out
    shown = full("topic", "show", "car-nk")
    assert ("expanded:" in shown.out, "last poll: done" in shown.out) == (True, True)
    found = {each["id"]: each for each in full("topic", "list", "--json").json}
    assert found["car-nk"]["lanes"]["core"]["hits"] == 2
    whole = full("topic", "show", "car-nk", "--json").json
    assert whole["lanes"]["core"]["lines"][0]["reason"]
    assert full("topic", "show", "carnk").code == 2


def test_people_from_adding_to_disabling(house: Cli) -> None:
    assert house("person", "list").out.startswith("Nobody yet")
    assert house("person", "add", ADA).code == 0
    assert house("person", "add", ADA).code == 2
    said = house(
        "person", "subscribe", ADA, "cik", "--day", "friday", "--hour", "9", "--zone", "Europe/Berlin", "--limit", "5"
    )
    assert said.out == f"{ADA} receives cik on Fridays at 09:00 Europe/Berlin, at most 5 papers in full.\n"
    held = house("person", "list", "--json").json[0]["subscription"]
    assert held == {
        "topics": ["cik"], "day": "friday", "hour": 9, "zone": "Europe/Berlin", "language": "en", "limit": 5, "retired_topics": [],
        "floor": None, "paused_until": None,
    }  # fmt: skip
    said = house("person", "subscribe", ADA, "--floor", "b3", "--pause-until", "2099-01-01")
    assert (said.code, "within a year" in said.err) == (2, True)
    said = house("person", "subscribe", ADA, "--floor", "b3")
    assert said.out.endswith("at most 5 papers in full, level B3 or better.\n")
    until = (datetime.now(UTC) + timedelta(days=30)).date()
    assert house("person", "subscribe", ADA, "--pause-until", until.isoformat()).out.endswith(
        f"; paused until {until}.\n"
    )
    assert "paused" not in house("person", "subscribe", ADA, "--resume").out
    assert house("person", "subscribe", ADA, "--resume", "--pause-until", until.isoformat()).code == 2
    assert "level" not in house("person", "subscribe", ADA, "--floor", "all").out
    assert house("person", "unsubscribe", ADA).code == 0
    assert house("person", "subscribe", ADA, "cik").code == 2, "whoever left comes back only by their own wish"
    assert house("person", "subscribe", ADA, "cik", "--opt-in").code == 0
    assert house("person", "disable", ADA).code == 0
    assert "disabled" in house("person", "list").out
    assert house("person", "unsubscribe", "nobody@lab.example").code == 0
    assert house("person", "disable", "nobody@lab.example").code == 2


def test_a_digest_is_planned_written_queued_and_sent(full: Cli, tmp_path: Path) -> None:
    assert full("digest").out == "Nothing is due.\n"
    age(full)
    planned = full("digest", "--dry-run", "--json").json
    assert [each["to"] for each in planned] == [[ADA]]
    out = tmp_path / "written"
    assert full("digest", "--output", out).code == 0
    assert sorted(path.suffix for path in out.iterdir()) == [".eml", ".html", ".txt"]
    assert full("digest").out.startswith("1 issue for 1 person queued.")
    assert full("digest").out == "Nothing is due.\n"
    assert full("send").out == "1 mail sent, 0 waiting.\n"
    assert full("send", "--json").json["sent"] == 0
    (mail,) = (full.home / "mail").glob("*.eml")
    message = email.message_from_bytes(mail.read_bytes(), policy=policy.default)
    assert message["To"] == ADA
    assert message["Subject"] == planned[0]["subject"]
    written = next(out.glob("*.txt")).read_text()
    assert "CAR-NK" in written


def test_a_test_mail_is_marked_and_recorded_nowhere(full: Cli) -> None:
    said = full("digest", "--to", "boss@lab.example")
    assert (said.code, "Nothing was recorded" in said.out) == (0, True)
    (mail,) = (full.home / "mail").glob("*.eml")
    assert b"boss@lab.example" in mail.read_bytes()
    assert full("send", "--json").json["waiting"] == 0


def test_mail_out_of_reach_is_3_and_nothing_is_lost(full: Cli) -> None:
    age(full)
    assert full("digest").code == 0
    full.settings["MONITOR_MAIL_URL"] = "smtp://127.0.0.1:1?tls=none"
    assert full("send").code == 3
    assert full("digest", "--to", ADA).code == 3
    del full.settings["MONITOR_MAIL_URL"]
    assert full("doctor", "--json").json["status"] == "problem"


def test_a_bounce_closes_the_address(full: Cli) -> None:
    age(full)
    full("digest")
    full("send")
    (mail,) = (full.home / "mail").glob("*.eml")
    notice = (
        "From: MAILER-DAEMON@relay.example\nTo: x@lab.example\nSubject: Undelivered\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nIt could not be delivered.\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; relay.example\n\n"
        f"Final-Recipient: rfc822; {ADA}\nAction: failed\nStatus: 5.1.1\n\n"
        f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {email.message_from_bytes(mail.read_bytes())['Message-ID']}\n"
        "\n--b--\n"
    ).replace("\n", "\r\n")
    said = full("bounce", "--json", stdin=notice.encode())
    assert (said.code, said.json["suppressed"], said.json["address"]) == (0, True, ADA)
    assert "no mail" in full("person", "list").out
    assert full("bounce", stdin=b" \n").code == 2
    assert full("bounce", stdin=b"\x00\xff" * 500).code in (0, 2)


def test_doctor_is_1_for_any_problem_and_json_for_scripts(full: Cli) -> None:
    said = full("doctor")
    assert (said.code, "No worker is running" in said.out) == (1, True)
    found = full("doctor", "--json").json
    assert found["status"] == "problem"
    assert {each["state"] for each in found["findings"]} >= {"problem", "fine"}


def test_a_backup_is_restored_into_an_empty_database_only(full: Cli, tmp_path: Path) -> None:
    archive = tmp_path / "monitor.backup"
    said = full("backup", archive, "--json")
    assert (said.code, said.json["rows"] > 10) == (0, True)
    assert full("restore", archive).code == 2
    other = Cli(tmp_path / "other", full.capture, full.environ, full.settings)
    assert other("restore", archive, "--json").json["rows"] == said.json["rows"]
    assert other("export").out == full("export").out
    assert full("backup", tmp_path).code == 2


def test_the_whole_way_on_postgresql(cli: Cli, postgres_server: PostgresServer, tmp_path: Path) -> None:
    name = postgres_server.fresh()
    cli.settings["MONITOR_DATABASE_URL"] = postgres_server.url(name)
    try:
        assert cli("poll").code == 4
        for words in (
            ["init"],
            ["poll", "car-nk"],
            ["cite", FIRST],
            ["show", FIRST, "--json"],
            ["export", "--format", "csv"],
            ["topic", "list"],
            ["person", "add", ADA],
            ["person", "subscribe", ADA, "car-nk"],
            ["digest", "--to", ADA],
            ["digest"],
            ["send"],
            ["backup", tmp_path / "archive"],
        ):
            assert cli(*words).code == 0, words
        assert cli("doctor").code == 1
        assert cli("restore", tmp_path / "archive").code == 2
    finally:
        postgres_server.drop(name)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_up_starts_from_nothing_says_what_is_missing_and_stops_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with process(tmp_path / "home", "up", "--port", "0") as running:
        url = running.until(r"Pages: (http://\S+)/")[1]
        for words in ("MONITOR_NCBI_EMAIL", "monitor person add", "monitor person subscribe", "Mails become files"):
            assert words in running.said
        assert urllib.request.urlopen(f"{url}/", timeout=10).status == 200
        with pytest.raises(urllib.error.HTTPError, match="503") as told:
            urllib.request.urlopen(f"{url}/healthz", timeout=10)
        told.value.close()
        assert running.stop(number) == 0
        assert running.said.rstrip().endswith("Stopped.")


def test_up_polls_publishes_and_delivers_by_itself(house: Cli, sandbox: Sandbox) -> None:
    house("person", "add", ADA)
    house("person", "subscribe", ADA, "car-nk", "cik")
    age(house)
    with process(house.home, "up", "--port", "0", **house.settings) as running:
        running.until(r"Pages: (http://\S+)/")
        end = time.monotonic() + 60
        while time.monotonic() < end and not list((house.home / "mail").glob("*.eml")):
            time.sleep(0.1)
        assert list((house.home / "mail").glob("*.eml")), running.said
        assert running.stop(signal.SIGTERM) == 0
    assert "done" in house("topic", "list").out


@pytest.mark.parametrize("command", ["web", "worker"])
def test_web_and_worker_apart(house: Cli, command: str) -> None:
    port = ["--port", "0"] if command == "web" else []
    with process(house.home, command, *port, **house.settings) as running:
        running.until("Pages:|Working")
        assert running.stop(signal.SIGINT) == 0


def test_the_sandbox_prints_its_address_and_answers(tmp_path: Path) -> None:
    file = tmp_path / "papers.xml"
    file.write_bytes(b"<PubmedArticleSet>" + record(FIRST) + b"</PubmedArticleSet>")
    with process(tmp_path / "home", "sandbox", "--corpus", str(file)) as running:
        assert running.process.stdout is not None
        url = running.process.stdout.readline().strip()
        assert b"<eInfoResult>" in urllib.request.urlopen(f"{url}einfo.fcgi", timeout=10).read()
        assert running.stop(signal.SIGINT) == 0


def test_a_reader_that_leaves_early_is_no_failure(full: Cli) -> None:
    """`monitor export | head -0`: exit 0 and not a word on standard error."""
    script = f"{sys.executable} -m monitor --home {full.home} export | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("0\n", "")
