"""Screening in a browser: from a key to the next abstract on the screen, with a queue of two thousand papers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.harness import Row
from tests.web.browsing import ARGUMENTS, CHROMIUM, serving
from tests.web.desk import NOW, desk
from tests.web.waiting import found, plain_papers

DECISIONS = 20
WAITING, WAITING_LARGE = 2000, 20000
PAUSE = 400
"""Milliseconds between verdicts: a curator in a hurry; what comes next is fetched meanwhile."""

_MEASURED = """() => {
  window.took = [];
  const shown = () => document.getElementById('reader').dataset.pmid;
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'a') return;
    const before = shown();
    const began = event.timeStamp;
    const look = () => shown() === before ? requestAnimationFrame(look)
      // The frame that holds the new abstract has been drawn when the task after it runs.
      : requestAnimationFrame(() => { const drawn = new MessageChannel(); drawn.port1.onmessage = () => window.took.push(performance.now() - began); drawn.port2.postMessage(0); });
    requestAnimationFrame(look);
  }, true);
}"""


def rows(*, large: bool) -> Iterator[Row]:
    """Decide by keys and say how long each took; the first list's time as well."""
    if CHROMIUM is None:
        yield Row("no Chromium on this machine", "-", "", None)
        return
    from playwright.sync_api import sync_playwright

    number = WAITING_LARGE if large else WAITING
    with tempfile.TemporaryDirectory() as folder, desk(Path(folder)) as place:
        found(place.house.database, plain_papers(number), NOW - timedelta(days=3))
        place.house.vocabularies.refresh(number)
        with serving(place.app) as url, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            name, value = place.cookie("curator")
            context.add_cookies([{"name": name, "value": value, "url": url}])
            page = context.new_page()
            page.goto(f"{url}/queue")
            page.goto(f"{url}/queue")
            first = _first_paint(page)
            page.wait_for_timeout(1500)
            page.evaluate(_MEASURED)
            took = [_decided(page, n) for n in range(DECISIONS)]
            browser.close()
    yield Row(
        f"key to next abstract, {number:,} waiting: median",
        f"{median(took):.0f} ms",
        "at most 150 ms",
        median(took) <= 150,
    )
    yield Row(
        f"key to next abstract, {number:,} waiting: worst of {DECISIONS}",
        f"{max(took):.0f} ms",
        "at most 400 ms",
        max(took) <= 400,
    )
    yield Row(
        f"the queue's page, {number:,} waiting: first paint", f"{first:.0f} ms", "at most 1,000 ms", first <= 1000
    )


def _decided(page: Any, before: int) -> float:
    page.keyboard.press("a")
    while len(took := page.evaluate("window.took")) <= before:
        page.wait_for_timeout(10)
    page.wait_for_timeout(PAUSE)
    return float(took[before])


def _first_paint(page: Any) -> float:
    # The page's policy forbids what would wait in the page itself.
    for _ in range(500):
        painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
        if painted is not None:
            return float(painted)
        page.wait_for_timeout(10)
    raise RuntimeError("nothing was painted within five seconds")
