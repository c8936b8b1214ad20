"""Take the README's pictures from the demo: `make pictures`. Needs Chromium and the developers' tools."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from pathlib import Path

import uvicorn
from playwright.sync_api import sync_playwright

from monitor.cli import demo
from monitor.cli.demo_desk import ADMIN, CURATOR, MEMBER
from monitor.storage import issues
from monitor.web.app import create_app
from monitor.web.entering import Cookie

HERE = Path(__file__).resolve().parent
SHOWN = "2026-10-19"
"""The issue with a concern and an erratum at the top and news below."""
PICTURES = (
    ("week", MEMBER, "/", (1180, 900)),
    ("paper", MEMBER, "/papers/90000201", (1180, 900)),
    ("queue", CURATOR, "/queue", (1440, 900)),
    ("search", ADMIN, "/admin/searches/car-nk", (1280, 900)),
)
"""Name, who looks, where, and how large the window is."""


def main() -> int:
    browser_path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser_path is None:
        sys.stderr.write("No Chromium was found.\n")
        return 2
    with (
        tempfile.TemporaryDirectory() as folder,
        demo.demo_house(Path(folder), 18900) as (house, sandbox, clock, bound),
    ):
        for _week in demo.story(house, sandbox, clock, Path(folder) / "mail"):
            pass
        with house.database.read() as session:
            key = next(each.key for each in issues.archive(session) if each.slot == SHOWN)
        server = uvicorn.Server(uvicorn.Config(create_app(house.site), log_config=None, access_log=False, ws="none"))
        serving = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        serving.start()
        cookie = Cookie(house.settings.public_url)
        people = {each.address: each.id for each in house.subscribing.everyone()}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=browser_path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            )

            def take(name: str, path: str, size: tuple[int, int], who: str | None = None) -> None:
                context = browser.new_context(
                    viewport={"width": size[0], "height": size[1]}, color_scheme="light", device_scale_factor=1.5
                )
                if who is not None:
                    token = house.accounts.begin(people[who])
                    context.add_cookies([{"name": cookie.name, "value": token, "url": house.settings.public_url}])
                page = context.new_page()
                page.goto(house.settings.public_url + path)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=HERE / f"{name}.png")
                context.close()

            take("digest", f"/issues/{key}", (640, 1480))
            for name, who, path, size in PICTURES:
                take(name, path, size, who)
            browser.close()
        server.should_exit = True
        serving.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
