"""Letters: what they say, how large they may be, and that nothing in a title can do anything."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    Author,
    AuthorList,
    Correction,
    InlineXml,
    PartialDate,
)
from monitor.core.contents import Setting, contents
from monitor.core.issue import Candidate, FollowUp, Found, Health, Match, Topic, select
from monitor.core.markup import escape_text
from monitor.core.revision import Change, Weight
from monitor.mail.links import Links
from monitor.mail.message import TOKEN_MARK, Sender, build_template
from monitor.mail.render import (
    HTML_MAX,
    PREHEADER,
    SUBJECT_MAX,
    Letter,
    clip,
    encoded_size,
    inline,
    render_digest,
    render_page,
    wrap,
)
from monitor.mail.words import Words
from monitor.resources import resource_dir
from tests.factories import FIRST_PMID, citation

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
LINKS = Links("https://monitor.lab.example", b"s" * 32)
TOPICS = (
    Topic("car-nk", "CAR-NK cells", "CAR-NK"),
    Topic("cik", "Cytokine-induced killer cells", "CIK"),
    Topic("ipsc-nk", "iPSC-derived NK (iPSC-NK, CAR-iNK)", "iPSC-NK"),
)
SENDER = Sender("monitor@lab.example", "NK evidence", "weekly.lab.example", "NK evidence")


def health(**states: Any) -> tuple[Health, ...]:
    return tuple(
        states.get(topic.id.replace("-", "_"), Health(topic.id, "fine", NOW - timedelta(hours=1), 7))
        for topic in TOPICS
    )


def setting(**overrides: Any) -> Setting:
    values: dict[str, Any] = {
        "name": "NK evidence",
        "slot": date(2026, 11, 23),
        "label": "2026-W48",
        "since": NOW - timedelta(days=7),
        "until": NOW,
        "missed": 0,
        "day": 0,
        "hour": 7,
        "zone": "Europe/Berlin",
        "language": "en",
        "card_limit": 12,
        "contact": "desk@lab.example",
        "weeks": {"car-nk": [3, 5, 2, 8, 4, 6, 3, 9]},
    }
    return Setting(**{**values, **overrides})


def candidate(number: int, topic: str = "car-nk", match: Match | None = None, **overrides: Any) -> Candidate:
    flags = overrides.pop("flags", frozenset())
    found = (Found(topic, (2,), match or Match("title", "CAR-NK")),)
    return Candidate(citation(FIRST_PMID + number, **overrides), number + 1, found, flags)


def follow_up(number: int, *changes: str, flags: frozenset[str] = frozenset(), **overrides: Any) -> FollowUp:
    return FollowUp(citation(FIRST_PMID + number, **overrides), 9, changes, datetime(2026, 11, 3, 7, tzinfo=UTC), flags)


def letter(
    *candidates: Candidate, follow_ups: tuple[FollowUp, ...] = (), searches: Any = None, **overrides: Any
) -> Letter:
    issue = select(TOPICS, candidates, follow_ups, searches or health(), overrides.get("card_limit", 12))
    return render_digest(contents(issue, setting(**overrides)), LINKS, "k" * 22)


class Page(HTMLParser):
    """What a mail program would see: elements with attributes, and text by element."""

    VOID = frozenset({"meta", "br", "img", "hr", "link", "input"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.unclosed: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open[-1] != tag:
            self.unclosed.append(self.open.pop())
        if self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)

    @property
    def visible(self) -> str:
        return " ".join(" ".join(self.text).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_a_plain_week() -> None:
    found = letter(candidate(0), candidate(1, "cik"))
    assert found.subject == "NK evidence: 2 papers (CAR-NK 1, CIK 1) [W48]"
    page = Page(found.html)
    assert page.unclosed == []
    assert page.open == []
    assert "2 new papers since 16 November." in page.visible
    assert "Why title matches “CAR-NK”; you follow CAR-NK cells; found by line 2" in page.visible
    assert "Searches ran today 06:00, 3 of 3 fine." in page.visible
    assert "not medical advice" in page.visible
    for number in (0, 1):
        assert LINKS.pubmed(FIRST_PMID + number) in found.text
    assert max(len(line) for line in found.text.splitlines() if "http" not in line) <= 76


@pytest.mark.parametrize(
    ("made", "subject"),
    [
        (lambda: letter(), "NK evidence: quiet week, searches all ran [W48]"),
        (lambda: letter(missed=2), "NK evidence: 3 quiet weeks, searches all ran [W48]"),
        (
            lambda: letter(searches=health(car_nk=Health("car-nk", "failed", None, 7, 7))),
            "NK evidence: cannot say, searches failed [W48]",
        ),
        (
            lambda: letter(searches=health(cik=Health("cik", "warned", NOW, 7, 0, ("x",)))),
            "NK evidence: quiet week, 1 search needs a look [W48]",
        ),
        (
            lambda: letter(searches=health(cik=Health("cik", "warned", NOW, 7, missing=2)), missed=2),
            "NK evidence: 3 quiet weeks, look at the searches [W48]",
        ),
        (
            lambda: letter(candidate(0), follow_ups=(follow_up(1, "retracted"),)),
            "NK evidence: 1 retraction, 1 paper (CAR-NK 1) [W48]",
        ),
        (
            lambda: letter(
                *(candidate(n) for n in range(14)),
                follow_ups=(follow_up(21, "retracted"), follow_up(22, "concern"), follow_up(23, "erratum")),
            ),
            "NK evidence: 1 retraction, 2 updates, 14 papers [W48]",
        ),
        (
            lambda: letter(follow_ups=(follow_up(1, "published_as_article"), follow_up(2, "erratum"))),
            "NK evidence: 1 correction, 1 update [W48]",
        ),
        (
            lambda: letter(candidate(0), searches=health(cik=Health("cik", "stale", NOW, 0))),
            "NK evidence: 1 paper (CAR-NK 1), 1 search failed [W48]",
        ),
        (lambda: letter(candidate(0), missed=1), "NK evidence: 1 paper (CAR-NK 1), catch-up of 2 weeks [W48]"),
        (lambda: letter(candidate(0), test=True), "[Test] NK evidence: 1 paper (CAR-NK 1) [W48]"),
    ],
)
def test_subjects_put_the_most_serious_first(made: Any, subject: str) -> None:
    assert made().subject == subject


def preheader(found: Letter) -> str:
    match = re.search(r'<div class="hide"[^>]*>(.*?)</div>', found.html, re.S)
    assert match is not None
    return " ".join(match[1].replace("&#39;", "'").replace("&amp;", "&").split())


@settings(max_examples=40)
@given(
    titles=st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=300), max_size=4),
    missed=st.integers(0, 60),
    changes=st.lists(st.sampled_from(["retracted", "concern", "erratum", "withdrawn"]), max_size=3),
    failed=st.booleans(),
    name=st.text("abcdefgh ÄÖ文", min_size=1, max_size=70),
)
def test_subject_and_preheader_keep_their_lengths(
    titles: list[str], missed: int, changes: list[str], failed: bool, name: str
) -> None:
    searches = health(cik=Health("cik", "failed", NOW, 7, 3, (), "busy")) if failed else health()
    found = letter(
        *(candidate(n, title=escape_text(title) or None) for n, title in enumerate(titles)),
        follow_ups=tuple(follow_up(100 + n, change) for n, change in enumerate(changes)),
        searches=searches,
        missed=missed,
        name=name,
    )
    assert 0 < len(found.subject) <= SUBJECT_MAX
    assert PREHEADER[0] <= len(preheader(found)) + 25  # escapes and runs of blanks aside
    assert len(re.sub(r"&[a-z#0-9]+;", "x", preheader(found))) <= PREHEADER[1]
    assert preheader(found) != found.subject


def test_a_correction_is_unmistakable_and_first() -> None:
    notice = Correction("RetractionIn", "Invented J Cell Ther. 2026 Nov;12:900", FIRST_PMID + 900)
    found = letter(
        candidate(0), follow_ups=(follow_up(1, "retracted", flags=frozenset({"retracted"}), corrections=(notice,)),)
    )
    page = Page(found.html)
    assert "On 3 November 2026 we sent you this paper. It has since been retracted." in page.visible
    assert (
        page.visible.index("Corrections to what we sent you") < page.visible.index("CAR-NK cells 1 new")
        if ("CAR-NK cells 1 new" in page.visible)
        else page.visible.index("Corrections to what we sent you") < page.visible.index("Why title")
    )
    assert LINKS.pubmed(FIRST_PMID + 900) in found.html
    assert LINKS.pubmed(FIRST_PMID + 900) in found.text
    assert "[RETRACTED]" in found.text
    assert found.text.index("[RETRACTED]") < found.text.index("Why:")


@pytest.mark.parametrize("change", [change for change in Change if change.weight is Weight.MAJOR])
def test_every_serious_change_has_words(change: Change) -> None:
    found = letter(follow_ups=(follow_up(1, change.name.lower()),))
    assert "we sent you this paper." in Page(found.html).visible
    words = Words("en", __import__("gettext").NullTranslations())
    assert len(words.happened([change.name.lower()])) > 15
    assert words.headline([change.name.lower()]).endswith(":")


def _cjk(number: int) -> dict[str, Any]:
    title = "自然杀伤细胞与细胞因子诱导的杀伤细胞治疗晚期肝细胞癌的随机对照研究" * 3
    return {
        "title": escape_text(f"{title}{number}"),
        "journal": {"medline_ta": "虚构细胞治疗杂志"},
        "authors": ["虚构 A", "某某 B", "无名 C", "佚名 D"],
        "abstract": Abstract(
            (
                AbstractSection(
                    InlineXml("虚构的细胞是安全的，而且在虚构的患者中有效，需要更多虚构研究。" * 3), "CONCLUSIONS"
                ),
            )
        ),
    }


@pytest.mark.parametrize("count", [0, 12, 40, 200, 1000])
@pytest.mark.parametrize("script", ["latin", "cjk", "long"])
def test_the_html_part_is_never_larger_than_80_kb(count: int, script: str) -> None:
    facts: dict[str, Any] = {"latin": {}, "long": {"title": escape_text("Invented <&> words " * 120)}}.get(script, {})
    many = [candidate(n, TOPICS[n % 3].id, **(_cjk(n) if script == "cjk" else facts)) for n in range(count)]
    changed = tuple(
        follow_up(5000 + n, "retracted", flags=frozenset({"retracted"}), **(_cjk(n) if script == "cjk" else facts))
        for n in range(count // 5)
    )
    found = letter(*many, follow_ups=changed)
    assert encoded_size(found.html) <= HTML_MAX
    template = build_template(found, SENDER, LINKS.unsubscribe())
    html_part = template[template.rindex(b"Content-Type: text/html") :]
    assert len(html_part) <= HTML_MAX + 300  # the part's own headers and the closing boundary
    for n in range(count):
        assert LINKS.pubmed(FIRST_PMID + n) in found.text  # the text part lists all
    page = Page(found.html)
    if count > 60:
        assert "more on the web" in page.visible
    assert "Unsubscribe" in page.visible[page.visible.index("Week 2026") :][:80]  # near the top, whatever is cut
    assert page.unclosed == []


def test_many_topics_with_problems_still_fit() -> None:
    topics = tuple(Topic(f"t{n}", f"Invented topic {n} " + "x" * 80, f"t{n}") for n in range(120))
    searches = tuple(Health(t.id, "failed", NOW, 7, 7, (), "PubMed did not answer " * 9) for t in topics)
    many = [Candidate(citation(FIRST_PMID + n), 1, (Found(t.id, (1,)),)) for n, t in enumerate(topics)]
    issue = select(topics, many, (), searches, 12)
    weeks = {t.id: [1, 2, 3, 4, 5, 6, 7, 8] for t in topics}
    found = render_digest(contents(issue, setting(weeks=weeks)), LINKS, "k" * 22)
    assert encoded_size(found.html) <= HTML_MAX
    assert all(f"Invented topic {n} " in found.text for n in range(120))


PAYLOADS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "<svg/onload=alert`1`>",
    "<iframe src=javascript:alert(1)>", "<a href='javascript:alert(1)'>x</a>", "<b onmouseover=alert(1)>x</b>",
    "<style>*{display:none}</style>", "<link rel=stylesheet href=//evil.example>", "<meta http-equiv=refresh content=0>",
    "<base href=//evil.example>", "<form action=//evil.example><input name=p></form>", "<object data=//evil.example>",
    "<embed src=//evil.example>", "<video><source onerror=alert(1)>", "<audio src=x onerror=alert(1)>",
    "<body onload=alert(1)>", "<details open ontoggle=alert(1)>", "<marquee onstart=alert(1)>", "<math><mtext></mtext></math>",
    "<math href='javascript:alert(1)'>x</math>", "<template><script>alert(1)</script></template>", "<!--<script>-->alert(1)",
    "<![CDATA[<script>alert(1)</script>]]>", "</title><script>alert(1)</script>", "</style><script>alert(1)</script>",
    "</div></div></body></html><h1>owned", "--><script>alert(1)</script><!--", "\"><script>alert(1)</script>",
    "'><script>alert(1)</script>", "\" onfocus=alert(1) autofocus x=\"", "' onclick='alert(1)", "`onerror=alert(1)`",
    "{{ 7*7 }}", "{% include '/etc/passwd' %}", "{{ ''.__class__.__mro__ }}", "{# x #}", "${7*7}", "%(name)s %s %d {0}",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "&amp;lt;script&amp;gt;", "&#60;script&#62;alert(1)", "&#x3c;script&#x3e;",
    "\x00<script>\x00alert(1)", "<scr\x00ipt>alert(1)</scr\x00ipt>", "<<script>script>alert(1)<</script>/script>",
    "<ScRiPt>alert(1)</sCrIpT>", "<script\n>alert(1)</script\n>", "<img\tsrc=x\tonerror=alert(1)>", "<b><i></b></i><script>",
    "\u202e<script>\u202c", "\u2066evil\u2069", "＜script＞alert(1)＜/script＞", "\ufeff<script>", "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>", "expression(alert(1))", "url(javascript:alert(1))", "@import '//evil.example'",
    "<b style='background:url(//evil.example)'>x</b>", "<sup onclick=alert(1)>x</sup>", "<sub><script>x</script></sub>",
    "<u href=//evil.example>x</u>", "<i><img src=//evil.example></i>", "\r\nBcc: all@lab.example\r\n", "=?utf-8?q?a=0ABcc:_x?=",
    "Subject: other\n\nbody", TOKEN_MARK + "<script>",
)  # fmt: skip
_CALM = frozenset(
    ("html", "head", "meta", "title", "style", "body", "div", "h1", "h2", "h3", "p", "a", "b", "table", "tbody", "tr")
    + ("td", "th", "span", "ul", "li", "i", "sub", "sup", "u")
)
_ATTRIBUTES = frozenset(("lang", "dir", "charset", "name", "content", "class", "style", "role", "href", "scope"))


@pytest.mark.parametrize(
    "place", ["title", "raw title", "abstract", "journal", "author", "match", "phrase", "notice", "topic"]
)
def test_hostile_text_does_nothing_in_a_mail(place: str) -> None:
    assert len(PAYLOADS) >= 60
    for payload in PAYLOADS:
        found = _with_payload(place, payload)
        page = Page(found.html)
        assert {tag for tag, _ in page.elements} <= _CALM, (place, payload)
        for tag, attributes in page.elements:
            assert set(attributes) <= _ATTRIBUTES, (place, payload, attributes)
            if tag == "a":
                assert attributes["href"].startswith(
                    ("https://monitor.lab.example/", "https://pubmed.ncbi.nlm.nih.gov/", "https://doi.org/")
                )
            else:
                assert "href" not in attributes
            assert "url(" not in attributes.get("style", "")
        assert page.unclosed == [], (place, payload)
        assert page.visible.endswith("not medical advice."), (place, payload)
        assert not re.search(
            r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", found.html + found.text.replace("\n", "")
        )
        assert not {"\n", "\r"} & set(found.subject)
        assert "49" not in page.visible.replace("W48", "") or "7*7" not in payload


def _with_payload(place: str, payload: str) -> Letter:
    text = escape_text(payload.replace("\x00", ""))
    made: dict[str, Any] = {}
    match, searches, changes, topics = None, None, (), None
    if place == "title":
        made["title"] = text
    elif place == "raw title":
        made["title"] = InlineXml(payload)
    elif place == "abstract":
        made["abstract"] = Abstract(
            (AbstractSection(InlineXml(f"{text} and invented cells were tolerated well."), "CONCLUSIONS"),)
        )
    elif place == "journal":
        made["journal"] = {"medline_ta": payload}
    elif place == "author":
        made["author_lists"] = (AuthorList((Author(last_name=payload, initials="A"), Author(collective_name=text))),)
    elif place == "match":
        match = Match("title", payload)
    elif place == "phrase":
        searches = health(
            car_nk=Health("car-nk", "warned", NOW, 7, 0, (payload,)),
            cik=Health("cik", "failed", NOW, 7, 1, (), payload),
        )
    elif place == "notice":
        link = Correction("RetractionIn", payload, FIRST_PMID + 900)
        changes = (follow_up(1, "retracted", title=text, corrections=(link,)),)
    else:
        topics = (Topic("car-nk", payload, "CAR-NK"),)
    if topics:
        issue = select(topics, [candidate(0)], (), (Health("car-nk", "fine", NOW, 7),), 12)
        return render_digest(contents(issue, setting(name=payload[:20])), LINKS, "k" * 22)
    return letter(candidate(0, match=match, **made), follow_ups=changes, searches=searches)


def test_markup_of_titles_survives_and_nothing_else() -> None:
    found = letter(candidate(0, title=InlineXml("CD3<sup>+</sup> <i>in vivo</i> <mml:math>x</mml:math> &lt;b&gt;")))
    assert "CD3<sup>+</sup> <i>in vivo</i> x &lt;b&gt;" in found.html
    assert "CD3⁺ in vivo x <b>" in found.text
    assert inline("<b>x<script>y</script>") == "<b>x</b>"


def every_kind() -> dict[str, Letter]:
    broken = health(
        car_nk=Health("car-nk", "failed", NOW, 7, 3, (), "PubMed did not answer"),
        cik=Health("cik", "warned", NOW, 7, 0, ("CAR-iNK therapy",)),
        ipsc_nk=Health("ipsc-nk", "never"),
    )
    return {
        "news": letter(candidate(0), candidate(1, "cik"), candidate(2, flags=frozenset({"retracted"}))),
        "quiet": letter(),
        "blind": letter(searches=broken),
        "corrections": letter(
            follow_ups=(follow_up(1, "retracted"), follow_up(2, "concern"), follow_up(3, "reinstated"))
        ),
        "late": letter(candidate(0), searches=broken, missed=3, test=True),
        "untitled": letter(
            candidate(0, title=None, journal=None, abstract=None, author_lists=(), article_dates=(), doi=None)
        ),
    }


@pytest.mark.parametrize("kind", ["news", "quiet", "blind", "corrections", "late", "untitled"])
def test_every_letter_keeps_the_rules_of_mail(kind: str) -> None:
    found = every_kind()[kind]
    page = Page(found.html)
    html, body_child = page.all("html")[0], next(a for tag, a in page.elements if tag == "div")
    for element in (html, body_child):
        assert (element["lang"], element["dir"]) == ("en", "ltr")
    assert found.html.casefold().startswith("<!doctype html>")
    assert page.all("title") == [{}]
    assert {"name": "color-scheme", "content": "light dark"} in page.all("meta")
    assert "prefers-color-scheme: dark" in found.html
    assert page.all("img") == page.all("script") == page.all("link") == []
    assert len(page.all("h1")) == 1
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(later - earlier <= 1 for earlier, later in zip(headings, headings[1:], strict=False))
    links = page.all("a")
    assert all(link["href"].startswith("https://") for link in links)
    assert sum(link["href"] == LINKS.unsubscribe() for link in links) == 2
    for table in page.all("table"):
        assert table.get("role") == "presentation" or table.get("class") == "weeks"
    assert "  " not in found.subject
    assert "None" not in page.visible + found.text
    assert found.text.endswith("\n")
    assert "\n\n\n" not in found.text
    assert TOKEN_MARK in found.text


_DARK = "@media (prefers-color-scheme: dark)"


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _colours(css: str) -> dict[str, dict[str, str]]:
    """Colours by selector; later rules win, as in a browser."""
    found: dict[str, dict[str, str]] = {}
    for selectors, rules in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        for selector in selectors.split(","):
            for name, value in re.findall(r"(?<![\w-])(color|background-color):\s*(#[0-9a-f]{6})", rules):
                found.setdefault(selector.strip(), {})[name] = value
    return found


PAIRS = (
    (".page", ".sheet"), ("a", ".sheet"), (".meta", ".sheet"), (".why", ".sheet"), (".why b", ".sheet"), ("h2", ".sheet"),
    ("h2 span", ".sheet"), ("h2.red", ".sheet"), ("h3 a", ".sheet"), (".rows div", ".sheet"), (".rows a", ".sheet"),
    (".slip td", ".sheet"), (".slip .hot b", ".sheet"), (".weeks td", ".sheet"), (".foot", ".sheet"), (".note", ".note"),
    (".stop", ".stop"), (".band h1", ".band"), (".band p", ".band"), (".band a", ".band"), (".chip", ".sheet"),
    (".c-retracted", ".c-retracted"), (".c-concern", ".c-concern"), (".c-preprint", ".sheet"), (".c-retraction-notice", ".sheet"),
    (".page", ".fix"), (".page", ".soft"), (".page", ".good"), ("a", ".fix"), ("a", ".soft"), ("a", ".good"),
    (".fix .meta", ".fix"), (".fix .meta", ".soft"), (".fix .meta", ".good"),
)  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_a_contrast_of_at_least_four_and_a_half(scheme: str) -> None:
    css = (resource_dir("templates") / "mail/_base/style.css").read_text(encoding="utf-8")
    light, dark = css.split(_DARK)
    colours = _colours(light)
    if scheme == "dark":
        for selector, values in _colours(dark).items():
            colours.setdefault(selector, {}).update(values)
    for text, ground in PAIRS:
        rule = colours.get(text) or colours[".meta"]
        ratio = contrast(rule.get("color") or colours[".page"]["color"], colours[ground]["background-color"])
        assert ratio >= 4.5, (scheme, text, ground, round(ratio, 2))


def test_sizes_of_type_are_readable_on_a_phone() -> None:
    css = (resource_dir("templates") / "mail/_base/style.css").read_text(encoding="utf-8")
    sizes = [int(size) for size in re.findall(r"font(?:-size)?:[^;]*?(\d+)px", css)]
    assert [size for size in sizes if size < 14] == [1]  # the bar of a chart holds no text


def test_every_sentence_of_the_templates_can_be_translated() -> None:
    """Text between tags that no translation call produced would stay English for ever."""
    root = resource_dir("templates") / "mail"
    for path in (root / "digest").glob("*"):
        bare = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.S)
        bare = re.sub(r"\{% trans .*?%\}.*?\{% endtrans %\}|\{% trans %\}.*?\{% endtrans %\}", "", bare, flags=re.S)
        bare = re.sub(r"<[^>]*>", " ", re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " ", bare, flags=re.S))
        assert re.findall(r"[A-Za-z]{2,}", bare) in ([], ["PubMed"]), path.name
    options = dict.fromkeys(("**.html", "**.txt"), {"trimmed": "true", "newstyle_gettext": "true"})
    methods = [("**.html", "jinja2"), ("**.txt", "jinja2")]
    messages = {
        message if isinstance(message, str) else message[0]
        for _, _, message, _, _ in extract_from_dir(root, methods, options_map=options)
    }
    assert {"Read on the web", "Unsubscribe", "Corrections to what we sent you", "Why you get this."} <= messages


def test_wrapping_and_clipping() -> None:
    assert clip("one two three", 9) == "one two…"
    assert clip("short", 9) == "short"
    assert all(len(line) <= 76 for line in wrap("word " * 60, 2).splitlines())
    assert wrap("https://pubmed.ncbi.nlm.nih.gov/" + "9" * 90) == "https://pubmed.ncbi.nlm.nih.gov/" + "9" * 90


def test_dates_are_written_as_precisely_as_they_are_known() -> None:
    words = Words("en", __import__("gettext").NullTranslations())

    def say(date: PartialDate) -> str:
        return words.partial_date(
            {**date._asdict(), "text": date.text or f"{date.season or ''} {date.year or ''}".strip()}
        )

    assert say(PartialDate(2023, 7, 4)) == "4 Jul 2023"
    assert say(PartialDate(2023, 9)) == "Sept 2023"
    assert say(PartialDate(2023)) == "2023"
    assert say(PartialDate(2018, season="Winter")) == "Winter 2018"
    assert say(PartialDate(2020, 11, text="2020 Nov-Dec")) in ("Nov 2020", "2020 Nov-Dec")
    assert say(PartialDate(2019, 2, 31, text="31 Feb 2019")) == "31 Feb 2019"
    assert words.partial_date(None) == ""


def test_issue_keys_cannot_be_guessed_and_do_not_change() -> None:
    key = LINKS.issue_key("2026-11-23", "f" * 32)
    assert key == LINKS.issue_key("2026-11-23", "f" * 32)
    assert (
        len(
            {
                key,
                LINKS.issue_key("2026-11-30", "f" * 32),
                dataclasses.replace(LINKS, secret=b"t" * 32).issue_key("2026-11-23", "f" * 32),
            }
        )
        == 3
    )
    assert re.fullmatch(r"[\w-]{22}", key)
    assert "secret" not in repr(LINKS)


def test_a_doi_cannot_leave_its_link() -> None:
    assert LINKS.doi('10.99999/a"><b>?q#f') == "https://doi.org/10.99999/a%22%3E%3Cb%3E%3Fq%23f"


def test_the_web_page_of_an_issue_leaves_nothing_out() -> None:
    many = [candidate(n, TOPICS[n % 3].id) for n in range(1_000)]
    issue = select(TOPICS, many, (), health(), 12)
    page = render_page(contents(issue, setting()), LINKS, "k" * 22)
    assert all(LINKS.pubmed(FIRST_PMID + n) in page for n in range(1_000))
    assert "more on the web" not in page
    assert "Unsubscribe" not in page
    assert TOKEN_MARK not in page
    assert Page(page).unclosed == []


def test_an_unknown_phrase_is_shown_as_its_words_and_once() -> None:
    asked = ('"CAR-iNK"[Title/Abstract]', "CAR-iNK[Title/Abstract]")
    found = letter(searches=health(ipsc_nk=Health("ipsc-nk", "warned", NOW, 7, 0, asked)))
    assert "PubMed does not know “CAR-iNK” and searched without it." in " ".join(found.text.split())


@pytest.mark.parametrize(
    ("search", "lead", "note"),
    [
        (
            Health("cik", "warned", NOW, 7, missing=1),
            "not every paper that PubMed counts could be had, so something may be missing.",
            "1 paper that PubMed counts could not be had; the next search asks again.",
        ),
        (
            Health("cik", "warned", NOW, 7, missing=1_200),
            "not every paper that PubMed counts could be had, so something may be missing.",
            "1,200 papers that PubMed counts could not be had; the next search asks again.",
        ),
        (
            Health("cik", "warned", NOW, 7, 0, ("CAR-iNK therapy",), missing=2),
            "PubMed did not know part of one, and not every paper that it counts could be had",
            "off the subject. 2 papers that PubMed counts could not be had; the next search asks again.",
        ),
    ],
)
def test_a_week_with_papers_that_could_not_be_had_is_not_called_silent(search: Health, lead: str, note: str) -> None:
    found = letter(searches=health(cik=search))
    for part in (" ".join(found.text.split()), Page(found.html).visible):
        assert lead in part
        assert note in part
        assert "silence is real" not in part
        assert "PubMed does not know and" not in part
    assert preheader(found) == "Nothing was found for your topics since 16 November, but the searches need a look."


def test_papers_that_could_not_be_had_are_named_beside_news_too() -> None:
    found = letter(candidate(0), searches=health(cik=Health("cik", "warned", NOW, 7, missing=2)))
    for part in (" ".join(found.text.split()), Page(found.html).visible):
        assert "2 papers that PubMed counts could not be had; the next search asks again." in part


def test_a_kept_issue_from_before_missing_papers_were_counted_still_has_its_page() -> None:
    searches = health(cik=Health("cik", "warned", NOW, 7, 0, ("x",)))
    kept = contents(select(TOPICS, (), (), searches, 12), setting())
    del kept["searches"]["missing"], kept["searches"]["unknown"], kept["searches"]["problems"][0]["missing"]
    assert "PubMed did not know part of one, so something may be missing." in render_page(kept, LINKS, "k" * 22)
