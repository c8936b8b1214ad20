"""A reader of Chinese beside readers of English: one selection, two issues, and the language goes wherever the letter does."""

from __future__ import annotations

import email
import email.policy
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.core.citation import InlineXml
from monitor.errors import UsageError
from monitor.mail.message import Marks, splice
from monitor.mail.render import render_page
from monitor.storage.engine import Database
from tests.acceptance.cli_world import Cli
from tests.acceptance.publishing_world import LINKS, MONDAY, World
from tests.factories import FIRST_PMID

WEEK = timedelta(days=7)


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.reader("english@lab.example", "car-nk", zone="Asia/Shanghai")
    made.reader("chinese@lab.example", "car-nk", zone="Asia/Shanghai", language="zh-Hans")
    made.reader("both@lab.example", "car-nk", zone="Asia/Shanghai", language="zh-Hans")
    made.moment = MONDAY - WEEK
    made.polled()
    made.found(1)
    made.found(
        2,
        title=InlineXml("[Invented CAR-NK cells for liver cancer.]"),
        vernacular_title=InlineXml("虚构的CAR-NK细胞治疗肝癌"),
        languages=("chi",),
    )
    return made


@pytest.fixture
def house(terminal: Cli, template: Path) -> Cli:
    shutil.copytree(template, terminal.home)
    return terminal


def test_each_language_is_an_issue_of_its_own(world: World) -> None:
    planned = {each.contents["language"]: each for each in world.publishing.plan()}
    assert {name: each.addresses for name, each in planned.items()} == {
        "en": ("english@lab.example",),
        "zh-Hans": ("chinese@lab.example", "both@lab.example"),
    }
    assert world.publishing.publish().issues == 2
    english, chinese = sorted(world.issues(), key=lambda issue: issue.language)
    assert (english.language, chinese.language) == ("en", "zh-Hans")
    assert world.entries(english) == world.entries(chinese)
    assert english.subject == "NK evidence: 2 papers (CAR-NK 2) [W47]"
    assert chinese.subject == "NK证据周报：论文2（CAR-NK 2） [W47]"
    # What was previewed is what was frozen, and what is sent.
    assert chinese.html == planned["zh-Hans"].letter.html
    sent = splice(chinese.message, Marks("both@lab.example", "t" * 32, "<1.a@lab.example>", world.moment))
    message = email.message_from_bytes(sent, policy=email.policy.default)
    assert message["Subject"] == chinese.subject
    text, html = (part.get_content() for part in message.iter_parts())
    assert "2026年11月16日" in text
    assert "虚构的CAR-NK细胞治疗肝癌" in text
    assert "虚构的CAR-NK细胞治疗肝癌" in html


def test_the_page_of_an_issue_speaks_as_its_letter(world: World) -> None:
    world.publishing.publish()
    chinese = next(issue for issue in world.issues() if issue.language == "zh-Hans")
    page = render_page(chinese.content, LINKS, chinese.key)
    assert '<html lang="zh-Hans"' in page
    assert "虚构的CAR-NK细胞治疗肝癌" in page
    assert "[Invented CAR-NK cells for liver cancer.]" in page


def test_a_retraction_is_told_in_chinese_with_the_day_it_was_sent(world: World) -> None:
    world.publishing.publish()
    world.delivered()
    world.moment = MONDAY
    world.polled()
    world.retracted(1)
    (planned,) = (each for each in world.publishing.plan() if each.contents["language"] == "zh-Hans")
    assert planned.letter.subject == "NK证据周报：撤稿1 [W48]"
    assert "2026年11月16日" in planned.letter.text
    assert "此后已被撤稿。" in planned.letter.text
    assert f"/{FIRST_PMID + 1}/" in planned.letter.text


def test_a_language_changed_between_issues_counts_from_the_next(world: World) -> None:
    world.publishing.publish()
    world.delivered()
    world.subscribing.subscribe("english@lab.example", (), language="zh-Hans")
    world.moment = MONDAY
    world.polled()
    world.found(3)
    (planned,) = world.publishing.plan()
    assert planned.letter.subject == "NK证据周报：论文1（CAR-NK 1） [W48]"
    assert len(planned.addresses) == 3


def test_other_languages_are_refused_by_name(world: World) -> None:
    with pytest.raises(UsageError, match="choose from en, zh-Hans"):
        world.subscribing.subscribe("english@lab.example", (), language="zh")


def test_the_command_line_takes_it(house: Cli) -> None:
    assert house("person", "add", "member@lab.example", "--language", "zh-Hans").code == 0
    assert house("person", "subscribe", "member@lab.example", "cik").code == 0
    assert house("person", "subscribe", "member@lab.example", "--language", "zh-Hans").code == 0
    (person,) = house("person", "list", "--json").json
    assert (person["language"], person["subscription"]["language"]) == ("zh-Hans", "zh-Hans")
    said = house("person", "subscribe", "member@lab.example", "--language", "zh-Hant")
    assert said.code == 2
    assert "choose from en, zh-Hans" in said.err
    (person,) = house("person", "list", "--json").json
    assert person["subscription"]["language"] == "zh-Hans"


def test_an_installation_can_make_it_usual(house: Cli) -> None:
    house.settings["MONITOR_LANGUAGE"] = "zh-Hans"
    house("person", "add", "member@lab.example")
    assert house("person", "subscribe", "member@lab.example", "cik").code == 0
    assert house("person", "list", "--json").json[0]["subscription"]["language"] == "zh-Hans"
    house.settings["MONITOR_LANGUAGE"] = "tlh"
    said = house("person", "list")
    assert said.code == 2
    assert "choose from en, zh-Hans" in said.err
