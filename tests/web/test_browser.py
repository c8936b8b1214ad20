"""The pages in a real browser: small screens, keyboard, contrast in light and dark."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from monitor.cli.serving import listen
from tests.web.site import World, world

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
SCHEMES = ("light", "dark")

FAINT = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const color = parse(getComputedStyle(node).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || node.closest(".hide, .skip")) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push([ratio.toFixed(2), walker.currentNode.textContent.trim().slice(0, 40)]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    with world(tmp_path_factory.mktemp("browser")) as found, listen("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(found.app, log_config=None, access_log=False, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield found, f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


def addresses(found: World) -> dict[str, str]:
    return {
        "list": "/",
        "issue": f"/issues/{found.key}",
        "leave": f"/u/{found.token}",
        "left": "/u/nobody-has-this-token",
        "health": "/health",
        "missing": "/nosuch",
    }


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_page_scrolls_sideways_on_a_phone_and_all_text_has_contrast(
    served: tuple[World, str], chromium: Any, scheme: str
) -> None:
    found, url = served
    for width in (320, 360, 1280):
        context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page = context.new_page()
        for name, path in addresses(found).items():
            page.goto(url + path)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (name, width, wide)
            assert page.evaluate(FAINT) == [], (name, scheme)
            assert page.evaluate("document.querySelectorAll('h1').length") == 1, name
        context.close()


def test_a_page_needs_nothing_from_elsewhere_and_breaks_no_policy(served: tuple[World, str], chromium: Any) -> None:
    found, url = served
    page = chromium.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if "Content Security" in message.text else None)
    for path in addresses(found).values():
        page.goto(url + path)
    assert asked
    assert all(each.startswith((url, "data:")) for each in asked), asked
    assert said == []
    page.close()


def test_the_button_that_stops_is_reached_and_pressed_by_keyboard(tmp_path: Path, chromium: Any) -> None:
    with world(tmp_path) as found, listen("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(found.app, log_config=None, access_log=False, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        page = chromium.new_page()
        page.goto(f"http://127.0.0.1:{listener.getsockname()[1]}/u/{found.token}")
        order = []
        for _ in range(6):
            page.keyboard.press("Tab")
            order.append(page.evaluate("document.activeElement.tagName + ' ' + document.activeElement.className"))
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
            if order[-1].startswith("BUTTON"):
                break
            assert order[-1].endswith("skip") or outline == "3px", order
        assert order[0] == "A skip"
        assert order[-1].startswith("BUTTON"), order
        assert outline == "3px"
        assert found.receives
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('stopped')")
        assert not found.receives
        page.close()
        server.should_exit = True
        thread.join()
