"""Take the README's pictures from the demo: `make pictures`. Needs Chromium and the developers' tools."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from monitor.cli import demo
from monitor.storage import issues

HERE = Path(__file__).resolve().parent
SHOWN = "2026-10-19"
"""The issue with a concern and an erratum at the top and news below."""
WIDTH, HEIGHT = 640, 1480


def main() -> int:
    browser_path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser_path is None:
        sys.stderr.write("No Chromium was found.\n")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with demo.demo_house(home, 18900) as (house, sandbox, clock, _):
            for _week in demo.story(house, sandbox, clock, home / "mail"):
                pass
            with house.database.read() as session:
                key = next(each.key for each in issues.archive(session) if each.slot == SHOWN)
                page = issues.by_key(session, key)
        assert page is not None  # noqa: S101
        (home / "issue.html").write_text(page.html, encoding="utf-8")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=browser_path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            )
            view = browser.new_page(
                viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light", device_scale_factor=1.5
            )
            view.goto((home / "issue.html").as_uri())
            view.screenshot(path=HERE / "digest.png", clip={"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT})
            browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
