"""The vocabulary and the level rules: their terms, an editor with a test bench, their history, and noisy patterns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final, NamedTuple

from fastapi import FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from monitor.core.faults import Fault, Faulty
from monitor.core.pmid import read_pmid
from monitor.core.vocabulary import Term
from monitor.core.vocabulary.terms import Dismissal
from monitor.errors import UsageError
from monitor.resources import load_mesh_tree
from monitor.services.rulebooks import TRIED_MOST, Conflict, Sample, Trial, differ
from monitor.storage.vocabulary import KINDS, Kind, Rulebook
from monitor.web.entering import Known
from monitor.web.pages import Pages
from monitor.web.site import Site

NEWEST: Final = (50, 200, TRIED_MOST)
"""How many of the newest papers a try may be run over, from the form."""
SHOWN: Final = 100
"""Changed papers that the result of a try lists."""
_DISMISSALS: Final = "dismissals"


class Speaks(NamedTuple):
    """What speaks for a term under one key: patterns as they are written, or headings with their names."""

    key: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form, kept as it was typed whatever comes of it."""

    text: str
    based_on: int
    reason: str = ""
    title: str = ""
    abstract: str = ""
    pmids: str = ""
    newest: int = 0

    def sample(self) -> Sample:
        """Return what to try on; raises UsageError for what is no PMID, or nothing at all."""
        words = re.split(r"[\s,;]+", self.pmids.strip()) if self.pmids.strip() else []
        numbers = [read_pmid(each) for each in words]
        if odd := [word for word, number in zip(words, numbers, strict=True) if number is None]:
            raise UsageError(f"{', '.join(odd[:5])}: PMIDs are whole numbers, apart by blanks or commas")
        known = tuple(each for each in numbers if each is not None)
        if len(known) > TRIED_MOST:
            raise UsageError(f"a try reads at most {TRIED_MOST} papers; these are {len(known)}")
        if not (self.title.strip() or self.abstract.strip() or known or self.newest):
            raise UsageError("say what to try it on: a title and abstract, PMIDs, or the newest papers")
        return Sample(self.title, self.abstract, known, max(0, min(self.newest, TRIED_MOST)))


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""

    @app.api_route("/admin/vocabulary", methods=["GET", "HEAD"], response_model=None)
    def terms(request: Request, facet: str = "") -> Response:
        vocabulary = site.vocabularies.current()
        reasons = facet == _DISMISSALS
        shown = None if reasons else (vocabulary.facet(facet) or (vocabulary.facets[0] if not facet else None))
        if shown is None and not reasons:
            raise HTTPException(404)
        listed = vocabulary.off_topic if shown is None else shown.terms
        return pages.write(
            request,
            "vocabulary/terms",
            facets=vocabulary.facets,
            facet=shown,
            reasons=reasons,
            general=vocabulary.general,
            off_topic=vocabulary.off_topic,
            terms=[(each, _speaks(each)) for each in listed],
            newest=site.rulebooks.newest("vocabulary"),
            noisy=len(site.rulebooks.noisy()),
        )

    @app.api_route("/admin/vocabulary/noisy", methods=["GET", "HEAD"], response_model=None)
    def noisy(request: Request) -> Response:
        vocabulary = site.vocabularies.current()
        rows = site.rulebooks.noisy()
        return pages.write(
            request, "vocabulary/noisy", rows=[(each, vocabulary.term(each.term)) for each in rows], noisy=len(rows)
        )

    @app.api_route("/admin/vocabulary/{kind}/edit", methods=["GET", "HEAD"], response_model=None)
    def edit(request: Request, kind: str, saved: int | None = None) -> Response:
        newest = site.rulebooks.newest(_kind(kind))
        typed = Typed(newest.text, newest.version, newest=NEWEST[0])
        return _editor(request, site, pages, newest, typed, saved=saved)

    @app.post("/admin/vocabulary/{kind}/try", response_model=None)
    def try_out(
        request: Request,
        kind: str,
        text: Annotated[str, Form()] = "",
        based_on: Annotated[int, Form()] = 0,
        reason: Annotated[str, Form()] = "",
        title: Annotated[str, Form()] = "",
        abstract: Annotated[str, Form()] = "",
        pmids: Annotated[str, Form()] = "",
        newest: Annotated[int, Form()] = 0,
    ) -> Response:
        typed = Typed(text, based_on, reason, title, abstract, pmids, newest)
        standing = site.rulebooks.newest(_kind(kind))
        try:
            trial = site.rulebooks.try_out(standing.kind, text, typed.sample())
        except Faulty as error:
            return _editor(request, site, pages, standing, typed, 422, faults=error.faults)
        except UsageError as error:
            return _editor(request, site, pages, standing, typed, 422, wrong=str(error))
        return _editor(request, site, pages, standing, typed, trial=trial)

    @app.post("/admin/vocabulary/{kind}/save", response_model=None)
    def save(
        request: Request,
        who: Known,
        kind: str,
        text: Annotated[str, Form()] = "",
        based_on: Annotated[int, Form()] = 0,
        reason: Annotated[str, Form()] = "",
        title: Annotated[str, Form()] = "",
        abstract: Annotated[str, Form()] = "",
        pmids: Annotated[str, Form()] = "",
        newest: Annotated[int, Form()] = 0,
    ) -> Response:
        typed = Typed(text, based_on, reason, title, abstract, pmids, newest)
        known = _kind(kind)
        try:
            kept = site.rulebooks.save(known, text, expected=based_on, reason=reason, actor=who.actor)
        except Faulty as error:
            return _editor(request, site, pages, site.rulebooks.newest(known), typed, 422, faults=error.faults)
        except Conflict as error:
            return _editor(request, site, pages, error.newest, typed, 409, conflict=error)
        except UsageError as error:
            return _editor(request, site, pages, site.rulebooks.newest(known), typed, 422, wrong=str(error))
        return RedirectResponse(f"{pages.root}/admin/vocabulary/{known}/edit?saved={kept.version}", 303)

    @app.api_route("/admin/vocabulary/{kind}/history", methods=["GET", "HEAD"], response_model=None)
    def history(request: Request, kind: str) -> Response:
        known = _kind(kind)
        return pages.write(
            request,
            "vocabulary/history",
            kind=known,
            versions=site.rulebooks.history(known),
            noisy=len(site.rulebooks.noisy()),
        )

    @app.api_route("/admin/vocabulary/{kind}/history/{number}", methods=["GET", "HEAD"], response_model=None)
    def version(request: Request, kind: str, number: int) -> Response:
        known = _kind(kind)
        shown, newest = site.rulebooks.version(known, number), site.rulebooks.newest(known)
        return pages.write(request, "vocabulary/version", **_version(site, shown, newest))

    @app.post("/admin/vocabulary/{kind}/restore", response_model=None)
    def restore(
        request: Request, who: Known, kind: str, number: Annotated[int, Form()], based_on: Annotated[int, Form()]
    ) -> Response:
        known = _kind(kind)
        try:
            kept = site.rulebooks.restore(known, number, expected=based_on, actor=who.actor)
        except (Conflict, UsageError) as error:
            shown, newest = site.rulebooks.version(known, number), site.rulebooks.newest(known)
            status = 409 if isinstance(error, Conflict) else 422
            return pages.write(request, "vocabulary/version", status, **_version(site, shown, newest, str(error)))
        return RedirectResponse(f"{pages.root}/admin/vocabulary/{known}/edit?saved={kept.version}", 303)


