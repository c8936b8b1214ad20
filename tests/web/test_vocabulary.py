"""The pages of the vocabulary: looking, trying, saving, meeting another admin, going back; with and without script."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from monitor.core.citation import InlineXml
from monitor.services.rulebooks import starter
from monitor.storage import citations, vocabulary
from monitor.storage.vocabulary import Use
from tests.factories import FIRST_PMID, citation
from tests.web.browsing import grave, needs_chromium, picture, scrolls_sideways, serving
from tests.web.desk import NOW, Desk

EDIT = "/admin/vocabulary/vocabulary/edit"
SAVE = "/admin/vocabulary/vocabulary/save"
TRY = "/admin/vocabulary/vocabulary/try"
OLD = "rx: ['\\bCAR[- ]?NK(?:[- ]?92)?s?\\b'"
NEW = "rx: ['\\bgallic cells\\b', '\\bCAR[- ]?NK(?:[- ]?92)?s?\\b'"


def gallic() -> str:
    text = starter("vocabulary")
    assert OLD in text
    return text.replace(OLD, NEW, 1)


def stocked(place: Desk, papers: int = 3) -> None:
    found = [
        citation(FIRST_PMID + n, title=InlineXml(f"Gallic cells &amp; melanoma, part {n}"), abstract="Cells.")
        for n in range(papers)
    ]
    with place.house.database.write() as session:
        citations.keep(session, found, now=NOW)


def test_terms_stand_by_facet_with_what_speaks_for_them(place: Desk) -> None:
    admin = place.client("admin")
    page = unescape(admin.get("/admin/vocabulary").text)
    assert "CAR-NK细胞" in page
    assert "\\bCAR[- ]?NK(?:[- ]?92)?s?\\b" in page
    assert "D000076962 Receptors, Chimeric Antigen" in page
    page = unescape(admin.get("/admin/vocabulary?facet=safety").text)
    assert "reported absent" in page
    assert "Cytokine release syndrome" in page
    assert "Grass-carp" in admin.get("/admin/vocabulary?facet=dismissals").text
    assert admin.get("/admin/vocabulary?facet=colour").status_code == 404
    assert admin.get("/admin/vocabulary/colours/edit").status_code == 404
    assert place.client("curator").get("/admin/vocabulary").status_code == 403


def test_a_try_shows_tags_that_come_and_saves_nothing(place: Desk) -> None:
    stocked(place)
    admin = place.client("admin")
    form = {"text": gallic().replace("\n", "\r\n"), "based_on": "1", "newest": "50", "reason": "a word"}
    page = unescape(admin.post(TRY, data=form).text)
    assert "3 papers were read." in page
    assert "3 would be proposed otherwise" in page
    assert "Gallic cells & melanoma, part 2" in page
    assert re.search(r"<b>\+</b>CAR-NK cells", page)
    assert "title: <q>Gallic cells</q>" in page
    assert 'value="a word"' in page
    assert "gallic cells" in page[page.index("<textarea") :]
    assert place.house.rulebooks.newest("vocabulary").version == 1


def test_a_pasted_text_shows_all_its_proposals(place: Desk) -> None:
    form = {
        "text": starter("vocabulary"),
        "based_on": "1",
        "title": "<b>CIK</b> therapy",
        "abstract": "No CRS was seen.",
    }
    page = unescape(place.client("admin").post(TRY, data=form).text)
    assert "Nothing would be proposed otherwise than now." in page
    assert "reported absent" in page
    assert "<b>CIK</b> therapy" not in page.split("<form")[1].split("<textarea")[0]


def test_what_a_try_needs_is_said(place: Desk) -> None:
    admin = place.client("admin")
    answer = admin.post(TRY, data={"text": gallic(), "based_on": "1", "pmids": "12 x7"})
    assert answer.status_code == 422
    assert "x7: PMIDs are whole numbers" in answer.text
    assert 'value="12 x7"' in answer.text
    answer = admin.post(TRY, data={"text": gallic(), "based_on": "1"})
    assert "say what to try it on" in answer.text


def test_faults_are_told_with_their_lines_and_the_text_is_kept(place: Desk) -> None:
    text = (
        starter("vocabulary")
        .replace("- {id: cik,", "- {id: cik, colour: red,", 1)
        .replace("'\\bmelanomas?", "'(melanomas?", 1)
    )
    answer = place.client("admin").post(SAVE, data={"text": text, "based_on": "1"})
    assert answer.status_code == 422
    page = unescape(answer.text)
    assert "2 things are wrong, so nothing was saved." in page
    line = 1 + text[: text.index("colour")].count("\n")
    assert f"line {line}: facet therapy, terms 5, colour: unknown key" in page
    assert "column" in page
    assert "colour: red" in page[page.index("<textarea") :]
    assert place.house.rulebooks.newest("vocabulary").version == 1


def test_saving_makes_a_version_and_history_leads_back(place: Desk) -> None:
    admin = place.client("admin")
    answer = admin.post(SAVE, data={"text": gallic(), "based_on": "1", "reason": "gallic cells are ours"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{EDIT}?saved=2")
    assert "Saved as version 2." in admin.get(answer.headers["location"]).text
    page = admin.get("/admin/vocabulary/vocabulary/history").text
    assert "gallic cells are ours" in page
    assert "Admin" in page
    page = unescape(admin.get("/admin/vocabulary/vocabulary/history/2").text)
    assert '<tr class="added">' in page
    assert "gallic cells" in page
    assert admin.get("/admin/vocabulary/vocabulary/history/7").status_code == 404
    restore = "/admin/vocabulary/vocabulary/restore"
    assert admin.post(restore, data={"number": "1", "based_on": "1"}).status_code == 409
    answer = admin.post(restore, data={"number": "1", "based_on": "2"})
    assert answer.status_code == 303
    assert place.house.rulebooks.newest("vocabulary").text == starter("vocabulary")


def test_two_admins_compare_keep_mine_or_take_theirs(place: Desk) -> None:
    admin = place.client("admin")
    place.house.rulebooks.save("vocabulary", starter("vocabulary") + "# theirs\n", expected=1)
    answer = admin.post(SAVE, data={"text": gallic(), "based_on": "1", "reason": "mine"})
    assert answer.status_code == 409
    page = unescape(answer.text)
    assert "was saved meanwhile" in page
    assert "<code># theirs</code>" in page
    assert 'name="based_on" value="2"' in page
    assert f'href="{EDIT}"' in page
    answer = admin.post(SAVE, data={"text": gallic(), "based_on": "2", "reason": "mine"})
    assert answer.status_code == 303
    assert [each.version for each in place.house.rulebooks.history("vocabulary")] == [3, 2, 1]


def test_noisy_patterns_are_listed_and_counted(place: Desk) -> None:
    stocked(place, 30)
    admin = place.client("admin")
    assert "No pattern is noisy." in admin.get("/admin/vocabulary/noisy").text
    with place.house.database.write() as session:
        uses = [Use("\\bmelanomas?\\b", "melanoma", FIRST_PMID + n, n > 15, n <= 15) for n in range(30)]
        vocabulary.record_use(session, uses, NOW)
    page = admin.get("/admin/vocabulary/noisy").text
    assert "16 (53%)" in page
    assert '<span class="many">1</span>' in admin.get("/admin/vocabulary").text


def test_level_rules_are_edited_on_the_same_page(place: Desk) -> None:
    admin = place.client("admin")
    assert "rules:" in admin.get("/admin/vocabulary/levels/edit").text
    text = starter("levels").replace("level: B3", "level: B9", 1)
    answer = admin.post("/admin/vocabulary/levels/save", data={"text": text, "based_on": "1"})
    assert "B9" in answer.text.split("<textarea")[0]


def test_in_chinese_the_terms_have_their_chinese_names(place: Desk) -> None:
    stocked(place, 1)
    admin = place.client("admin", **{"accept-language": "zh-Hans"})
    assert "疗法" in admin.get("/admin/vocabulary").text
    page = admin.post(TRY, data={"text": gallic(), "based_on": "1", "newest": "50"}).text
    assert "CAR-NK细胞" in page.split("<textarea")[0]


@needs_chromium
def test_the_editor_in_a_browser(place: Desk, chromium: Any) -> None:
    stocked(place)
    with serving(place.app) as address:
        for scheme, width in (("light", 1280), ("dark", 390)):
            context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
            name, value = place.cookie("admin")
            context.add_cookies([{"name": name, "value": value, "url": address}])
            page = context.new_page()
            for path in ("/admin/vocabulary", EDIT, "/admin/vocabulary/vocabulary/history", "/admin/vocabulary/noisy"):
                page.goto(address + path)
                assert grave(page) == []
                assert not scrolls_sideways(page)
                picture(page, f"vocabulary-{path.rsplit('/', 1)[1]}-{scheme}-{width}")
            page.goto(address + EDIT)
            page.fill("#text", starter("vocabulary").replace("- {id: cik,", "- {id: cik, colour: red,", 1))
            page.click("text=Try it >> nth=-1")
            page.click(".faults button")
            chosen = page.evaluate(
                "(t => t.value.slice(t.selectionStart, t.selectionEnd))(document.getElementById('text'))"
            )
            assert "colour: red" in chosen
            assert grave(page) == []
            page.fill("#text", gallic())
            page.click("button[data-main]")
            page.wait_for_selector(".trial")
            assert grave(page) == []
            assert not scrolls_sideways(page)
            picture(page, f"vocabulary-trial-{scheme}-{width}")
            newest = place.house.rulebooks.newest("vocabulary")
            page.goto(address + EDIT)
            place.house.rulebooks.save("vocabulary", newest.text + f"# {scheme}\n", expected=newest.version)
            page.fill("#text", gallic())
            page.click("text=Save as a new version")
            page.wait_for_selector(".diff")
            assert grave(page) == []
            assert not scrolls_sideways(page)
            picture(page, f"vocabulary-conflict-{scheme}-{width}")
            page.goto(f"{address}/admin/vocabulary/vocabulary/history/{newest.version + 1}")
            assert grave(page) == []
            assert not scrolls_sideways(page)
            context.close()
