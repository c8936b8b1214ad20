"""Letters as Chromium lays them out: no sideways scrolling on a phone, readable in both schemes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from monitor.core.citation import InlineXml
from monitor.core.contents import Setting, contents
from monitor.core.issue import Candidate, FollowUp, Found, Health, Match, Topic, select
from monitor.mail.links import Links
from monitor.mail.render import render_digest
from tests.factories import FIRST_PMID, citation
from tests.web.browsing import needs_chromium

pytestmark = needs_chromium
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
TOPICS = (Topic("car-nk", "CAR-NK cells", "CAR-NK"), Topic("cik", "Cytokine-induced" * 12, "CIK"))
TITLES = (
    "Invented" + "cytokine" * 30,
    "自然杀伤细胞" * 30,
    "خلايا قاتلة طبيعية مخترعة",
    "Invented cells",
    "RETRACTED: Invented cells",
)


@pytest.fixture(scope="module", params=["en", "zh-Hans"])
def letter(request: pytest.FixtureRequest) -> str:
    papers = [
        Candidate(
            citation(FIRST_PMID + number, title=InlineXml(title), publication_types={"D016449": "Randomized Controlled Trial"}),
            1,
            (Found(TOPICS[number % 2].id, (1, 2), Match("title", title[:50])),),
            frozenset({"retracted"}) if title.startswith("RETRACTED") else frozenset(),
        )
        for number, title in enumerate(TITLES * 4)
    ]  # fmt: skip
    gone = FollowUp(
        citation(FIRST_PMID + 99, title=InlineXml(TITLES[0])), 1, ("retracted",), NOW, frozenset({"retracted"})
    )
    health = (Health("car-nk", "failed", NOW, 7, 3, (), "busy" * 40), Health("cik", "warned", NOW, 7, 0, ("x" * 90,)))
    setting = Setting(
        "NK evidence", date(2026, 11, 23), "2026-W48", NOW - timedelta(days=21), NOW, 2, 0, 7, "Europe/Berlin", request.param, 12,
        "desk@lab.example", {"car-nk": [100, 3, 250, 0, 1, 999, 4, 12]},
    )  # fmt: skip
    issue = select(TOPICS, papers, [gone], health, 12)
    return render_digest(contents(issue, setting), Links("https://monitor.lab.example", b"s"), "k" * 22).html


def _open(chromium: Any, html: str, width: int, scheme: Any = "light") -> Any:
    page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.set_content(html)
    return page


@pytest.mark.parametrize("width", [320, 390, 900])
def test_no_letter_scrolls_sideways(chromium: Any, letter: str, width: int) -> None:
    page = _open(chromium, letter, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


# Walks up to the nearest painted ground, as an eye does, and rates every text against it (WCAG 2.2, 1.4.3).
CONTRAST = """
() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, n) => sum + v * [.2126, .7152, .0722][n], 0);
  const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.getClientRects().length) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) poor.push([element.className, walker.currentNode.textContent.slice(0, 40)]);
  }
  return poor;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(chromium: Any, letter: str, scheme: str) -> None:
    page = _open(chromium, letter, 390, scheme)
    assert page.evaluate(CONTRAST) == []
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.sheet')).backgroundColor") == "rgb(255, 255, 255)"
    ) == (scheme == "light")
    page.close()


def test_nothing_is_fetched_and_no_type_is_small(chromium: Any, letter: str) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 800})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(letter)
    sizes = page.evaluate(
        "[...document.querySelectorAll('body *')].filter(e => e.innerText && e.getClientRects().length)"
        ".map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    # Raised and lowered figures aside, which are as small as the reader's browser makes them.
    assert min(sizes) >= 14
    assert asked == []
    page.close()
