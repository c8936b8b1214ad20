"""How many people a paper speaks of, and under which numbers its trial is registered; pure.

Readings of abstracts, never facts: extractors of this kind are right in about nine of ten plain abstracts, so each is a
suggestion that shows where it was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from monitor.core.citation import Citation
from monitor.core.patterns import compiled, normal
from monitor.core.vocabulary.texts import Text, Texts

MOST: Final = 500_000
"""No sample of this field is larger; a greater number is something else."""
_SHOWN: Final = 12
"""Places told of one sample size."""
_UNITS: Final = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|"
    "eighteen|nineteen"
)
_TENS: Final = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_WORDS: Final = {name: value for value, name in enumerate(_UNITS.split("|"))} | {
    name: 10 * value for value, name in enumerate(_TENS.split("|"), 2)
}
_WORD: Final = f"{_UNITS}|{_TENS}"
_NUMBER: Final = (
    rf"(?:\d{{1,3}}(?:,\d{{3}})+|\d+|(?:{_WORD})(?:[- ](?:{_WORD}|hundred))*(?: and (?:{_WORD})(?:-(?:{_WORD}))?)?)"
)
_PEOPLE: Final = r"(?:patients|participants|subjects|individuals|people|adults|children|women|men|cases|pts)"
_BETWEEN: Final = r"(?:(?!\d|infusions|cycles|trials|studies|RCTs)[\w/+-]{1,40} ){0,6}?"
_TOTALS: Final = tuple(
    re.compile(each, re.IGNORECASE)
    for each in (
        rf"\b(?:a )?total of ({_NUMBER}) {_BETWEEN}{_PEOPLE}\b",
        r"\b(?:included|enrol+ed|randomi[sz]ed|treated|recruited|evaluated|analy[sz]ed|registered|including|"
        rf"administered to|done for|with|in|involving) ({_NUMBER}) {_BETWEEN}{_PEOPLE}\b",
        rf"(?:^|[.:;] )({_NUMBER}) {_BETWEEN}{_PEOPLE}\b",
        rf"\b({_NUMBER}) {_BETWEEN}{_PEOPLE} (?:[\w/+-]{{1,40}} ){{0,12}}?(?:were|was|received|entered|underwent|with)\b",
    )
)
_ARM: Final = re.compile(r"\(?\bn ?= ?(\d[\d,]*)\)?")
_STUDIES: Final = re.compile(rf"\b({_NUMBER}) (?:[\w-]{{1,40}} ){{0,4}}?(?:RCTs|trials|studies)\b", re.IGNORECASE)
REGISTRIES: Final = {
    "ClinicalTrials.gov": r"\bNCT ?0?\d{7,8}\b",
    "ChiCTR": r"\bChiCTR(?:-?[A-Z]{3})?-?\d{8,10}\b",
    "ISRCTN": r"\bISRCTN ?\d{8}\b",
    "EudraCT": r"\b20\d{2}-\d{6}-\d{2}\b(?!-\d)",
    "EU-CT": r"\b20\d{2}-5\d{5}-\d{2}-\d{2}\b",
    "jRCT": r"\bjRCTs?\d{9,11}\b",
    "UMIN": r"\bUMIN\d{9}\b",
    "CRIS": r"\bKCT\d{7}\b",
    "CTRI": r"\bCTRI/\d{4}/\d{2,3}/\d{6}\b",
    "ACTRN": r"\bACTRN\d{14}\b",
    "DRKS": r"\bDRKS\d{8}\b",
    "PROSPERO": r"\bCRD4?\d{10,12}\b",
}
"""Registries of trials, and of reviews, and how their numbers are written."""
_REGISTRIES: Final = {name: compiled(each) for name, each in REGISTRIES.items()}
_DATA_BANKS: Final = {
    "clinicaltrials.gov": "ClinicalTrials.gov",
    "umin ctr": "UMIN",
    "umin-ctr": "UMIN",
    "anzctr": "ACTRN",
}


class SampleSize(NamedTuple):
    """What an abstract seems to say. `n` is the largest number of people; `spans` are where such numbers stand, or
    the groups that add up to it, in the text made even, `words` how they are written, and `sentences` in which sentence each stands.

    `arms` are the groups given as n = ...; `arms_agree` says whether they add up to `n`: often they are subgroups.
    `studies` is how many a synthesis pooled.
    """

    n: int | None
    arms: tuple[int, ...] = ()
    arms_agree: bool = False
    studies: int | None = None
    spans: tuple[tuple[int, int], ...] = ()
    words: tuple[str, ...] = ()
    sentences: tuple[int | None, ...] = ()


class RegistryNumber(NamedTuple):
    """A number in a registry, written one way; `place` is `data bank` or where in the text it stands."""

    registry: str
    number: str
    place: str


def sample_size(text: str) -> SampleSize:
    """Read how many people an abstract speaks of."""
    return _read(Text("abstract", normal(text)))


def of_citation(citation: Citation, texts: Texts | None = None) -> SampleSize:
    """Read a citation's abstract; nothing is found where it has none."""
    return _read((texts or Texts(citation)).abstract)


