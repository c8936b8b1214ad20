"""What a reader may have marked in a text: words of therapy, outcome and safety, numbers, and negation; pure.

The words of the first three come from the vocabulary in force; numbers and negation are told here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, Literal, NamedTuple

Layer = Literal["therapy", "outcome", "safety", "numbers", "negation"]
LAYERS: Final[tuple[Layer, ...]] = ("therapy", "outcome", "safety", "numbers", "negation")

_FIGURE: Final = r"\d+(?:[.,·]\d+)*"
NUMBERS: Final = re.compile(
    rf"""
    \b[nN]\s*=\s*{_FIGURE}                                             # n = 12
  | \b[pP](?:\s?-?value)?\s*[<>=≤≥]\s*0?[.·]\d+                        # P < .05
  | \b(?:HR|OR|RR|hazard\ ratio|odds\ ratio)\b\s*[:=,]?\s*{_FIGURE}
  | \bCI\b\s*[:=,]?\s*{_FIGURE}(?:\s*(?:-|–|to|,)\s*{_FIGURE})?       # 95% CI 0.4-0.9
  | {_FIGURE}\s*%(?:\s*(?:-|–|to)\s*{_FIGURE}\s*%)?                    # 48.6%, 12% to 15%
  | \b\d+\s*/\s*\d+\b | \b\d+\s+(?:of|out\ of)\s+\d+\b                 # 11/37, 11 of 37
  | {_FIGURE}\s*[×x*]\s*10\^?[⁰¹²³⁴⁵⁶⁷⁸⁹\d]+(?:\s*(?:-|–|to)\s*{_FIGURE}\s*[×x*]\s*10\^?[⁰¹²³⁴⁵⁶⁷⁸⁹\d]+)?(?:\s*(?:cells?)?\s*/\s*(?:kg|m2|m²))?
  | \b{_FIGURE}(?:\s*(?:-|–|to)\s*{_FIGURE})?[\s-](?:years?|months?|weeks?|days?|hours?|mo|wk|h)\b
  | \b{_FIGURE}\s*(?:mg|µg|μg|ng|mL|ml|kg|IU|U)(?:/(?:kg|m2|m²|mL|ml|day|d))*\b
  | \b{_FIGURE}(?:[\s-]fold)\b
  | \b{_FIGURE}\s+(?:(?!\d)\w+\s+){{0,2}}(?:patients?|participants?|subjects?|cases|mice|children|adults|donors|trials|studies)\b
  | {_FIGURE}\s*(?:例|名患者|个月|年|天|周|岁|人)
    """,
    re.VERBOSE,
)
NEGATION: Final = re.compile(
    r"""
    \b(?:no|not|none|neither|nor|never|without|cannot|lack(?:s|ed|ing)?(?:\ of)?|absen(?:t|ce)(?:\ of)?|free\ of
      |fail(?:s|ed|ure)?\ to|unable\ to|(?:does|do|did|was|were|is|are|has|have|could|would)n['’]t|negative\ for)\b
  | 未见|未发生|未发现|未出现|没有|未|无(?!法|论|疑|关)|不(?!同|断|仅|但)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SAID: Final = re.compile(r"\d+(?:[.·]\d+)*%?|CD\d+\w*[+-]")
_DASHES: Final = re.compile("[‐‑‒–—―−]")


class Mark(NamedTuple):
    """A stretch of text and the layers that it belongs to, in the order of `LAYERS`. Marks never overlap."""

    start: int
    end: int
    layers: tuple[Layer, ...]


def highlights(text: str, words: Mapping[Layer, Sequence[re.Pattern[str]]]) -> tuple[Mark, ...]:
    """Return what can be marked, from the left; where layers meet, the text is cut so that each piece names all of its own."""
    even = _even(text)
    spans: list[tuple[int, int, Layer]] = [(m.start(), m.end(), "numbers") for m in NUMBERS.finditer(text)]
    spans += [(m.start(), m.end(), "negation") for m in NEGATION.finditer(text)]
    for layer, patterns in words.items():
        spans += [(m.start(), m.end(), layer) for each in patterns for m in each.finditer(even)]
    return _apart((start, end, layer) for start, end, layer in spans if end > start)


def figures(text: str) -> frozenset[str]:
    """Return the numbers and markers that a translation must repeat, such as 48.6%, 0.63 and CD3+."""
    even = unicodedata.normalize("NFKC", text)
    return frozenset(each.replace("·", ".") for each in _SAID.findall(re.sub(r"(?<=\d),(?=\d{3}\b)", "", even)))


def _even(text: str) -> str:
    """Return a text with one kind of dash and plain characters, each where it stood, as the vocabulary's patterns expect."""
    if text.isascii():
        return text
    return "".join(
        plain if len(plain := unicodedata.normalize("NFKC", each)) == 1 else each for each in _DASHES.sub("-", text)
    )


def _apart(spans: Iterable[tuple[int, int, Layer]]) -> tuple[Mark, ...]:
    merged: dict[Layer, list[tuple[int, int]]] = {}
    for start, end, layer in sorted(spans):
        held = merged.setdefault(layer, [])
        if held and start <= held[-1][1]:
            held[-1] = (held[-1][0], max(held[-1][1], end))
        else:
            held.append((start, end))
    edges = sorted({edge for held in merged.values() for span in held for edge in span})
    marks = []
    for start, end in pairwise(edges):
        over = tuple(
            each for each in LAYERS if any(span[0] <= start and end <= span[1] for span in merged.get(each, ()))
        )
        if over:
            marks.append(Mark(start, end, over))
    return tuple(marks)
