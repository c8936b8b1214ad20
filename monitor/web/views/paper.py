"""One paper: what it says, how far it stands, why it is here, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from fastapi import FastAPI, Request
from fastapi.responses import Response

from monitor.core.citation import Author, Citation
from monitor.core.contents import clean
from monitor.core.markup import plain
from monitor.core.pmid import read_pmid
from monitor.core.query.words import is_chinese
from monitor.core.screening import REASONS
from monitor.errors import NotFound
from monitor.formats.registry import STYLES
from monitor.services.papers import GROUPS
from monitor.storage import people
from monitor.web.abstracts import view
from monitor.web.desk import LAYERED, registered, sample_of
from monitor.web.entering import Known
from monitor.web.pages import Pages
from monitor.web.site import Site
from monitor.web.views.papers import labels

AUTHORS_SHOWN: Final = 12


class Signed(NamedTuple):
    """An author as the page lists them; `affiliations` are numbers of the list below the names."""

    name: str
    affiliations: tuple[int, ...]
    orcid: str | None
    equal: bool


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""

    @app.api_route("/papers/{pmid}", methods=["GET", "HEAD"], response_model=None)
    def paper(request: Request, pmid: str, who: Known) -> Response:
        number = read_pmid(pmid)
        try:
            if number is None:
                raise NotFound(f"{pmid[:40]} is no PMID")
            found = site.papers.one(number, who.person.id)
        except NotFound:
            return pages.write(request, "papers/missing", 404, pmid=number, told=[])
        citation = found.citation
        vocabulary = site.vocabularies.current()
        with site.database.read() as session:
            topics = people.living_topics(session)
            proposed = site.vocabularies.of(session, [citation.pmid]).get(citation.pmid)
        language = pages.language(request)
        shown = view(citation, {layer: vocabulary.words(facet) for layer, facet in LAYERED.items()})
        standing = {tag.partition("/")[0] for tag in found.line.tags}
        return pages.write(
            request,
            "papers/paper",
            paper=found,
            topics=topics,
            line=found.line,
            citation=citation,
            abstract_view=shown,
            label=labels(site, language),
            proposed=proposed,
            suggested=[each for each in (proposed.tags if proposed else ()) if each.term.casefold() not in standing],
            sample=sample_of(proposed, shown),
            registry=registered(found.registry),
            styles={name: clean(STYLES[name](citation)) for name in _styles(language)},
            groups={group: linked for group in GROUPS if (linked := found.linked(group))},
            authors=tuple(_signed(citation, language)),
            affiliations=_affiliations(citation),
            most=AUTHORS_SHOWN,
            vernacular=_vernacular(citation),
            keywords=[clean(plain(each.text)) for held in citation.keyword_lists for each in held.keywords],
            interests=clean(plain(citation.coi_statement)),
            reasons=REASONS,
            pubmed=site.links.pubmed(citation.pmid),
            doi=site.links.doi(citation.doi) if citation.doi else None,
            **_summaries(citation),
        )


def _styles(language: str) -> list[str]:
    """Return the names of the styles; those of the reader's country first."""
    return sorted(STYLES, key=lambda name: name != "gbt7714") if language.startswith("zh") else list(STYLES)


def _signed(citation: Citation, language: str) -> Iterator[Signed]:
    numbers = {text: number for number, text in enumerate(_affiliations(citation), 1)}
    for author in citation.authors:
        if name := _name(author, language):
            places = (numbers[text] for each in author.affiliations if (text := clean(plain(each.text))) in numbers)
            orcid = next((each.value for each in author.identifiers if each.source == "ORCID"), None)
            yield Signed(name, tuple(dict.fromkeys(places)), _orcid(orcid), bool(author.equal_contribution))


def _name(author: Author, language: str) -> str:
    if author.collective_name:
        return clean(plain(author.collective_name))
    if language.startswith("zh"):  # the family's name first, as Chinese readers expect it of anybody
        given = author.fore_name or author.initials or ""
        between = "" if is_chinese(f"{author.last_name or ''}{given}") else " "
        return clean(f"{author.last_name or ''}{between}{given} {plain(author.suffix)}")
    return clean(f"{author.fore_name or author.initials or ''} {author.last_name or ''} {plain(author.suffix)}")


def _orcid(value: str | None) -> str | None:
    """Return the sixteen digits of an ORCID iD, whatever address stands around them; None for anything else."""
    digits = "".join(c for c in (value or "").rpartition("/")[2].upper() if c.isdigit() or c == "X")
    return "-".join(digits[at : at + 4] for at in range(0, 16, 4)) if len(digits) == 16 and digits.isascii() else None


def _affiliations(citation: Citation) -> list[str]:
    places = (clean(plain(each.text)) for author in citation.authors for each in author.affiliations)
    return list(dict.fromkeys(place for place in places if place))


def _vernacular(citation: Citation) -> str | None:
    """Return the original title where it stands beside a translated one."""
    return clean(plain(citation.vernacular_title)) or None if citation.title else None


def _summaries(citation: Citation) -> dict[str, Any]:
    """Return abstracts that are neither the record's own nor the Chinese one, which stand together."""
    others = [each for each in citation.other_abstracts if each.language not in ("chi", "zho")]
    return {
        "other_abstracts": [
            (each.kind, each.language, [(section.label, clean(plain(section.text))) for section in each.sections])
            for each in others
        ]
    }
