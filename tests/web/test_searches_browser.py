"""Searches and runs in a real browser: as written, typed, asked, kept, in both themes and on a narrow screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.web.browsing import grave, needs_chromium, picture, scrolls_sideways, serving
from tests.web.searches_world import ADDRESS, TOPIC, searching

UNKNOWN = "CAR-iNK therapy"


@needs_chromium
def test_searches_are_edited_with_keys_checked_and_saved(chromium: Any, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    with searching(tmp_path / "lab") as lab, serving(lab.app) as address:
        name, value = lab.cookie("admin")
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, permissions=["clipboard-write"])
        context.add_cookies([{"name": name, "value": value, "url": address}])
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))

        # The right side follows what is typed, without a question to PubMed.
        lab.server.unknown_phrases = [UNKNOWN]
        page.goto(address + ADDRESS)
        page.fill("#q-core-2", "fable or story[tiab]")
        page.fill("#r-core-2", "invented")
        page.wait_for_selector("#live >> text=lower-case-boolean")
        assert lab.asked() == 0
        page.locator("#live li", has_text="lower-case-boolean").locator("button").first.click()
        expect(page.locator("#q-core-2")).to_have_value("fable[tiab] OR story[tiab]")
        assert lab.asked() == 0

        # What was typed survives the window: it is put back on this device.
        page.fill("#q-core-2", f'"{UNKNOWN}"[tiab]')
        # Typed while an answer is on its way: it is carried over.
        lab.server.latency = 1.0
        page.click("#do-check")
        page.fill("#q-core-3", "kidney[tiab]")
        page.wait_for_selector("#h-check")
        lab.server.latency = 0.0
        expect(page.locator("#q-core-3")).to_have_value("kidney[tiab]")
        page.goto(address + ADDRESS)
        page.click("[data-kept=back]")
        expect(page.locator("#q-core-3")).to_have_value("kidney[tiab]")
        expect(page.locator("#q-core-2")).to_have_value(f'"{UNKNOWN}"[tiab]')
        page.click("#gone-core-3")
        page.wait_for_selector("#back-core-3")

        # Saving is blocked (S-01); the focus is on what stands against it, and Ctrl+Enter saves after the repair.
        page.focus("#r-core-2")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("#results h2")
        assert page.evaluate("document.activeElement.id") == "results"
        assert "would search its words separately" in page.inner_text("#results")
        assert lab.version() == 1
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            assert grave(page) == [], theme
            picture(page, f"search editor blocked {theme}")
        page.set_viewport_size({"width": 320, "height": 800})
        assert not scrolls_sideways(page)
        page.set_viewport_size({"width": 1280, "height": 900})
        page.locator("#results button", has_text="Replace with the proximity form").click()
        expect(page.locator("#q-core-2")).to_have_value('"CAR iNK therapy"[tiab:~0]')
        page.focus("#q-core-2")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("text=Version 2 is saved.")
        assert lab.version() == 2
        page.goto(address + ADDRESS)
        assert page.is_hidden("#kept"), "nothing unsaved is left on this device"

        # By keys alone: a line is removed, and its papers are seen before it is saved (compare).
        page.focus("#gone-core-0")
        page.keyboard.press("Enter")
        page.wait_for_selector("#back-core-0")
        page.focus("#do-compare")
        page.keyboard.press("Enter")
        page.wait_for_selector("#h-compare")
        assert "CAR-NK cells of invented donors" in page.inner_text("#results")
        page.focus("#pmid")
        page.keyboard.type("90000001")
        page.focus("#do-test")
        page.keyboard.press("Enter")
        page.wait_for_selector("#h-test")

        lab.house.polling.poll([TOPIC])
        lab.house.runs.ask(TOPIC, lab.actor)
        paths = [
            "/admin/searches",
            "/admin/searches/_new",
            "/admin/searches/_files",
            f"{ADDRESS}/history",
            f"{ADDRESS}/suggestions",
            "/admin/runs",
            "/admin/runs/1",
        ]
        for path in paths:
            page.goto(address + path)
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme)
                assert grave(page) == [], (path, theme)
                picture(page, f"{path} {theme}")
            page.set_viewport_size({"width": 320, "height": 800})
            assert not scrolls_sideways(page), path
            picture(page, f"{path} narrow")
            page.set_viewport_size({"width": 1280, "height": 900})
        assert faults == []
        context.close()
