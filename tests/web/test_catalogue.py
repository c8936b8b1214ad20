"""Every word of templates and letters stands in each catalogue, translated, with the same places for values."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from monitor.resources import translations
from tests.catalogue import LOCALE, TRANSLATED, extracted, translated, written

PLACES = re.compile(r"%(?:\([^)]*\))?[sd%]|\{[a-z_]*\}|</?[a-z]+[^>]*>")
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,;:!?](?:\s|\Z)|[\u4e00-\u9fff]\.\Z|\.\.\.")


def places(text: str) -> set[str]:
    return set(PLACES.findall(text))


def wrongs(catalog: Catalog, template: Catalog) -> list[str]:
    """Name what is wrong with a catalogue, in words for whoever mends it."""
    found = []
    wanted = {(each.id if isinstance(each.id, str) else each.id[0], each.context): each for each in template if each.id}
    for each in catalog:
        if not each.id:
            continue
        forms = [each.id] if isinstance(each.id, str) else list(each.id)
        strings = [each.string] if isinstance(each.string, str) else list(each.string or [""])
        known = wanted.pop((forms[0], each.context), None)
        if known is None:
            found.append(f"no template says {forms[0]!r}")
        elif each.fuzzy or not all(strings):
            found.append(f"{forms[0]!r} is not translated")
        elif len(strings) != (1 if isinstance(each.id, str) else catalog.num_plurals):
            found.append(f"{forms[0]!r} has {len(strings)} forms")
        elif any(not places(text) <= places(forms[-1]) for text in strings) or any(
            not places(forms[-1]) <= places(text) for text in strings[-1:]
        ):
            found.append(f"{forms[0]!r} and {strings!r} do not have the same places")
        elif any(HALF_WIDTH.search(text) for text in strings):
            found.append(f"{strings!r} has half-width punctuation")
    return found + [f"{msgid!r} is missing" for msgid, _context in wanted]


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_word_is_translated(language: str) -> None:
    assert wrongs(translated(language), extracted()) == [], "run `make words`, then translate what is empty"


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_catalogue_is_as_make_words_writes_it(language: str) -> None:
    catalog = translated(language)
    catalog.update(extracted(), no_fuzzy_matching=True)
    assert (LOCALE / f"{language}.po").read_bytes() == written(catalog), "run `make words`"


def test_chinese_has_one_form_for_any_number() -> None:
    told = translations("zh-Hans")
    assert translated("zh-Hans").num_plurals == 1
    assert {told.ngettext("%(count)s day", "%(count)s days", n) for n in (0, 1, 2, 5)} == {"%(count)s 天"}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('msgid "Paper"\nmsgstr "文献"\n', []),
        ('msgid "Paper"\nmsgstr ""\n', ["'Paper' is not translated"]),
        ('#, fuzzy\nmsgid "Paper"\nmsgstr "文献"\n', ["'Paper' is not translated"]),
        ('msgid "Papers"\nmsgstr "文献"\n', ["no template says 'Papers'", "'Paper' is missing"]),
        ('msgid "Paper"\nmsgstr "文献 %(n)s"\n', ["'Paper' and ['文献 %(n)s'] do not have the same places"]),
        ('msgid "Paper"\nmsgstr "文献."\n', ["['文献.'] has half-width punctuation"]),
    ],
)
def test_what_is_wrong_with_a_catalogue_is_noticed(text: str, wrong: list[str]) -> None:
    template = Catalog(fuzzy=False)
    template.add("Paper")
    assert wrongs(read_po(text.splitlines(), locale="zh_Hans"), template) == wrong
