"""The pages in Chinese, in a real browser: every word, dates, and no layout that breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from monitor.storage import people
from tests.web.browsing import needs_chromium, picture, scrolls_sideways, serving
from tests.web.desk import NOW, Desk, desk
from tests.web.waiting import BILINGUAL, KINDS, TRIAL, VERSUS, found

pytestmark = needs_chromium
PAGES = (
    "/",
    "/queue",
    f"/queue/{TRIAL}?lane=new",
    f"/queue/{BILINGUAL}?lane=new",
    "/queue?lane=maybe",
    "/queue?lane=second",
    f"/queue/bulk?pmid={TRIAL}&say=keep",
    "/papers",
    "/papers?q=nothing+fits+this",
    "/papers?mine=saved",
    f"/papers/{VERSUS}",
    "/papers/1",
    "/integrity",
    "/searches",
    "/digests",
    "/digests/mine",
    "/me",
    "/votes",
    "/settings",
    "/settings/keys",
    "/settings/feeds",
    "/settings/account",
    "/settings/data",
)
AS_THEY_ARE = frozenset(
    [
        "PubMed",
        "PMID",
        "DOI",
        "MeSH",
        "RIS",
        "CSV",
        "NBIB",
        "CSL",
        "JSON",
        "BibTeX",
        "Zotero",
        "EndNote",
        "NLM",
        "Vancouver",
        "ORCID",
        "Atom",
        "Cohen's",
        "kappa",
        "EN",
        "English",
        "GB/T",
        "CAR",
        "NK",
        "AND",
        "OR",
        "NOT",
        "KB",
        "Ctrl",
        "Shift",
        "Alt",
        "Esc",
        "Enter",
        "Space",
        "PMC",
        "OpenAPI",
        "HTML",
        "tiab",
        "mh",
        "pt",
        "cells",
        "lymphoma",
        "review",
        "n",
    ]
)
"""Names, codes and examples of PubMed's language, which no language changes."""
WORDS = """() => {
  const said = [], skip = "[lang]:not(html):not([lang^=zh]), code, kbd, cite, bdi, .names, .whose, .initials, .band .name, datalist, script, style, q, dl.cite, .reasons li li, .indexing, .indexing *, #index dd, #authors, .pick-one";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const at = walker.currentNode.parentElement;
    if (walker.currentNode.textContent.trim() && !at.closest(skip)) said.push(walker.currentNode.textContent.trim());
  }
  for (const at of document.querySelectorAll("[aria-label], [title], [placeholder]"))
    if (!at.closest(skip)) for (const name of ["aria-label", "title", "placeholder"])
      if (at.hasAttribute(name)) said.push(at.getAttribute(name));
  return said;
}"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("chinese")) as held:
        found(held.house.database, KINDS, NOW - timedelta(days=20), topic="car-nk")
        yield held


@pytest.fixture(scope="module")
def content(place: Desk) -> list[str]:
    """What people and PubMed have written: it stays in its own language."""
    with place.house.database.read() as session:
        titles = list(people.living_topics(session).values())
    vocabulary = place.house.vocabularies.current()
    labels = [term.zh for facet in vocabulary.facets for term in facet.terms]
    names = [f"{role.title()}" for role in place.ids] + [f"{role}@lab.example" for role in place.ids]
    kept = [str(each.title.text if hasattr(each.title, "text") else each.title) for each in KINDS if each.title]
    return sorted(
        {*titles, *labels, *names, *kept, "NK evidence", "Example AB", "Placeholder C", *place.ids},
        key=len,
        reverse=True,
    )


def left(texts: list[str], content: list[str]) -> list[str]:
    """Return what has Latin words that are neither names nor content."""
    found = []
    for text in texts:
        rest = re.sub("“[^”]*”|选择：.*", " ", text)
        for each in content:
            rest = rest.replace(each, " ")
        rest = re.sub(r"\bNCT\d+|https?://\S+", " ", rest)
        words = [word for word in re.findall(r"[A-Za-z][A-Za-z'/]{2,}", rest) if word not in AS_THEY_ARE]
        # A code among Chinese words is no English sentence; a word alone, or two in a row, is.
        if words and (not re.search("[\u4e00-\u9fff]", rest) or re.search(r"[A-Za-z]{2,} [a-z]{2,}", " ".join(words))):
            found.append(text[:90])
    return found


def test_switched_to_chinese_every_page_is(place: Desk, chromium: Any, content: list[str]) -> None:
    with serving(place.app) as url:
        context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
        name, value = place.cookie("curator")
        context.add_cookies([{"name": name, "value": value, "url": url}])
        page = context.new_page()
        page.goto(url + "/papers")
        assert page.locator("html").get_attribute("lang") == "en"
        page.locator("details.me summary").click()
        page.get_by_role("button", name="中文").click()
        page.wait_for_selector("html[lang=zh-Hans]")
        wrong = {}
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 800})
            for path in PAGES:
                page.goto(url + path)
                assert page.locator("html").get_attribute("lang") == "zh-Hans", path
                assert not scrolls_sideways(page), (path, width)
                if width == 1280 and (english := left(page.evaluate(WORDS), content)):
                    wrong[path] = english
                picture(page, f"zh {path} {width}")
        assert "\n".join(f"{path}: {each}" for path, several in wrong.items() for each in several) == ""
        page.goto(f"{url}/papers/{TRIAL}")
        assert "2024年1月15日" in page.locator(".where").inner_text()
        style = "(at) => [getComputedStyle(at).lineHeight, getComputedStyle(at).fontSize].map(parseFloat)"
        height, size = page.locator("body").evaluate(style)
        assert round(height / size, 2) == 1.7
        assert page.locator("dl.cite dt").first.text_content() == "GB/T 7714"
        context.close()
