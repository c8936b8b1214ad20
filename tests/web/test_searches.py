"""The searches of admins, without script: every button of the editor, and what stands against a save (ux.md B5, B13)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml
from httpx2 import Response

from monitor.core.strategy import Line
from monitor.pubmed.sandbox import Fault
from monitor.storage import events
from tests.acceptance.polling import record
from tests.web.searches_world import ADDRESS, FIRST, SENTINEL, TOPIC, Searching, fields, searching, text

UNKNOWN = "CAR-iNK therapy"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Searching]:
    with searching(tmp_path / "lab") as found:
        yield found


def test_the_list_says_how_each_search_does(lab: Searching) -> None:
    lab.house.screening.decide([FIRST], "keep", topics=[TOPIC], actor=lab.actor)
    lab.house.screening.decide([FIRST + 4], "dismiss", reason="not-primary", actor=lab.actor)
    said = text(lab.admin.get("/admin/searches"))
    assert "Invented CAR-NK cells" in said
    assert "version 1" in said
    assert "2 core" in said
    assert "Done" in said
    assert "1 kept (50%)" in said
    assert "1 dismissed (50%)" in said
    assert "all 1 found" in said
    assert "Bring back" in said, "the starter's topics are retired here"


def test_looking_and_typing_never_ask_pubmed(lab: Searching) -> None:
    for page in ("/admin/searches", ADDRESS, f"{ADDRESS}/history", f"{ADDRESS}/suggestions", "/admin/searches/_new"):
        assert lab.admin.get(page).status_code == 200
    given = lab.editor(**{"core.0.query": "fable or story[tiab]"})
    live = lab.admin.post(f"{ADDRESS}/live", data=given)
    assert "lower-case-boolean" in live.text
    assert "<html" not in live.text
    for button in ("up:core:1", "add:wide", "gone:core:0"):
        assert lab.press(button).status_code == 200
    assert lab.asked() == 0


def test_the_editor_shows_what_is_known_of_each_line_and_of_the_sentinels(lab: Searching) -> None:
    said = text(lab.admin.get(ADDRESS))
    assert "Found 2 papers, 0 of them kept, 0 dismissed" in said
    assert "Chimeric NK cells without a hyphen" in said, "the sentinel by its title"
    assert "as PubMed read it on" in said
    assert '("CAR-NK"[tiab]) OR ("chimeric NK cells"[tiab])' in said


def test_lines_are_moved_removed_put_back_and_added_without_being_saved(lab: Searching) -> None:
    moved = fields(lab.press("down:core:0").text)
    assert moved["core.0.query"] == '"chimeric NK cells"[tiab]'
    removed = lab.press("gone:core:1", moved)
    assert "Removed:" in text(removed)
    assert "<del><code>&#34;CAR-NK&#34;[tiab]</code></del>" in removed.text
    again = fields(lab.press("back:core:1", fields(removed.text)).text)
    assert [again["core.0.query"], again["core.1.query"]] == ['"chimeric NK cells"[tiab]', '"CAR-NK"[tiab]']
    more = fields(lab.press("add:wide", again).text)
    assert more["wide.1.query"] == ""
    blocked = lab.press("block", more, new_block="donor")
    assert fields(blocked.text)["block"] == ["CAR", "NK", "DONOR"]
    assert lab.press("block", fields(blocked.text), new_block="9 x").status_code == 422
    assert lab.version() == 1


def test_a_repair_of_the_linter_rewrites_its_line_and_a_stale_one_nothing(lab: Searching) -> None:
    typed = lab.editor(**{"core.0.query": "fable or story[tiab]"})
    page = lab.press("look", typed).text
    button = page.split("lower-case-boolean")[1].split('value="fix:')[1].split('"')[0]
    assert fields(lab.press(f"fix:{button}", typed).text)["core.0.query"] == "fable[tiab] OR story[tiab]"
    stale = lab.press(f"fix:{button}", lab.editor())
    assert stale.status_code == 422
    assert "The text has changed since" in text(stale)


def test_check_counts_and_says_what_changes(lab: Searching) -> None:
    said = text(lab.press("check", lab.editor(**{"core.2.query": "zebrafish[tiab]", "core.2.reason": "invented"})))
    assert "Nothing stands against saving." in said
    assert "PubMed counts 4 papers" in said
    assert "1 of 1 found by PubMed" in said
    assert "lines: 1 gained" in said
    assert lab.version() == 1


def test_preview_shows_twelve_years_as_bars_with_a_table(lab: Searching) -> None:
    answer = lab.press("preview:core")
    said = text(answer)
    assert "Papers by year, 2015 to 2026" in said
    assert answer.text.count("<rect") == 12
    assert "Last 30 days 1" in said
    assert "3 3 of 3 that PubMed names are held" in said
    assert "before 2015: 1" in said
    assert "Preview, Wide" in text(lab.press("preview:wide"))


def test_a_dry_run_names_the_papers_of_the_last_week(lab: Searching) -> None:
    new = record(FIRST + 50, title="CAR-NK cells of yesterday", created=date(2026, 11, 21))
    lab.server.corpus.add(new.encode())
    said = text(lab.press("dry"))
    assert "Dry run, from 15 Nov 2026 on" in said
    assert "1 not held yet" in said
    assert "CAR-NK cells of yesterday" in said
    assert "not held" in said
    assert lab.house.library.unknown([FIRST + 50])


def test_comparing_tells_what_a_change_would_gain_and_lose_before_it_is_saved(lab: Searching) -> None:
    given = lab.editor(**{"core.0.query": "zebrafish[tiab]"})
    said = text(lab.press("compare", given))
    assert "Added: 1 in PubMed, 0 in the library" in said
    assert "Zebrafish of nowhere" in said
    assert "Lost: 2 in PubMed, 2 in the library" in said
    assert "CAR-NK before the name was known" in said
    assert lab.version() == 1


def test_s_01_an_unknown_phrase_blocks_the_save_and_proximity_is_offered(lab: Searching) -> None:
    lab.server.unknown_phrases = [UNKNOWN]
    given = lab.editor(**{"core.2.query": f'"{UNKNOWN}"[tiab]', "core.2.reason": "invented", "core.2.on": "1"})
    answer = lab.press("save", given)
    assert answer.status_code == 422
    assert 'PubMed does not know the phrase "car-ink therapy" and would search its words separately.' in text(answer)
    assert lab.version() == 1
    assert fields(answer.text)["core.2.query"] == f'"{UNKNOWN}"[tiab]', "what was typed is kept"
    button = answer.text.split('value="fix:')[1].split('"')[0]
    repaired = fields(lab.press(f"fix:{button}", fields(answer.text)).text)
    assert repaired["core.2.query"] == '"CAR iNK therapy"[tiab:~0]'
    saved = lab.press("save", repaired)
    assert saved.status_code == 303
    assert lab.version() == 2
    assert "Version 2 is saved." in text(lab.admin.get(saved.headers["location"]))


def test_s_02_a_lost_sentinel_blocks_by_its_pmid_until_a_reason_is_given(lab: Searching) -> None:
    without = fields(lab.press("gone:core:1").text)
    refused = lab.press("save", without)
    assert refused.status_code == 422
    assert f"sentinel {SENTINEL} is lost" in text(refused)
    assert lab.version() == 1
    assert lab.press("save", fields(refused.text), because="  ").status_code == 422
    saved = lab.press("save", fields(refused.text), because="That name is no longer used")
    assert saved.status_code == 303
    history = text(lab.admin.get(f"{ADDRESS}/history"))
    assert f"Saved although: sentinel {SENTINEL} is lost" in history
    assert "Saved all the same: That name is no longer used" in history
    with lab.house.database.read() as session:
        assert events.about(session, f"topic:{TOPIC}")[-1].actor == "admin@lab.example"


def test_s_03_a_pmid_is_tested_line_by_line(lab: Searching) -> None:
    found = lab.press("test", pmid=str(FIRST))
    said = text(found)
    assert 'yes 1 "CAR-NK"[tiab]' in said
    assert 'no 2 "chimeric NK cells"[tiab]' in said
    assert '<mark class="hit">CAR-NK</mark>' in found.text
    assert "PubMed says the same." in said
    wide = lab.press("test", pmid=str(FIRST + 2))
    assert "Lines that would bring it into core" in text(wide)
    offered = wide.text.split('value="line:')[1].split('"')[0].replace("&#34;", '"')
    added = fields(lab.press(f"line:{offered}", pmid=str(FIRST + 2)).text)
    assert added["core.2.query"] == offered
    assert added["core.2.reason"] == f"Finds PMID {FIRST + 2}"
    assert "is no PMID" in text(lab.press("test", pmid="x"))
    assert "PubMed has no record with PMID 99999999" in text(lab.press("test", pmid="99999999"))


def test_what_cannot_be_saved_is_told_whole_and_what_was_typed_stays(lab: Searching) -> None:
    given = lab.editor(
        **{"core.0.query": "(fable[tiab]", "core.2.query": "tale[tiab]", "sentinels": "12 x", "title": " "}
    )
    answer = lab.press("save", given)
    said = text(answer)
    assert answer.status_code == 422
    assert "the title is missing" in said
    assert "core, line 3: why, the reason, is missing" in said
    assert "'x' is no PMID" in said
    assert fields(answer.text)["sentinels"] == "12 x"
    unreadable = lab.press("save", lab.editor(**{"core.0.query": "(fable[tiab]"}))
    assert unreadable.status_code == 422
    assert "core line 1, column" in text(unreadable)
    assert lab.version() == 1


def test_nothing_new_is_no_version_and_a_title_needs_none(lab: Searching) -> None:
    assert "Nothing is different from version 1" in text(lab.press("save"))
    saved = lab.press("save", lab.editor(title="Another name"))
    assert saved.headers["location"].endswith("?saved=details")
    assert "The search itself is as it was." in text(lab.admin.get(saved.headers["location"]))
    assert lab.version() == 1


def test_two_admins_compare_keep_mine_or_take_theirs(lab: Searching) -> None:
    mine = lab.editor(**{"core.2.query": "zebrafish[tiab]", "core.2.reason": "mine", "core.2.on": "1"})
    held = lab.house.strategies.draft(TOPIC)
    strategy = replace(held.strategy, core=(*held.strategy.core, Line("kidney[tiab]", "theirs", "lab")))
    lab.house.strategies.save(replace(held, strategy=strategy), "a line of theirs", lab.actor)
    clash = lab.press("save", mine)
    said = text(clash)
    assert clash.status_code == 409
    assert "Another admin changed this" in said
    assert "Your text is kept." in said
    assert "+ core 3: kidney[tiab] (theirs)" in said
    assert "kidney[tiab] becomes zebrafish[tiab]" in said
    assert fields(clash.text)["core.2.query"] == "zebrafish[tiab]"
    assert "kidney[tiab]" in lab.admin.get(ADDRESS).text, "take theirs is a look at what stands"
    kept = lab.press("keep", fields(clash.text))
    assert kept.status_code == 303
    assert lab.version() == 3
    assert [each.query for each in lab.house.strategies.draft(TOPIC).strategy.core][2] == "zebrafish[tiab]"


def test_keeping_mine_is_a_clash_again_when_a_third_was_quicker(lab: Searching) -> None:
    mine = lab.editor(title="Mine")
    lab.house.strategies.save(replace(lab.house.strategies.draft(TOPIC), title="Theirs"), "", lab.actor)
    clash = lab.press("save", mine)
    assert clash.status_code == 409
    lab.house.strategies.save(replace(lab.house.strategies.draft(TOPIC), title="A third"), "", lab.actor)
    assert lab.press("keep", fields(clash.text)).status_code == 409
    assert lab.house.topics.one(TOPIC).stored.topic.title == "A third"


def test_pubmed_out_of_reach_costs_nothing_that_was_typed(lab: Searching) -> None:
    lab.server.fault(Fault.HTTP_502)
    given = lab.editor(**{"core.2.query": "zebrafish[tiab]", "core.2.reason": "typed", "core.2.on": "1"})
    for button in ("check", "preview:core", "dry", "compare", "test"):
        answer = lab.press(button, given, pmid=str(FIRST))
        assert "PubMed did not answer (tried 4 times). Nothing was changed; what you typed is kept." in text(answer), (
            button
        )
        assert fields(answer.text)["core.2.reason"] == "typed"
    missing = lab.press("test", given, pmid="99999999")
    assert missing.status_code == 200
    assert "PubMed did not answer (tried 4 times)" in text(missing)
    saved = lab.press("save", given)
    assert saved.status_code == 303
    assert "checked with what is known here" in text(lab.admin.get(saved.headers["location"]))


def test_a_topic_is_added_and_a_bad_or_taken_name_is_refused(lab: Searching) -> None:
    blank = fields(lab.admin.get("/admin/searches/_new").text)
    given = {**blank, "title": "Fish", "core.0.query": "zebrafish[tiab]", "core.0.reason": "invented", "do": "save"}
    bad = lab.admin.post("/admin/searches/_new", data={**given, "topic_id": "No Name"})
    assert bad.status_code == 422
    assert "names are small letters" in text(bad)
    assert fields(bad.text)["title"] == "Fish"
    taken = lab.admin.post("/admin/searches/_new", data={**given, "topic_id": TOPIC})
    assert taken.status_code == 422
    made = lab.admin.post("/admin/searches/_new", data={**given, "topic_id": "fish"})
    assert made.headers["location"] == "/admin/searches/fish?saved=1"
    assert "Version 1 is saved." in text(lab.admin.get(made.headers["location"]))
    live = lab.admin.post("/admin/searches/_new/live", data={**given, "core.0.query": "fish or chips[tiab]"})
    assert "lower-case-boolean" in live.text


def test_topics_are_put_in_order_retired_and_brought_back(lab: Searching) -> None:
    for topic in ("cik", "car-nk"):
        assert lab.admin.post(f"/admin/searches/{topic}/return").status_code == 303
    living = [each.stored.id for each in lab.house.topics.all()]
    assert lab.admin.post(f"/admin/searches/{living[1]}/move", data={"way": "up"}).status_code == 303
    assert [each.stored.id for each in lab.house.topics.all()] == [living[1], living[0], living[2]]
    assert lab.admin.post(f"/admin/searches/{living[2]}/move", data={"way": "down"}).status_code == 303
    assert lab.admin.post(f"/admin/searches/{living[0]}/move", data={"way": "aside"}).status_code == 422
    assert lab.admin.post(f"{ADDRESS}/retire").status_code == 422
    assert lab.admin.post(f"{ADDRESS}/retire", data={"reason": "Nobody reads it"}).status_code == 303
    assert TOPIC not in [each.stored.id for each in lab.house.topics.all()]
    assert lab.admin.get(ADDRESS).status_code == 303, "a retired topic has no editor"
    assert lab.admin.post(ADDRESS, data={"do": "check"}).status_code == 422
    assert "Nobody reads it" in text(lab.admin.get(f"{ADDRESS}/history"))


def test_two_curators_may_be_asked_to_judge_each_paper(lab: Searching) -> None:
    lab.admin.post(f"{ADDRESS}/screening", data={"on": "1"})
    assert "Two curators judge each paper" in text(lab.admin.get(ADDRESS))
    assert "two screen" in text(lab.admin.get("/admin/searches"))
    lab.admin.post(f"{ADDRESS}/screening", data={"on": "0"})
    assert "One curator judges each paper" in text(lab.admin.get(ADDRESS))


def test_a_version_is_looked_at_and_restored_and_one_that_loses_a_sentinel_needs_a_reason(lab: Searching) -> None:
    kept = fields(lab.press("gone:core:1").text)
    lab.press("save", kept, because="For a while")
    lab.press("save", lab.editor(**{"core.1.query": '"chimeric NK cells"[tiab]', "core.1.reason": "back"}))
    assert lab.version() == 3
    older = lab.admin.get(f"{ADDRESS}?version=2")
    assert "These are the lines of version 2." in text(older)
    assert "core.1.reason" not in fields(older.text) or fields(older.text)["core.1.reason"] == ""
    refused = lab.admin.post(f"{ADDRESS}/restore", data={"version": "2", "reason": "try"})
    assert refused.status_code == 422
    assert f"sentinel {SENTINEL} is lost" in text(refused)
    done = lab.admin.post(f"{ADDRESS}/restore", data={"version": "1", "reason": "It was better"})
    assert done.headers["location"] == f"{ADDRESS}/history#v4"
    assert lab.admin.post(f"{ADDRESS}/restore", data={"version": "2", "because": "really"}).status_code == 303
    assert lab.admin.post(f"{ADDRESS}/restore", data={"version": "77"}).status_code == 404
    assert lab.admin.post(f"{ADDRESS}/restore", data={"version": "x"}).status_code == 404
    assert "stands" in text(lab.admin.get(f"{ADDRESS}/history"))


def test_topics_go_out_as_a_file_and_come_in_shown_first(lab: Searching) -> None:
    out = lab.admin.get(f"/admin/searches/_export?topic={TOPIC}")
    assert out.headers["content-disposition"] == 'attachment; filename="invented.yaml"'
    same = _brought(lab, out.content)
    assert "There is nothing to save." in text(same)
    value = yaml.safe_load(out.content)
    value["topics"][TOPIC]["core"].append({"q": "zebrafish[tiab]", "why": "from a file"})
    shown = _brought(lab, yaml.safe_dump(value).encode())
    assert "+ core 3: zebrafish[tiab] (from a file)" in text(shown)
    assert lab.version() == 1
    form = {"name": "invented.yaml", "text": yaml.safe_dump(value), "do": "save"}
    assert lab.admin.post("/admin/searches/_files", data=form).status_code == 303
    assert lab.version() == 2
    value["topics"][TOPIC]["core"] = value["topics"][TOPIC]["core"][:1]
    value["topics"][TOPIC]["based_on"] = 2
    form["text"] = yaml.safe_dump(value)
    refused = lab.admin.post("/admin/searches/_files", data=form)
    assert refused.status_code == 422
    assert f"sentinel {SENTINEL} is lost" in text(refused)
    assert lab.admin.post("/admin/searches/_files", data={**form, "because": "so it is"}).status_code == 303
    assert lab.version() == 3


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"version: 1\ntopics: {x: {title: t, title: u}}\n", "title stands here twice"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"version: 9\n", "reads version 1"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence_and_changes_nothing(lab: Searching, data: bytes, said: str) -> None:
    answer = _brought(lab, data)
    assert answer.status_code == 422
    assert said in text(answer)
    assert lab.version() == 1


def test_kept_papers_of_the_wide_lane_suggest_lines_for_core(lab: Searching) -> None:
    assert "Every kept paper of this topic is found by core." in text(lab.admin.get(f"{ADDRESS}/suggestions"))
    lab.house.screening.decide([FIRST + 2], "keep", topics=[TOPIC], actor=lab.actor)
    page = lab.admin.get(f"{ADDRESS}/suggestions")
    assert "CAR-engineered effectors and NK cells" in text(page)
    link = page.text.split(f'href="{ADDRESS}?line=')[1].split('"')[0].replace("&amp;", "&")
    tried = fields(lab.admin.get(f"{ADDRESS}?line={link}").text)
    assert tried["core.2.reason"] == f"Finds PMID {FIRST + 2}"
    assert lab.version() == 1


def test_only_admins_come_near(lab: Searching) -> None:
    for role in ("member", "curator"):
        client = lab.client(role)
        assert client.get(ADDRESS).status_code == 403
        assert client.post(ADDRESS, data={"do": "save"}).status_code == 403
    assert lab.version() == 1


def _brought(lab: Searching, data: bytes) -> Response:
    file = {"file": ("invented.yaml", data, "application/yaml")}
    return lab.admin.post("/admin/searches/_files", files=file, data={"do": "look"})
