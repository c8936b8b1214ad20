"""Every word of a page stands in a template and passes through translation."""

from __future__ import annotations

import gettext
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from monitor.core.health import Finding, State
from monitor.resources import resource_dir
from monitor.web.pages import Pages

WEEK = {"label": "0", "slot": "0", "issues": [{"key": "0", "subject": "0", "topics": "0", "people": 2}]}
FINDINGS = [Finding("0", state, "0", "0") for state in State]
PAPER = {"citation": "0", "pmid": 1, "doi": "0", "abstract": [["0", "0"]]}
SAID = {"entry": PAPER, "standing": "0", "changes": ["0"], "reasons": ["0"], "pubmed": "0", "doi": "0"}
PAGES = [
    *(("feed", {**SAID, "whole": whole}) for whole in (True, False)),
    ("issues", {"weeks": [WEEK], "most": 1, "more": True, "local": True}),
    ("issues", {"weeks": [], "most": 1, "more": False, "local": True}),
    ("front", {}),
    ("leave", {"token": "0", "address": "0"}),
    ("left", {"address": "0", "just_now": True}),
    ("left", {"address": None, "just_now": False}),
    ("health", {"headline": "0", "findings": FINDINGS, "local": True}),
    *(
        ("error", {"code": code, "what": what})
        for code in (400, 404, 405, 500)
        for what in ("page", "issue", "feed", "fault")
    ),
    *(("error", {"code": 403, "what": what}) for what in ("health", "database")),
]


class Bracketed(gettext.NullTranslations):
    """Puts every translated text into brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"

    def pgettext(self, context: str, message: str) -> str:
        return f"⟦{message}⟧"


class Visible(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.text += [f" {value or ''} " for name, value in attrs if name in ("aria-label", "title", "alt")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize(("template", "context"), PAGES, ids=lambda value: value if isinstance(value, str) else "")
def test_every_word_can_be_translated(template: str, context: dict[str, object]) -> None:
    page = Pages("0", translations=Bracketed()).write(template, **context)
    reader = Visible()
    reader.feed(page.body.decode())
    left = re.sub(r"⟦[^⟧]*⟧", "", "".join(reader.text))
    left = re.sub(r"\bmonitor (person|poll|digest)[a-z -]*", "", left)  # commands are no words
    assert not re.findall(r"[A-Za-z]{2,}", left.replace("car-nk", "")), left


def test_every_template_is_tried() -> None:
    there = {path.stem for path in (resource_dir("templates") / "web").glob("*.html")} - {"layout"}
    assert there == {template for template, _ in PAGES}


def test_every_word_of_a_feed_in_plain_text_can_be_translated() -> None:
    flags = frozenset({"retracted", "withdrawn", "concern", "preprint"})
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    paper = SimpleNamespace(title="0", flags=flags, topic="0", kept_at=moment)
    line = SimpleNamespace(number=1, version=1, query="0", reason="0")
    about = {
        "title": paper,
        "standing": paper,
        "change": SimpleNamespace(at=moment, changes=[SimpleNamespace(words="0")]),
        "line": line,
        "kept": paper,
        "unexplained": paper,
        "about": SimpleNamespace(query=None),
        "broken": SimpleNamespace(query="0", broken="0", title="0"),
        "repair": SimpleNamespace(query="0", broken="0", title="0"),
    }
    macros = Pages("0", translations=Bracketed()).macros("feed.txt")
    assert {name for name in vars(macros) if not name.startswith("_")} == set(about)
    for name, subject in about.items():
        left = re.sub(r"⟦[^⟧]*⟧", "", str(getattr(macros, name)(subject)))
        assert not re.findall(r"[A-Za-z]{2,}", left), left
