"""Letters in Chinese: their words, dates and marks, how large they are, and that a mail program reads them back."""

from __future__ import annotations

import dataclasses
import email
import email.policy
import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.citation import Abstract, AbstractSection, InlineXml
from monitor.core.contents import contents
from monitor.core.curation import Curation, LeftOut, Tag
from monitor.core.issue import Candidate, FollowUp, Health, select
from monitor.core.markup import escape_text
from monitor.core.screening import Verdict
from monitor.mail.folding import columns, fold
from monitor.mail.message import TOKEN_MARK, Marks, build_template, splice
from monitor.mail.render import (
    HTML_MAX,
    PREHEADER,
    SUBJECT_MAX,
    Letter,
    encoded_size,
    preheader,
    render_digest,
    render_letter,
    render_page,
)
from monitor.mail.words import DIRECTIONS, LANGUAGES, PUNCTUATION, Words
from monitor.resources import LANGUAGES as OF_PAGES
from monitor.resources import resource_dir, translations
from monitor.settings import LANGUAGES as OF_SETTINGS
from tests.unit.test_render import _ATTRIBUTES as ATTRIBUTES
from tests.unit.test_render import _CALM as CALM
from tests.unit.test_render import LINKS, NOW, PAYLOADS, SENDER, TOPICS, Page, candidate, follow_up, health, setting

CHINESE = "虚构的杀伤细胞治疗肝细胞癌：随机对照研究"
CONCLUSION = "The invented cells did no harm to any of the 37 invented patients."


def made(*papers: Candidate, **overrides: Any) -> dict[str, Any]:
    """Return the contents of an issue for a reader of Chinese."""
    changed: tuple[FollowUp, ...] = overrides.pop("follow_ups", ())
    searches = overrides.pop("searches", health())
    left_out = overrides.pop("left_out", LeftOut())
    issue = select(TOPICS, papers, changed, searches, overrides.get("card_limit", 12), left_out=left_out)
    return contents(issue, setting(language="zh-Hans", **overrides))


def letter(*papers: Candidate, **overrides: Any) -> Letter:
    return render_digest(made(*papers, **overrides), LINKS, "k" * 22)


def chinese(number: int, topic: str = "cik", **overrides: Any) -> Candidate:
    """Return a paper whose authors gave it a Chinese title, which PubMed has translated."""
    facts: dict[str, Any] = {
        "title": InlineXml("[Invented killer cells for liver cancer.]"),
        "vernacular_title": InlineXml(CHINESE),
        "languages": ("chi",),
    }
    return candidate(number, topic, **{**facts, **overrides})


def concluding(text: str) -> Abstract:
    return Abstract((AbstractSection(InlineXml(text), "CONCLUSIONS"),))


def test_every_language_has_all_its_forms() -> None:
    assert set(LANGUAGES) == set(DIRECTIONS) == set(PUNCTUATION) == set(OF_PAGES) == set(OF_SETTINGS)


RETRACTION = follow_up(90, "retracted", flags=frozenset({"retracted"}))
FAILED = health(cik=Health("cik", "failed", NOW - timedelta(days=2), 7, 1, (), "PubMed did not answer"))
UNSURE = health(cik=Health("cik", "warned", NOW, 7, 0, ("CAR-iNK therapy",)))


@pytest.mark.parametrize(
    ("papers", "more", "subject", "preview"),
    [
        (14, {"follow_ups": (RETRACTION,)}, "NK证据周报：撤稿1，论文14（CAR-NK 14） [W48]", "发送后被撤稿："),
        (2, {"searches": FAILED}, "NK证据周报：论文2（CAR-NK 2），检索失败1 [W48]", "首篇："),
        (0, {}, "NK证据周报：", "PubMed 中没有"),
        (0, {"searches": FAILED}, "NK证据周报：", "11月16日"),
        (0, {"searches": UNSURE}, "NK证据周报：", "11月16日"),
        (3, {"missed": 2, "test": True}, "[测试] NK证据周报：论文3（CAR-NK 3），", "首篇："),
        (1, {"name": "NK evidence of our lab"}, "NK evidence of our lab：论文1", "首篇："),
    ],
)
def test_subject_and_preheader(papers: int, more: dict[str, Any], subject: str, preview: str) -> None:
    held = made(*(candidate(n) for n in range(papers)), **more)
    found = render_digest(held, LINKS, "k" * 22)
    assert found.subject.startswith(subject)
    assert columns(found.subject) <= SUBJECT_MAX
    assert preview in preheader(held)
    assert PREHEADER[0] <= columns(preheader(held)) <= PREHEADER[1]
    assert preheader(held) in Page(found.html).visible


def full() -> dict[str, Any]:
    """Return an issue with everything in it that a letter can hold."""
    kept = Curation(
        Verdict.KEEP, ("cik",), "member@lab.example", "值得一读。", "B3", True, None, "uncontrolled trial", 86, ("crs",)
    )
    paper = dataclasses.replace(chinese(0, abstract=concluding(CONCLUSION)), curation=kept)
    return made(
        paper,
        candidate(1, abstract=concluding(CONCLUSION)),
        candidate(2, flags=frozenset({"retracted"})),
        follow_ups=(RETRACTION, follow_up(91, "erratum")),
        searches=FAILED,
        left_out=LeftOut(3, 0, 2),
        missed=1,
        tags=lambda tags: tuple(Tag("细胞因子释放综合征", "absent") for _ in tags),
    )