def _read(abstract: Text) -> SampleSize:
    even = abstract.text
    found: dict[tuple[int, int], int] = {}
    for pattern in _TOTALS:
        for match in pattern.finditer(even):
            value = number(match[1])
            if value and value < MOST:
                found[match.span(1)] = value
    groups = {match.span(1): int(match[1].replace(",", "")) for match in _ARM.finditer(even) if len(match[1]) < 12}
    groups = {span: n for span, n in groups.items() if n}
    arms = tuple(groups.values())
    studies = [value for match in _STUDIES.finditer(even) if (value := number(match[1])) and value < MOST]
    best = max(found.values(), default=None)
    if best is None and len(arms) >= 2 and sum(arms) < MOST:
        best = sum(arms)
    spans = tuple(sorted(found or (groups if best is not None else ())))[:_SHOWN]
    return SampleSize(
        best,
        arms,
        bool(arms) and best == sum(arms),
        max(studies, default=None),
        spans,
        tuple(even[start:end] for start, end in spans),
        tuple(abstract.sentence(start) for start, _ in spans),
    )


def registry_numbers(citation: Citation, texts: Texts | None = None) -> tuple[RegistryNumber, ...]:
    """Return every registry number: those that PubMed lists first, then those in title and abstract, each once."""
    found: dict[tuple[str, str], RegistryNumber] = {}
    for each in (*_listed(citation), *_written(texts or Texts(citation))):
        found.setdefault((each.registry, each.number), each)
    return tuple(found.values())


def zero_event_upper(n: int, confidence: float = 0.95) -> float:
    """Return the highest true rate that no event among n still allows, at a one-sided confidence."""
    if n < 1 or not 0 < confidence < 1:
        raise ValueError(f"no event among {n} at confidence {confidence} bounds nothing")
    bound: float = 1 - (1 - confidence) ** (1 / n)
    return bound


def number(words: str) -> int | None:
    """Return what a number in digits or English words is; None for what is none."""
    text = words.lower().replace(",", "")
    if text.isdecimal():
        return int(text) if len(text) < 12 else None
    total = 0
    for part in re.split("[- ]", text.replace(" and ", " ")):
        if part == "hundred":
            total = max(total, 1) * 100
        elif part in _WORDS:
            total += _WORDS[part]
        else:
            return None
    return total


def _listed(citation: Citation) -> Iterator[RegistryNumber]:
    """PubMed's own list names databases of sequences too; only registries of trials count."""
    for bank in citation.data_banks:
        for accession in bank.accessions:
            text = normal(accession)
            named = _DATA_BANKS.get(bank.name.casefold())
            for registry, pattern in _REGISTRIES.items():
                if pattern.regex.fullmatch(text):
                    yield RegistryNumber(registry, _even(registry, text), "data bank")
                    break
            else:
                known = next((each for each in _REGISTRIES if each.casefold() == bank.name.casefold()), named)
                if known is not None and text:
                    yield RegistryNumber(known, _even(known, text), "data bank")


def _written(texts: Texts) -> Iterator[RegistryNumber]:
    for text in (texts.title, texts.abstract):
        for registry, pattern in _REGISTRIES.items():
            for match in pattern.matches(text.text) if pattern.possible(texts.folded) else ():
                yield RegistryNumber(registry, _even(registry, match[0]), text.place)


def _even(registry: str, text: str) -> str:
    """Write a number one way, so that two reports of one trial are seen to share it."""
    squeezed = text.replace(" ", "")
    if registry == "ClinicalTrials.gov":
        digits = re.sub(r"\D", "", squeezed)
        return f"NCT{digits.zfill(8)[-8:]}"
    if registry == "ChiCTR":
        return re.sub(r"(?i)^chictr", "ChiCTR", squeezed.upper())
    if registry == "jRCT":
        return re.sub(r"(?i)^jrct", "jRCT", squeezed)
    return squeezed.upper()
