"""The papers: searched in PubMed's language, narrowed by facets, marked, and exported whole or in part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Final

from fastapi import FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from monitor.core.pmid import read_pmid
from monitor.core.query import parse
from monitor.core.query.refining import EVERYTHING, chosen, narrowed
from monitor.core.screening import LEVELS
from monitor.core.vocabulary import Vocabulary
from monitor.errors import NotFound, QuerySyntaxError, UsageError
from monitor.formats.registry import FORMATS
from monitor.services.library import Order
from monitor.storage import people
from monitor.storage.facets import Counts, narrowing
from monitor.storage.marks import MARKS
from monitor.web.entering import Known, Visitor, local_path
from monitor.web.pages import Pages
from monitor.web.site import Site

PAGE: Final = {False: 25, True: 50}
"""Papers on a page, airy and dense."""
SHOWN: Final = 8
"""Values of a facet that stand open; the others are folded away."""
MOST: Final = 24
_KINDS: Final = ("topic", "level", "decision", "tag", "type", "year", "flag", "language", "journal")
_FLAGS: Final = ("retracted", "concern")
_VERDICTS: Final = ("keep", "maybe", "dismiss", "open")


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value of a facet, how many papers bear it, and the search that also asks for it."""

    value: str
    number: int
    query: str


@dataclass(frozen=True, slots=True)
class FacetGroup:
    """Values of one kind under one heading; `title` is the vocabulary's, None for what a kind is always called."""

    kind: str
    title: str | None
    values: tuple[FacetValue, ...]


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""

    @app.api_route("/papers", methods=["GET", "HEAD"], response_model=None)
    def papers(request: Request, who: Known) -> Response:
        asked = request.query_params
        if (mine := asked.get("mine")) is not None:
            return _marked(site, pages, request, who, mine)
        typed = asked.get("q", "").strip()
        if (pmid := read_pmid(typed)) is not None and not site.library.unknown([pmid]):
            return RedirectResponse(f"{pages.root}/papers/{pmid}", 303)
        order: Order = "relevance" if asked.get("sort") == "relevance" and typed else "newest"
        before = read_pmid(asked.get("before", "")) if order == "newest" else None
        known: dict[str, Any] = {"typed": typed, "order": order, "dense": _dense(asked, who), "mine": None}
        known |= {"saved": None, "wrong": None, "refused": None, "formats": tuple(FORMATS), "before": before}
        try:
            text = typed
            if typed.startswith("@"):
                known["saved"] = site.saved.one(typed)
                text = known["saved"].query
            found = site.library.find(text or EVERYTHING, before=before, limit=PAGE[known["dense"]], order=order)
        except QuerySyntaxError as error:
            return _refused(pages, request, known, wrong=error)
        except (UsageError, NotFound) as error:
            return _refused(pages, request, known, refused=str(error))
        query = parse(text, own=True) if text else None
        known |= {
            "text": text,
            "found": found,
            "lines": site.papers.lines(found.pmids),
            "marks": site.papers.marks(found.pmids, who.person.id),
            "chosen": chosen(query) if query is not None else (),
            **_facets(site, text, found.total, pages.language(request)),
            "shown": SHOWN,
            "levels": LEVELS,
        }
        return pages.write(request, "papers/papers", **known, **_words(site, pages.language(request)))

    @app.api_route("/papers/export", methods=["GET", "HEAD"], response_model=None)
    def export(request: Request, _who: Known) -> Response:
        asked = request.query_params
        name = asked.get("format", "")
        if asked.get("what") == "selected":
            pmids = [pmid for each in asked.getlist("pmid") if (pmid := read_pmid(each)) is not None]
            if not pmids:
                raise UsageError("No paper is selected, so there is nothing to export. Tick papers in the list first")
            written = site.library.export(name, pmids=pmids)
        else:
            text = site.saved.query(asked.get("q", "").strip())
            written = site.library.export(name, query=text or EVERYTHING)
        day = site.clock.now().date().isoformat()
        file = f"papers-{day}{FORMATS[name].extension}"
        return StreamingResponse(
            _bytes(written),
            media_type=FORMATS[name].media_type,
            headers={"Content-Disposition": f'attachment; filename="{file}"'},
        )

    @app.post("/papers/fetch", response_model=None)
    def fetch(request: Request, who: Known, pmid: Annotated[str, Form()] = "") -> Response:
        number = read_pmid(pmid.strip())
        if number is None:
            raise UsageError(f"{pmid.strip()[:40]!r} is no PMID: a PMID is a number, such as 90000001")
        report = site.papers.fetch(number, who.actor)
        if not site.library.unknown([number]):
            return RedirectResponse(f"{pages.root}/papers/{number}", 303)
        return pages.write(
            request, "papers/missing", 404, pmid=number, told=report.refusals() or ["PubMed gave no such record."]
        )

    @app.post("/papers/{pmid}/mark", response_model=None)
    def mark(
        request: Request,
        pmid: str,
        who: Known,
        kind: Annotated[str, Form()] = "",
        on: Annotated[str, Form()] = "1",
        back: Annotated[str, Form()] = "",
    ) -> Response:
        number = read_pmid(pmid)
        if number is None:
            raise NotFound(f"PMID {pmid[:40]} is not in this collection")
        site.papers.mark(number, kind, who.actor, on=on == "1")
        if request.headers.get("hx-request") == "true":
            held = site.papers.marks([number], who.person.id).get(number, frozenset())
            return pages.write(request, "papers/marked", pmid=number, marks=held, back=back)
        return RedirectResponse(pages.root + (local_path(back) if back else f"/papers/{number}"), 303)