def test_a_letter_speaks_chinese_in_both_parts() -> None:
    found = render_digest(full(), LINKS, "k" * 22)
    seen = Page(found.html).visible.replace(" ", "")
    for words in (
        "第2026-W48周，2026年11月23日",
        "2026年11月3日曾把这篇文献发给你。此后已被撤稿。",
        "已撤稿或受质疑",
        "B3无对照、治疗五例或以上（建议）",
        "细胞因子释放综合征（报告未发生）",
        "2024年1月15日",
        "无对照试验",
        "每星期一07:00（Europe/Berlin）",
        "审编员排除的3篇",
        "仅供科研参考",
    ):
        assert words in seen, words
        assert words in "".join(found.text.split()), words
    # What stands in English is a name, a title, a quotation or what a server said.
    told = re.sub(r"https?://\S+", "", found.text)
    for each in ("Why", "Week", "Kept", "found", "paper", "level", "Notice", "Unsubscribe", "since", "Searches"):
        assert not re.search(rf"\b{each}\b", told), each
    assert not re.search(r"[\u4e00-\u9fff] ?[,;:?!]( |$)", told, re.MULTILINE)  # full-width marks only


def test_titles_stand_in_the_readers_language_with_the_other_below() -> None:
    found = render_digest(full(), LINKS, "k" * 22)
    assert found.html.index(CHINESE) < found.html.index("[Invented killer cells for liver cancer.]")
    assert re.search(r'lang="en"[^>]*>\[Invented killer cells', found.html)
    told = "".join(found.text.split())
    assert told.index(CHINESE) < told.index("[Inventedkillercellsforlivercancer.]")
    english = render_digest({**contents(select(TOPICS, [chinese(0)], (), health(), 12), setting())}, LINKS, "k" * 22)
    assert "[Invented killer cells for liver cancer.]" in english.html
    assert CHINESE not in english.html + english.text


def test_a_title_that_nobody_translated_says_its_language() -> None:
    only = chinese(0, title=None)
    english = render_digest(contents(select(TOPICS, [only], (), health(), 12), setting()), LINKS, "k" * 22)
    assert f'<span lang="zh">{CHINESE}</span>' in english.html
    assert f">{CHINESE}</a>" in letter(only).html


def test_every_block_says_its_language() -> None:
    html = render_digest(full(), LINKS, "k" * 22).html
    page = Page(html)
    for element in (page.all("html")[0], page.all("div")[0]):
        assert (element["lang"], element["dir"]) == ("zh-Hans", "ltr")
    assert f'<span lang="en">“{CONCLUSION}”</span>' in html
    assert '<span lang="en">Invented natural killer cells' in html
    assert "摘自结论：<span" in html


def test_an_english_letter_marks_nothing_that_is_english() -> None:
    english = contents(select(TOPICS, [candidate(0, abstract=concluding(CONCLUSION))], (), health(), 12), setting())
    assert Page(render_digest(english, LINKS, "k" * 22).html).all("span")
    assert 'span lang="' not in render_digest(english, LINKS, "k" * 22).html


