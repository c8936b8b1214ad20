"""Members' pages in a real browser: both themes, small screens, the keyboard, marks without a new page, copying."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.web.entering import Cookie
from tests.web.browsing import grave, needs_chromium, picture, scrolls_sideways, serving
from tests.web.desk import URL
from tests.web.members import ODD, Collection, collection

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collection, str]]:
    with collection(tmp_path_factory.mktemp("members")) as held:
        held.place.house.saved.save("Doubted", "doubted[ti]", actor=held.curator)
        with serving(held.place.app) as url:
            yield held, url


def context(chromium: Any, held: Collection, url: str, role: str = "member", **options: Any) -> Any:
    found = chromium.new_context(**options)
    found.add_cookies([{"name": Cookie(URL).name, "value": held.place.cookie(role)[1], "url": url}])
    return found


def addresses(held: Collection) -> dict[str, str]:
    return {
        "week": "/",
        "papers": "/papers",
        "papers dense": "/papers?view=dense&q=CAR-NK%5Bti%5D+AND+car-nk%5Btopic%5D",
        "papers wrong": "/papers?q=cells+AND+%28nk",
        "papers none": "/papers?q=hands+AND+doubted",
        "saved": "/papers?mine=saved",
        "paper": f"/papers/{held.plain[0]}",
        "paper retracted": f"/papers/{held.plain[2]}",
        "paper 400 authors": f"/papers/{held.pmid('400 authors')}",
        "paper Chinese": f"/papers/{held.pmid('Chinese')}",
        "paper missing": "/papers/90009999",
        "integrity": "/integrity",
        "searches": "/searches",
    }


OF_EACH_KIND = ("week", "papers", "papers wrong", "paper retracted", "integrity", "searches")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_passes_in_both_themes(served: tuple[Collection, str], chromium: Any, scheme: str) -> None:
    """In the dark theme one page of each kind, as a curator sees it: colours are the same on the others."""
    held, url = served
    role = "curator" if scheme == "dark" else "member"
    own = context(chromium, held, url, role, viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    page = own.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if "Content Security" in message.text else None)
    for name, path in addresses(held).items():
        if scheme == "light" or name in OF_EACH_KIND:
            page.goto(url + path)
            assert grave(page) == [], (name, scheme)
            assert page.locator("h1").count() == 1, name
            picture(page, f"{name}-{scheme}")
    assert said == []
    own.close()


def test_no_page_scrolls_sideways_on_the_smallest_screen(served: tuple[Collection, str], chromium: Any) -> None:
    held, url = served
    own = context(chromium, held, url, "curator", viewport={"width": 320, "height": 800})
    page = own.new_page()
    for name, path in addresses(held).items():
        page.goto(url + path)
        assert not scrolls_sideways(page), name
    own.close()


def test_the_list_is_read_saved_selected_and_opened_by_keyboard(served: tuple[Collection, str], chromium: Any) -> None:
    held, url = served
    own = context(chromium, held, url, viewport={"width": 1280, "height": 800})
    page = own.new_page()
    page.goto(f"{url}/papers?q=CAR-NK%5Bti%5D")
    newest = sorted(held.plain, reverse=True)
    at = "document.activeElement.closest('.row')?.dataset.pmid"
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate(at) == str(newest[2])
    page.keyboard.press("k")
    assert page.evaluate(at) == str(newest[1])
    assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    page.keyboard.press("s")
    page.wait_for_selector(f"#p{newest[1]} [data-mark=saved][aria-pressed=true]")
    page.keyboard.press("Space")
    assert page.locator(f"#p{newest[1]} .tick input").is_checked()
    page.locator("#q").focus()
    page.keyboard.type("jko")
    assert page.url.endswith("q=CAR-NK%5Bti%5D"), "keys do nothing in a field"
    page.locator(f"#p{newest[1]} .paper-title a").focus()
    page.keyboard.press("o")
    page.wait_for_url(f"{url}/papers/{newest[1]}")
    assert page.locator("[data-mark=saved]").get_attribute("aria-pressed") == "true"
    page.keyboard.press("s")
    page.wait_for_selector("[data-mark=saved][aria-pressed=false]")
    own.close()


def test_a_citation_is_copied_and_the_selected_are_exported(served: tuple[Collection, str], chromium: Any) -> None:
    held, url = served
    own = context(chromium, held, url, permissions=["clipboard-read", "clipboard-write"], accept_downloads=True)
    page = own.new_page()
    page.goto(f"{url}/papers/{held.plain[0]}")
    page.locator("#cite > summary").click()
    page.locator("#cite button").first.click()
    page.wait_for_selector(".toast")
    assert "Invented CAR-NK cells, part 0." in page.evaluate("navigator.clipboard.readText()")
    page.goto(f"{url}/papers?q=CAR-NK%5Bti%5D")
    page.locator(".tick input").nth(1).check()
    page.locator("summary:has-text('Export')").click()
    page.locator("#f-format").select_option("csv")
    with page.expect_download() as got:
        page.locator("button[value=selected]").click()
    rows = Path(got.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 2
    assert rows[1].startswith(str(sorted(held.plain, reverse=True)[1]))
    own.close()


def test_without_script_papers_are_narrowed_marked_and_saved_all_the_same(
    served: tuple[Collection, str], chromium: Any
) -> None:
    held, url = served
    own = context(chromium, held, url, java_script_enabled=False)
    page = own.new_page()
    page.goto(f"{url}/papers?q=CAR-NK%5Bti%5D")
    page.locator(".facet a", has_text="Dismissed").click()
    assert page.locator("ol.papers > li").count() == 1
    page.locator(".chosen a").click()
    assert page.locator("ol.papers > li").count() == 25
    page.locator("[data-mark=saved]").nth(3).click()
    assert page.locator("[data-mark=saved]").nth(3).get_attribute("aria-pressed") == "true"
    page.locator("summary:has-text('Save this search')").click()
    page.locator("#f-name").fill("By hand")
    page.locator(".panel button:has-text('Save')").click()
    assert page.locator("h1").inner_text() == "Saved searches"
    assert page.locator("a:has-text('By hand')").count() == 1
    assert len(ODD) > 10
    own.close()
