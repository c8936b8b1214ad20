"""What a Chinese name in a search is widened to."""

from __future__ import annotations

import pytest

from monitor.core.query import parse, render
from monitor.core.query.naming import widened

NAMES = {
    "肝细胞癌": ("hcc",),
    "胃癌": ("gastric",),
    "CAR-NK细胞": ("car-nk",),
    "两者": ("one", "other"),
    "hcc": ("hcc",),
}


@pytest.mark.parametrize(
    ("text", "wide"),
    [
        ("肝细胞癌", '肝细胞癌 OR "hcc"[tag]'),
        ('"肝细胞癌"', '"肝细胞癌" OR "hcc"[tag]'),
        ("肝细胞癌[tiab]", "肝细胞癌[tiab]"),
        ("肝细胞癌[tag]", '肝细胞癌[tag] OR "hcc"[tag]'),
        ("胃癌 review", '(胃癌 OR "gastric"[tag]) AND review'),
        ("CAR-NK细胞 胃癌", '(CAR-NK细胞 OR "car-nk"[tag]) AND (胃癌 OR "gastric"[tag])'),
        ("两者", '两者 OR "one"[tag] OR "other"[tag]'),
        ("review NOT 胃癌", 'review NOT (胃癌 OR "gastric"[tag])'),
        ("(胃癌 OR hcc) AND 2026[dp]", '((胃癌 OR "gastric"[tag]) OR hcc) AND 2026[dp]'),
        ("胃癌[au]", "胃癌[au]"),
        ("细胞", "细胞"),
        ('"胃癌 研究"', '"胃癌 研究"'),
        ("hcc", "hcc"),
    ],
)
def test_a_chinese_name_also_asks_for_its_tag(text: str, wide: str) -> None:
    assert render(widened(parse(text, own=True), lambda words: NAMES.get(words, ()))) == render(parse(wide, own=True))
