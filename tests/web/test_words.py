"""Every word of a page stands in a template and passes through translation."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from jinja2 import Environment

from monitor.resources import resource_dir
from monitor.web.pages import Pages

TEMPLATES = sorted((resource_dir("templates") / "web").rglob("*.html"))
WORD = re.compile(r"[^\W\d_]{2,}")
SPOKEN = frozenset({"aria-label", "title", "alt", "placeholder", "aria-description", "data-confirm"})
AS_THEY_ARE = frozenset(
    {"MeSH", "PubMed", "PMID", "DOI", "CSS", "EN", "HTML", "YAML", "RIS", "CSV", "kappa", "nbsp", "English", "中文"}
)
"""Names, and languages in their own words; no language changes them."""


class Untranslated(HTMLParser):
    """Gathers words that stand in the text or in what is spoken of an element; `code` and `kbd` are no words."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._literal = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._literal += tag in ("code", "kbd", "script", "style")
        self.found += [word for name, value in attrs if name in SPOKEN for word in WORD.findall(value or "")]

    def handle_endtag(self, tag: str) -> None:
        self._literal -= tag in ("code", "kbd", "script", "style")

    def handle_data(self, data: str) -> None:
        if not self._literal:
            self.found += WORD.findall(data)


def untranslated(source: str) -> list[str]:
    """Return the words of a template that no translation reaches: what is left without expressions and trans blocks."""
    kept, depth, trans = [], 0, False
    environment = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"])
    for _line, kind, value in environment.lex(source):
        if kind in ("block_begin", "variable_begin"):
            depth, first = depth + 1, True
        elif kind in ("block_end", "variable_end"):
            depth -= 1
        elif depth and kind == "name" and first:
            trans = value == "trans" or (trans and value != "endtrans")
            first = False
        elif not depth and not trans and kind == "data":
            kept.append(value)
        elif not depth and kind == "data":
            kept.append(" ")
    reader = Untranslated()
    reader.feed("".join(kept))
    return [word for word in reader.found if word not in AS_THEY_ARE]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_word_can_be_translated(path: object) -> None:
    assert untranslated(path.read_text(encoding="utf-8")) == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ('<p>{{ _("Hello") }}</p>', []),
        ("<p>{% trans %}Hello {{ you }}{% endtrans %}, there</p>", ["there"]),
        ('<a title="Hello">{% if x %}you{% endif %}</a>', ["Hello", "you"]),
        ("<code>monitor poll</code>", []),
    ],
)
def test_words_without_translation_are_noticed(source: str, words: list[str]) -> None:
    assert untranslated(source) == words


@pytest.mark.parametrize("name", ["text", "context", "escaping"])
def test_a_phrase_may_have_a_variable_of_any_name_and_it_is_escaped(name: str) -> None:
    source = f'{{% trans {name}="<b>" %}}by {{{{ {name} }}}}{{% endtrans %}} {{{{ _("100%% <i>") }}}}'
    written = Pages("Lab")._environment("en").from_string(source).render()
    assert written == "by &lt;b&gt; 100% <i>"