def _marked(site: Site, pages: Pages, request: Request, who: Visitor, kind: str) -> Response:
    if kind not in MARKS:
        raise UsageError(f"{kind[:40]!r} is no list of yours; there are {', '.join(MARKS)}")
    every = site.papers.marked(kind, who.person.id)
    after = read_pmid(request.query_params.get("before", ""))
    start = every.index(after) + 1 if after in every else 0
    dense = _dense(request.query_params, who)
    shown = every[start : start + PAGE[dense]]
    return pages.write(
        request,
        "papers/marks",
        mine=kind,
        total=len(every),
        lines=site.papers.lines(shown),
        marks=site.papers.marks(shown, who.person.id),
        next_before=shown[-1] if len(every) > start + PAGE[dense] else None,
        before=after,
        dense=dense,
        label=labels(site, pages.language(request)),
        formats=tuple(FORMATS),
    )


def _refused(pages: Pages, request: Request, known: Mapping[str, Any], **why: Any) -> Response:
    """Show the search again as it was typed, with what is wrong with it."""
    nothing: dict[str, Any] = {
        "text": "",
        "found": None,
        "lines": (),
        "marks": {},
        "chosen": (),
        "facets": (),
        "counted": None,
        "topics": {},
        "label": str,
        "shown": SHOWN,
        "levels": LEVELS,
    }
    return pages.write(request, "papers/papers", 422, **{**known, **nothing, **why})


def _facets(site: Site, text: str, total: int, language: str) -> dict[str, Any]:
    """Return the facets of a search, and how many of the newest papers were counted where that is not all of them."""
    if not total:
        return {"facets": (), "counted": None}
    facets = site.library.facets(text or EVERYTHING)
    found: list[FacetGroup] = []
    for kind in _KINDS:
        values = facets.counts.get(kind, ())
        if kind == "decision":
            found.append(FacetGroup(kind, None, tuple(_verdicts(site, text, total))))
        elif kind == "tag":
            found += _by_facet(site.vocabularies.current(), text, values, language)
        else:
            known = [each for each in values if kind != "flag" or each[0] in _FLAGS]
            if kind == "level":
                known.sort(key=lambda each: list(LEVELS).index(each[0]) if each[0] in LEVELS else len(LEVELS))
            found.append(FacetGroup(kind, None, _narrowing(text, kind, known)))
    return {
        "facets": tuple(each for each in found if each.values),
        "counted": None if facets.whole else facets.counted,
    }


def _by_facet(vocabulary: Vocabulary, text: str, values: Counts, language: str) -> Iterator[FacetGroup]:
    """Yield the tags in use as the vocabulary divides them: therapies, targets, indications; its strangers last."""
    groups: dict[str | None, list[tuple[str, int]]] = {facet.id: [] for facet in vocabulary.facets}
    for tag, number in values:
        term = vocabulary.term(tag)
        groups.setdefault(term.facet if term is not None else None, []).append((tag, number))
    for name, tags in groups.items():
        facet = vocabulary.facet(name) if name is not None else None
        title = None if facet is None else facet.zh if language.startswith("zh") else facet.en
        yield FacetGroup("tag", title, _narrowing(text, "tag", tags))


def _narrowing(text: str, kind: str, values: Iterable[tuple[str, int]]) -> tuple[FacetValue, ...]:
    shown = islice(values, MOST)
    return tuple(FacetValue(value, number, narrowed(text, narrowing(kind, value))) for value, number in shown)


def _verdicts(site: Site, text: str, total: int) -> Iterator[FacetValue]:
    left = total
    for verdict in _VERDICTS:
        query = narrowed(text, f"{verdict}[decision]")
        number = site.library.count(query) if verdict != "open" else left
        left -= number
        if number:
            yield FacetValue(verdict, number, query)


def labels(site: Site, language: str) -> Callable[[str], str]:
    """Return what says the name of a tag in a language of the pages."""
    vocabulary = site.vocabularies.current()
    return lambda tag: vocabulary.label(tag, language)


def _words(site: Site, language: str) -> dict[str, Any]:
    with site.database.read() as session:
        return {"topics": people.living_topics(session), "label": labels(site, language)}


def _dense(asked: Mapping[str, str], who: Visitor) -> bool:
    return {"dense": True, "airy": False}.get(asked.get("view", ""), who.preferences.dense)


def _bytes(pieces: Iterator[str]) -> Iterator[bytes]:
    for piece in pieces:
        yield piece.encode()
