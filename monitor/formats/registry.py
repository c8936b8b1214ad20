"""Every format and every citation style by the name that commands and pages use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from monitor.core.citation import Citation
from monitor.formats import bibtex, csl, gbt7714, jsonl, nbib, nlm, ris, table


@dataclass(frozen=True, slots=True)
class Format:
    """One export format. `write` yields text piece by piece, line ends included: store it as UTF-8, unchanged."""

    name: str
    media_type: str
    extension: str
    write: Callable[[Iterable[Citation]], Iterator[str]]


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        each.name: each
        for each in (
            Format("jsonl", "application/jsonl; charset=utf-8", ".jsonl", jsonl.write),
            Format("nbib", "application/nbib; charset=utf-8", ".nbib", nbib.write),
            Format("ris", "application/x-research-info-systems; charset=utf-8", ".ris", ris.write),
            Format("bibtex", "application/x-bibtex; charset=utf-8", ".bib", bibtex.write),
            Format("csl-json", "application/vnd.citationstyles.csl+json", ".json", csl.write),
            Format("csv", "text/csv; charset=utf-8; header=present", ".csv", table.write),
        )
    }
)

STYLES: Mapping[str, Callable[[Citation], str]] = MappingProxyType(
    {"nlm": nlm.cite, "summary": nlm.summary, "vancouver": nlm.vancouver, "gbt7714": gbt7714.cite}
)
