"""Abstracts as pages show them: numbered, marked, in two languages, and inert whatever they hold."""

from __future__ import annotations

import re

from monitor.core.citation import Abstract, AbstractSection, InlineXml, OtherAbstract
from monitor.core.people import Preferences
from monitor.web.abstracts import view
from monitor.web.pages import Pages
from tests.factories import citation

THERAPY = {"therapy": [re.compile(r"\bCAR-NK cells\b")]}


def html(held: object, **preferences: object) -> str:
    pages = Pages("Test")
    template = pages._environment("en").from_string(
        '{% import "web/papers/abstract.html" as shown with context %}{{ shown.abstract(view) }}'
    )
    return template.render(view=held, preferences=Preferences(**preferences), visitor=None, path="/")  # type: ignore[arg-type]


def test_sentences_are_numbered_through_the_sections_and_labels_kept() -> None:
    page = html(view(citation(abstract={"BACKGROUND": "One. Two.", "RESULTS": "Three."})))
    assert re.findall(r'id="s(\d)"[^>]*>', page) == ["1", "2", "3"]
    assert "BACKGROUND" in page


def test_marks_name_their_layer_and_lie_over_markup() -> None:
    text = InlineXml("Of 37 patients <b>CAR-<i>NK</i></b> cells cured 10<sup>3</sup> &lt; all.")
    page = html(view(citation(abstract=Abstract((AbstractSection(text),))), THERAPY))
    assert '<mark class="numbers" data-label="numbers">37 patients</mark>' in page
    assert '<mark class="therapy" data-label="therapy"><b>CAR-</b><b><i>NK</i></b> cells</mark>' in page
    assert "10<sup>3</sup> &lt; all." in page
    assert "checked" not in page, "layers are off until somebody turns them on"
    assert html(view(citation(abstract="A.")), highlights=("safety",)).count("checked") == 1


def test_the_placeholder_counts_as_no_abstract_and_the_doi_is_offered() -> None:
    page = html(view(citation(abstract="Abstract available from the publisher.", doi="10.99999/a b?c")))
    assert "PubMed has no abstract for this record." in page
    assert 'href="https://doi.org/10.99999/a%20b%3Fc"' in page


def test_what_an_abstract_holds_stays_text() -> None:
    attack = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    held = citation(abstract={attack: attack + " Second. " + attack})
    page = html(view(held))
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("&lt;script&gt;alert(1)") == 3


def test_translations_stand_beside_their_sentences_and_changed_numbers_are_told() -> None:
    chinese = OtherAbstract((AbstractSection(InlineXml("缓解率为48.6%。未见毒性。"), "结果"),), "Publisher", "chi")
    held = citation(abstract={"RESULTS": "The rate was 46.8%. No toxicity."}, other_abstracts=(chinese,))
    found = view(held)
    assert found.paired
    assert [line.odd for line in found.blocks[0].lines] == [("46.8%", "48.6%"), ()]
    page = html(found, content="both")
    assert 'lang="zh-Hans">缓解率为' in page
    assert "Not the same in both: 46.8%, 48.6%" in page


def test_a_translation_cut_otherwise_stands_after_the_abstract() -> None:
    chinese = OtherAbstract((AbstractSection(InlineXml("一句。")),), "Publisher", "chi")
    found = view(citation(abstract="One. Two.", other_abstracts=(chinese,)))
    assert not found.paired
    assert len(found.translation) == 1
    assert html(found).count('id="s1"') == 1


def test_a_paper_with_only_a_chinese_abstract_is_read_in_chinese() -> None:
    chinese = OtherAbstract((AbstractSection(InlineXml("一句。")),), "Publisher", "chi")
    found = view(citation(abstract="Abstract available from the publisher.", other_abstracts=(chinese,)))
    assert (found.language, found.missing) == ("zh-Hans", False)
    assert not found.bilingual