@pytest.mark.parametrize("count", [0, 12, 200])
def test_a_full_digest_stays_below_80_kb(count: int) -> None:
    """ux.md D-02: Chinese grows when it is encoded."""
    kept = Curation(
        Verdict.KEEP,
        ("cik",),
        "审编员",
        "值得在组会上讨论。" * 40,
        "B3",
        True,
        None,
        "uncontrolled trial",
        86,
        ("a", "b"),
    )
    many = [
        dataclasses.replace(
            chinese(
                n,
                vernacular_title=escape_text(f"{CHINESE * 4}{n}"),
                title=escape_text("[Invented killer cells. " + "Invented words " * 20 + "]"),
                journal={"medline_ta": "虚构细胞治疗杂志"},
                abstract=concluding(CONCLUSION),
            ),
            curation=kept,
        )
        for n in range(count)
    ]
    changed = tuple(
        follow_up(5_000 + n, "retracted", flags=frozenset({"retracted"}), vernacular_title=InlineXml(CHINESE * 4))
        for n in range(count // 5)
    )
    held = made(*many, follow_ups=changed, tags=lambda tags: tuple(Tag("细胞因子释放综合征", "absent") for _ in tags))
    found = render_digest(held, LINKS, "k" * 22)
    assert encoded_size(found.html) <= HTML_MAX
    octets = splice(build_template(found, SENDER, LINKS.unsubscribe()), _marks())
    message = email.message_from_bytes(octets, policy=email.policy.default)
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert len(octets[octets.rindex(b"Content-Type: text/html") :]) <= HTML_MAX + 300
    read = html.get_content()
    assert 'lang="zh-Hans"' in read
    assert not re.search(r"<(?:img|script|link)\b", read)
    assert all(link["href"].startswith("https://") for link in Page(read).all("a"))
    assert TOKEN_MARK not in read
    for n in range(count):
        assert LINKS.pubmed(many[n].citation.pmid) in text.get_content()
    if count > 60:
        assert "网页上另有" in Page(read).visible
    whole = render_page(held, LINKS, "k" * 22)
    assert all(LINKS.pubmed(each.citation.pmid) in whole for each in many)
    assert 'lang="zh-Hans"' in whole
    assert "退订" not in whole


def _marks() -> Marks:
    return Marks("member@lab.example", "t" * 32, "<20261123.1.abc@lab.example>", NOW)


def test_headers_are_read_back_as_they_were_written() -> None:
    found = letter(*(candidate(n, TOPICS[n % 3].id) for n in range(14)), follow_ups=(RETRACTION,), name="肿瘤免疫周报")
    sender = dataclasses.replace(SENDER, name="证据监测（虚构实验室）", list_name="肿瘤免疫周报")
    octets = splice(build_template(found, sender, LINKS.unsubscribe()), _marks())
    head = octets.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert all(len(line) <= 78 for line in head.split(b"\r\n") if b"Unsubscribe" not in line and b"https" not in line)
    message = email.message_from_bytes(octets, policy=email.policy.default)
    assert message["Subject"] == found.subject
    assert found.subject.startswith("肿瘤免疫周报：撤稿1，论文14")
    assert message["From"].addresses[0].display_name == "证据监测（虚构实验室）"
    assert str(message["List-Id"]).startswith("肿瘤免疫周报")
    assert all(part.get_content_charset() == "utf-8" for part in message.iter_parts())


def test_hostile_titles_and_languages_do_nothing() -> None:
    for payload in PAYLOADS:
        text = payload.replace("\x00", "")
        for title in (escape_text(text), InlineXml(payload)):
            own = chinese(0, vernacular_title=title, title=title)
            foreign = chinese(1, vernacular_title=title, title=None, languages=(payload,))
            page = Page(letter(own, foreign).html)
            assert {tag for tag, _ in page.elements} <= CALM | {"br"}, payload
            assert {name for _, attributes in page.elements for name in attributes} <= ATTRIBUTES, payload
            assert page.unclosed == [], payload


@pytest.mark.parametrize("purpose", ["invitation", "reset"])
def test_letters_with_a_link_are_chinese_too(purpose: str) -> None:
    found = render_letter(
        "link",
        "zh-Hans",
        {
            "name": "NK evidence",
            "address": "member@lab.example",
            "purpose": purpose,
            "url": "https://monitor.lab.example/enter/x",
            "until": NOW.isoformat(),
            "zone": "Asia/Shanghai",
        },
    )
    assert found.subject.startswith("NK证据周报：")
    assert "11月23日 14:00" in found.text
    assert "11月23日 14:00" in found.html
    assert "https://monitor.lab.example/enter/x" in found.text


def test_reasons_of_the_starter_rules_have_words() -> None:
    text = (resource_dir("db") / "seed" / "levels.yaml").read_text(encoding="utf-8")
    given = {rule["reason"] for rule in yaml.safe_load(text)["rules"]}
    words = Words("zh-Hans", translations("zh-Hans"))
    for reason in given:
        assert re.search(r"[\u4e00-\u9fff]", words.reason("proposed", f"B3\n{reason}").partition("：")[2]), reason
    assert words.reason("proposed", "B3\na rule of our own").endswith("a rule of our own")
    assert "Project-Id" not in words.reason("proposed", "B3\n")


def test_lines_break_between_ideographs_and_beside_no_mark() -> None:
    assert fold("一二三四五六七八。", 16, "", "  ") == "一二三四五六七\n  八。"
    assert fold("一二三四五六（七八）", 14, "* ", "  ") == "* 一二三四五六\n  （七八）"
    assert fold("引自 natural killer cells 的文献", 12, "", "") == "引自 natural\nkiller cells\n的文献"
    assert fold("", 10, "  ", "") == "  "
    assert columns("NK细胞") == 6
    assert columns("e\u0301") == 1


@given(st.text("一二三细胞，。；（）“” abcNK-", max_size=120), st.integers(20, 76))
def test_folding_loses_nothing_and_keeps_its_width(text: str, width: int) -> None:
    folded = fold(text, width, "* ", "  ")
    assert "".join(folded[2:].split()) == "".join(text.split())
    for line in folded.split("\n"):
        # Wider only where nothing in the line may be parted.
        assert columns(line) <= width or "\n" not in fold(line[2:], 1, "", "")
        assert line == line.rstrip() or line in ("* ", "  ")
    for before, line in pairwise(folded.split("\n")):
        assert line[2] not in "，。；）”" or " " in text  # a space is where the writer parted them
        assert before[-1] not in "（“" or " " in text


def test_text_part_keeps_to_76_columns() -> None:
    found = letter(*(chinese(n) for n in range(6)), searches=FAILED, missed=1)
    assert all(columns(line) <= 76 for line in found.text.splitlines() if "http" not in line)