def _kind(text: str) -> Kind:
    if text not in KINDS:
        raise HTTPException(404)
    return text


def _editor(
    request: Request,
    site: Site,
    pages: Pages,
    newest: Rulebook,
    typed: Typed,
    status: int = 200,
    *,
    faults: tuple[Fault, ...] = (),
    wrong: str | None = None,
    trial: Trial | None = None,
    conflict: Conflict | None = None,
    saved: int | None = None,
) -> Response:
    lines = typed.text.splitlines()
    return pages.write(
        request,
        "vocabulary/edit",
        status,
        kind=newest.kind,
        newest=newest,
        typed=typed,
        faults=[(each, lines[each.line - 1] if each.line and each.line <= len(lines) else None) for each in faults],
        wrong=wrong,
        trial=trial,
        changed=trial.changed[:SHOWN] if trial is not None else (),
        conflict=conflict,
        difference=differ(newest.text, typed.text) if conflict is not None else (),
        saved=saved if saved == newest.version else None,
        choices=NEWEST,
        vocabulary=site.vocabularies.current(),
        noisy=len(site.rulebooks.noisy()),
    )


def _version(site: Site, shown: Rulebook, newest: Rulebook, wrong: str | None = None) -> dict[str, Any]:
    before = site.rulebooks.version(shown.kind, shown.version - 1) if shown.version > 1 else None
    return {
        "kind": shown.kind,
        "shown": shown,
        "newest": newest,
        "before": before,
        "difference": differ(before.text, shown.text) if before is not None else (),
        "wrong": wrong,
        "noisy": len(site.rulebooks.noisy()),
    }


def _speaks(each: Term | Dismissal) -> tuple[Speaks, ...]:
    """Return what speaks for a term or a reason, by the keys of its YAML."""
    mesh = load_mesh_tree()

    def headings(uis: frozenset[str]) -> tuple[str, ...]:
        return tuple(f"{ui} {mesh.name(ui) or ''}".strip() for ui in sorted(uis))

    found = [
        ("rx", tuple(pattern.text for pattern in each.rx if not pattern.cased)),
        ("rxc", tuple(pattern.text for pattern in each.rx if pattern.cased)),
    ]
    if isinstance(each, Term):
        found += [
            ("rx_title", tuple(pattern.text for pattern in each.title)),
            ("rx_aff", tuple(pattern.text for pattern in each.affiliation)),
            ("weak", tuple(pattern.text for pattern in each.weak)),
            ("ctx", tuple(pattern.text for pattern in each.context)),
            ("veto", tuple(pattern.text for pattern in each.veto)),
            ("mesh_all", headings(each.mesh_all)),
            ("mesh_weak", headings(each.mesh_weak)),
            ("tree", each.tree),
            ("nm", tuple(sorted(each.substances))),
            ("pt", tuple(sorted(each.types))),
            ("pt_all", tuple(sorted(each.types_all))),
            ("ref_type", tuple(sorted(each.links))),
            ("imp", each.implies),
        ]
    found.append(("mesh", headings(each.mesh)))
    return tuple(Speaks(key, texts) for key, texts in found if texts)
