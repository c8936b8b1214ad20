"""The first run as a process: the terminal shows the way in, and what the pages keep counts without a new start."""

from __future__ import annotations

import signal
import time
import urllib.parse
import urllib.request
from http.client import HTTPConnection
from pathlib import Path

from monitor.pubmed.sandbox import Sandbox
from tests.acceptance.cli_world import Cli, process
from tests.web.setup_world import GOOD

ADMIN = "first@lab.example"


class Browser:
    """Posts forms and keeps the cookie, as a browser without script."""

    def __init__(self, base: str) -> None:
        self.place = urllib.parse.urlsplit(base).netloc
        self.cookie = ""

    def post(self, path: str, **typed: object) -> int:
        line = HTTPConnection(self.place, timeout=30)
        head = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": self.cookie}
        line.request("POST", path, urllib.parse.urlencode(typed, doseq=True), head)
        answer = line.getresponse()
        answer.read()
        self.cookie = (answer.getheader("set-cookie") or self.cookie).partition(";")[0]
        line.close()
        return answer.status


def test_an_empty_home_is_set_up_in_the_browser_and_the_worker_follows(terminal: Cli, server: Sandbox) -> None:
    """The worker is exchanged under way, and polls and mails by what was given on the pages."""
    cli = terminal
    cli.settings |= {"MONITOR_EUTILS_URL": server.url, "MONITOR_NCBI_API_KEY": "invented"}
    with process(cli.home, "up", "--port", "0", **cli.settings) as running:
        link = running.until(r"Open this to set the monitor up, once:\s+(http://\S+)")[1]
        base, _, path = link.partition("/setup/")
        running.until(r"Pages: (http://\S+)/")
        browser = Browser(base)
        assert browser.post(f"/setup/{path}", address=ADMIN, password=GOOD, again=GOOD) == 303
        assert browser.post("/setup/mail", way="folder", sender="Kept <kept@lab.example>") == 303
        assert browser.post("/setup/topics", topic=["car-nk"], digest="yes") == 303
        assert browser.post("/setup/start") == 303
        end = time.monotonic() + 60
        while time.monotonic() < end and "done" not in cli("topic", "list").out:
            time.sleep(0.2)
        assert "done" in cli("topic", "list").out, running.said
        assert browser.post("/setup/mail/test", to=ADMIN) == 200
        (mail,) = (cli.home / "mail").glob("*.eml")
        assert b"<kept@lab.example>" in mail.read_bytes()
        assert running.stop(signal.SIGTERM) == 0
    with process(cli.home, "up", "--port", "0", **cli.settings) as again:
        again.until(r"Pages: (http://\S+)/")
        assert "/setup/" not in again.said
        assert again.stop(signal.SIGTERM) == 0


def test_pages_and_worker_apart_share_what_is_kept(cli: Cli) -> None:
    """A worker that runs by itself takes up an address that the pages keep; a file mended wrongly stops nobody."""
    cli("init")
    settings = {name: value for name, value in cli.settings.items() if name != "MONITOR_EUTILS_URL"}
    kept = cli.home / "settings.toml"
    with process(cli.home, "worker", **settings) as running:
        running.until("Working")
        before = owners(cli.home)
        kept.write_text("ncbi_email = 7\n")
        running.until("what was set before still counts")
        kept.write_text('mail_from = "kept@lab.example"\n')
        end = time.monotonic() + 30
        while time.monotonic() < end and owners(cli.home) == before:
            time.sleep(0.2)
        assert owners(cli.home) > before, running.said
        assert running.stop(signal.SIGTERM) == 0


def owners(home: Path) -> int:
    """Count the workers that ever left a sign of life."""
    import sqlite3

    with sqlite3.connect(home / "monitor.db") as database:
        found: int = database.execute("SELECT count(*) FROM heartbeat").fetchone()[0]
    return found
