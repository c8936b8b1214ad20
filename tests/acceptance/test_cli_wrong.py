"""Whatever a user gets wrong: a sentence, the exit code of the contract, never a traceback; and no secret anywhere."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from monitor.build import build
from monitor.pubmed.sandbox import Fault, Sandbox
from monitor.settings import load
from tests.acceptance.cli_world import (
    ALL_CANARIES,
    CANARIES,
    DATABASE_PASSWORD,
    FIRST,
    MAIL_PASSWORD,
    Cli,
    corpus,
    new_home,
    process,
)

HUGE = "9" * 5000


@pytest.fixture
def cli(terminal: Cli) -> Cli:
    return terminal


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = new_home(tmp_path_factory.mktemp("template") / "home")
    with build(load(environ={}, home=home)) as here:
        here.subscribing.add("ada@lab.example")
    return home


@pytest.fixture
def house(cli: Cli, template: Path) -> Cli:
    shutil.copytree(template, cli.home)
    return cli


WRONG = [
    "nosuch",
    "poll --nosuch",
    "poll --from yesterday",
    "poll --from 2026-02-30",
    "poll --from 2026-11-02 --to 2026-11-01",
    "poll --to 2026-11-01",
    "poll --full --from 2026-11-01",
    "poll nosuch-topic",
    "poll",  # no contact address
    "cite",
    "cite abc",
    "cite -- -5",
    "cite 0",
    f"cite {HUGE}",
    "cite 99999999999",
    "cite 5 --style apa",
    "show 1.5",
    "show 5 6",
    "import",
    "import nosuch.xml",
    "import .",
    "export --format docx",
    "export -o .",
    "export -o nosuch/folder/file",
    "topic",
    "topic show nosuch",
    "person",
    "person add nobody",
    "person add ada@lab.example",
    "person add Ada<ada2@lab.example>",
    "person add eve@lab.example --role queen",
    "person add eve@lab.example --language tlh",
    "person subscribe nobody@lab.example car-nk",
    "person subscribe ada@lab.example",
    "person subscribe ada@lab.example carnk",
    "person subscribe ada@lab.example car-nk --day someday",
    "person subscribe ada@lab.example car-nk --hour 24",
    "person subscribe ada@lab.example car-nk --hour -1",
    "person subscribe ada@lab.example car-nk --zone Europe/Berln",
    "person subscribe ada@lab.example car-nk --limit 1000000000000000000000",
    "person disable nobody@lab.example",
    "digest --on tomorrow",
    "digest --on 9999-12-31",
    "digest --to nobody",
    "digest --output /dev/null",
    "send --limit 0",
    "send --limit many",
    "backup .",
    "restore nosuch",
    "restore .",
    "restore /dev/null",
    "web --port 70000",
    "web --host nosuch.invalid",
    "web --host =",
    "sandbox",
    "sandbox --corpus nosuch.xml",
    "sandbox --corpus .",
    "sandbox --corpus /dev/null",
    "--config nosuch.toml poll",
    "--config . poll",
    "demo --port 70000",
    "demo --dir /dev/null/x",
]


@pytest.mark.parametrize("words", WRONG, ids=lambda words: words[:60])
def test_wrong_usage_is_2_and_said_in_a_sentence(house: Cli, words: str) -> None:
    said = house(*words.split(" "))
    assert said.code == 2, said
    assert said.err.strip()
    assert said.out == ""
    for unwanted in ("Traceback", "Unexpected", "Errno"):
        assert unwanted not in said.err or words.startswith("sandbox"), said.err


def test_days_at_the_ends_of_the_calendar_do_no_harm(house: Cli) -> None:
    assert house("digest", "--on", "0001-01-01", "--dry-run").code == 0
    with Sandbox(corpus(), rate_limit=None) as sandbox:
        house.settings["MONITOR_EUTILS_URL"] = sandbox.url
        assert house("poll", "cik", "--from", "0001-01-01").code in (0, 2)
        assert house("poll", "cik", "--from", "9999-12-31").code in (0, 2)


def test_a_file_that_is_no_file_of_ours_is_refused_whole(house: Cli, tmp_path: Path) -> None:
    for name, content in {
        "empty.xml": b"",
        "page.xml": b"<html><body>503</body></html>",
        "cut.xml": b"<PubmedArticleSet><PubmedArticle><MedlineCitation>",
        "bytes.ris": os.urandom(3000),
        "packed.xml.gz": b"\x1f\x8b\x08\x00broken",
    }.items():
        (tmp_path / name).write_bytes(content)
        said = house("import", tmp_path / name)
        assert said.code in (1, 2), (name, said)
        assert name in said.err, (name, said)
        assert "Unexpected" not in said.err


def test_a_database_of_somebody_else_is_4_and_untouched(cli: Cli) -> None:
    cli.home.mkdir()
    with sqlite3.connect(cli.home / "monitor.db") as database:
        database.execute("CREATE TABLE recipes (id INTEGER)")
    database.close()
    before = (cli.home / "monitor.db").read_bytes()
    for words in ("init", "poll", "doctor", "topic list"):
        said = cli(*words.split())
        assert (said.code, "something else" in said.err) == (4, True), said
    assert (cli.home / "monitor.db").read_bytes() == before


@pytest.mark.parametrize("make", ["folder", "text", "nothing"])
def test_a_database_that_cannot_be_one_is_4(cli: Cli, make: str) -> None:
    cli.home.mkdir()
    if make == "folder":
        (cli.home / "monitor.db").mkdir()
    elif make == "text":
        (cli.home / "monitor.db").write_text("this is no database\n" * 100)
    said = cli("topic", "list")
    assert (said.code, "Unexpected" in said.err) == (4, False), said


def test_doctor_finds_damage_inside_the_file(house: Cli) -> None:
    with sqlite3.connect(house.home / "monitor.db") as database:
        database.execute("PRAGMA foreign_keys=OFF")
        database.execute(
            "INSERT INTO hit (topic_id, pmid, lane, strategy_id, poll_id, lines, news, found_at, first_strategy_id, first_lines, route) "
            "VALUES ('nosuch', 1, 'core', 1, 1, '[]', 0, '2026-11-01 00:00:00.000000', 1, '[]', 'created')"
        )
    database.close()
    said = house("doctor", "--json")
    assert said.code == 1
    assert any(each["what"] == "database" and "not there" in each["text"] for each in said.json["findings"]), said.out


def test_a_database_behind_the_code_is_4_and_up_does_not_touch_it(house: Cli) -> None:
    with sqlite3.connect(house.home / "monitor.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'from-the-future'")
    database.close()
    for words in ("topic list", "up --port 0"):
        assert house(*words.split()).code == 4


def test_postgresql_out_of_reach_is_4_without_its_password(cli: Cli) -> None:
    cli.settings["MONITOR_DATABASE_URL"] = f"postgresql://monitor:{DATABASE_PASSWORD}@127.0.0.1:1/evidence"
    said = cli("topic", "list")
    assert said.code == 4
    assert DATABASE_PASSWORD not in said.everything


def test_a_home_that_cannot_be_one_is_2(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in ("/dev/null/x", tmp_path / "file", "/proc/nosuch"):
        cli.home = Path(place)
        assert cli("init").code == 2, place


def test_a_port_that_is_taken_is_2_before_anything_starts(house: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = house("up", "--port", taken.getsockname()[1])
    assert (said.code, "choose another --port" in said.err) == (2, True)
    assert "Pages" not in said.err


def test_every_wrong_setting_is_named_at_once(cli: Cli) -> None:
    cli.settings |= {
        "MONITOR_MAIL_URL": f"smtp://ada:{MAIL_PASSWORD}@relay.example?tls=none",
        "MONITOR_DATABASE_URL": "sqlite:///:memory:",
        "MONITOR_NCBI_EMAIL": "nobody",
        "MONITOR_POLL_HOUR": "25",
        "MONITOR_TIMEZONE": "Mars/Base",
        "MONITOR_COLOUR": "blue",
    }
    said = cli("poll")
    assert said.code == 2
    for name in ("MAIL_URL", "DATABASE_URL", "NCBI_EMAIL", "POLL_HOUR", "TIMEZONE", "COLOUR"):
        assert f"MONITOR_{name}" in said.err
    assert MAIL_PASSWORD not in said.err
    assert not cli.home.exists()


def test_a_terminal_of_another_encoding_shows_what_it_can(house: Cli) -> None:
    with process(house.home, "doctor", PYTHONIOENCODING="ascii", MONITOR_DIGEST_NAME="Übersicht") as running:
        assert running.process.wait(30) == 1
        assert "Unexpected" not in running.said


def test_no_command_shows_a_secret(cli: Cli) -> None:
    """Keys and passwords in every place that takes one; every command, in good weather and bad, verbose."""
    with Sandbox(corpus(), rate_limit=None) as sandbox:
        relay = f"smtps://ada:{MAIL_PASSWORD}@127.0.0.1:1"  # nobody listens there
        cli.settings |= CANARIES | {"MONITOR_EUTILS_URL": sandbox.url, "MONITOR_MAIL_URL": relay}
        said = [cli("--verbose", "init")]
        for fault in (None, Fault.KEY_INVALID, Fault.REDIRECT_302):
            if fault is not None:
                sandbox.fault(fault)
            for words in (
                "poll car-nk", "poll car-nk --json", "poll --dry-run", "topic list", "topic show car-nk --json",
                f"cite {FIRST}", f"show {FIRST} --json", "export", "person add ada@lab.example",
                "person subscribe ada@lab.example car-nk", "person list --json", "digest --to ada@lab.example",
                "digest", "send --json", "doctor --json", "backup archive", "restore archive", "nosuch",
                "digest --output out",
            ):  # fmt: skip
                said.append(cli("--verbose", *words.split()))
        assert any(each.code == 3 for each in said), "the relay was out of reach"
    cli.settings["MONITOR_DATABASE_URL"] = f"postgresql://monitor:{DATABASE_PASSWORD}@127.0.0.1:1/evidence"
    said += [cli("--verbose", *words.split()) for words in ("init", "doctor", "web --port 0", "restore archive")]
    written = [path for path in cli.home.parent.rglob("*") if path.is_file() and path.name != "secret-key"]
    for canary in ALL_CANARIES:
        assert not [each for each in said if canary in each.everything], canary
        assert not [path for path in written if canary.encode() in path.read_bytes()], canary


STATEMENT = "SELECT pmid FROM no_such_table WHERE term = :words"
WORDS = "what somebody wrote"


def test_an_unexpected_fault_of_the_database_shows_no_sql(house: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement with a fault of ours, in place of one that nobody foresaw."""
    from monitor.services.topics import Topics

    def broken(topics: Topics, **_: object) -> None:
        with topics._database.read() as session:
            session.execute(text(STATEMENT), {"words": WORDS})

    monkeypatch.setattr(Topics, "all", broken)
    for words in (["topic", "list"], ["--verbose", "topic", "list"]):
        said = house(*words)
        assert said.code == 1
        assert "no_such_table" in said.err
        assert ("Traceback" in said.err) == ("--verbose" in words)
        for unwanted in (STATEMENT, WORDS, "[SQL", "[parameters"):
            assert unwanted not in said.everything


def test_an_unexpected_fault_shows_no_secret_either(
    house: Cli, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """A fault of ours, standing in for all the unknown ones, whose message holds what it was working with."""
    from monitor.services.topics import Topics

    def broken(_self: object, **_: object) -> None:
        raise RuntimeError(f"while asking with {CANARIES['MONITOR_NCBI_API_KEY']}")

    house.settings |= CANARIES
    monkeypatch.setattr(Topics, "all", broken)
    for words in (["topic", "list"], ["--verbose", "topic", "list"]):
        said = house(*words)
        assert (said.code, "Unexpected: RuntimeError" in said.err) == (1, True)
        assert ("Traceback" in said.err) == ("--verbose" in words)
        assert CANARIES["MONITOR_NCBI_API_KEY"] not in said.everything
