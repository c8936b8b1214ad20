"""An issue as plain values: what the templates are given, what the archive keeps, what the web page shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from monitor.core.citation import Author, Citation, InlineXml, PartialDate
from monitor.core.curation import Tag
from monitor.core.issue import Candidate, Entry, FollowUp, Health, Issue, Why
from monitor.core.languages import tag as language_tag
from monitor.core.markup import plain, safe_html
from monitor.core.polling import phrases_in_words
from monitor.core.ranking import chips, published

QUOTE_MAX = 200
"""Characters of an abstract that may be quoted: at most one sentence."""

GOOD_NEWS = frozenset({"reinstated", "concern_withdrawn", "restored", "published_as_article"})
"""Changes that need no warning."""

_CONCLUSIONS = re.compile(r"\bconclu(sion|ding)|\binterpretation\b", re.IGNORECASE)
_SENTENCE_END = re.compile(
    r"(?<=[.!?。！？])(?<!\bvs\.)(?<!\be\.g\.)(?<!\bi\.e\.)(?<!\bal\.)\s+(?=[A-Z0-9\"'(“])|(?<=[。！？])"
)
# Controls, and marks that reorder text around them: a title must not be able to rearrange a letter (UAX #9).
_UNWANTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_NOTICE_KINDS = {
    "retracted": ("RetractionIn",),
    "concern": ("ExpressionOfConcernIn",),
    "erratum": ("ErratumIn",),
    "retracted_and_republished": ("RetractedandRepublishedIn",),
    "corrected_and_republished": ("CorrectedandRepublishedIn",),
    "published_as_article": ("UpdateIn",),
}


def as_kept(tags: Sequence[str]) -> Sequence[Tag]:
    """Name tags as they are kept."""
    return tuple(Tag(tag, None) for tag in tags)


@dataclass(frozen=True, slots=True)
class Setting:
    """What surrounds a selection in a letter: name, dates, the reader's schedule, and eight weeks of counts.

    `paused_until` is set where a pause that the reader asked for lies between this issue and the last. `label` names the
    week, `tags` names tags in the letter's language.
    """

    name: str
    slot: date
    label: str
    since: datetime
    until: datetime
    missed: int
    day: int
    hour: int
    zone: str
    language: str
    card_limit: int
    contact: str
    weeks: Mapping[str, Sequence[int]]
    test: bool = False
    paused_until: date | None = None
    tags: Callable[[Sequence[str]], Sequence[Tag]] = as_kept


def contents(issue: Issue, setting: Setting) -> dict[str, Any]:
    """Return the JSON values of an issue; nothing in them depends on who reads it."""
    return {
        "name": clean(setting.name),
        "kind": issue.kind,
        "test": setting.test,
        "language": setting.language,
        "slot": setting.slot.isoformat(),
        "label": setting.label,
        "since": setting.since.isoformat(),
        "until": setting.until.isoformat(),
        "missed": setting.missed,
        "paused_until": setting.paused_until.isoformat() if setting.paused_until is not None else None,
        "floor": issue.floor,
        "left_out": issue.left_out._asdict(),
        "schedule": {"day": setting.day, "hour": setting.hour, "zone": setting.zone},
        "contact": setting.contact,
        "cards": setting.card_limit,
        "counts": _counts(issue),
        "topics": [
            {
                "id": topic.id,
                "title": clean(topic.title),
                "short": clean(topic.short),
                "new": sum(entry.topic == topic.id for entry in issue.entries),
                "weeks": list(setting.weeks.get(topic.id, ())),
            }
            for topic in issue.topics
        ],
        "corrections": [_correction(each, setting.language) for each in issue.corrections],
        "integrity": [_entry(each, setting) for each in issue.integrity],
        "sections": [
            {
                "topic": section.topic.id,
                "title": clean(section.topic.title),
                "entries": [_entry(entry, setting) for entry in section.entries],
            }
            for section in issue.sections
        ],
        "searches": _searches(issue),
    }


def why_code(why: Why) -> str:
    """Return a reason as one string for the archive: `title:CAR-NK`, `follow:CAR-NK cells`, `line:2,4`."""
    return f"{why.kind}:{why.text}"


def clean(text: str) -> str:
    """Drop control characters and marks that would reorder the text around them; white space becomes one blank."""
    return " ".join(_UNWANTED.sub("", text).split())


def key_sentence(citation: Citation) -> str | None:
    """Return one whole sentence of at most 200 characters from the conclusions section; None without such."""
    if citation.abstract is None:
        return None
    for section in citation.abstract.sections:
        if section.category == "CONCLUSIONS" or _CONCLUSIONS.search(section.label or ""):
            for sentence in _SENTENCE_END.split(clean(plain(section.text))):
                if 20 <= len(sentence) <= QUOTE_MAX:
                    return sentence
    return None


def byline(citation: Citation, most: int = 3) -> tuple[list[str], bool]:
    """Return the first authors as NLM prints them, and whether there are more."""
    names = [name for name in map(_name, citation.authors) if name]
    return names[:most], len(names) > most or (not citation.authors_complete and bool(names))


def _name(author: Author) -> str:
    if author.collective_name:
        return clean(plain(author.collective_name))
    initials = author.initials or "".join(part[0] for part in (author.fore_name or "").split())
    return clean(f"{author.last_name or ''} {initials}")


def _facts(citation: Citation, flags: frozenset[str], language: str) -> dict[str, Any]:
    authors, more = byline(citation)
    title, spoken = _title(citation, language)
    journal = citation.journal
    return {
        "pmid": citation.pmid,
        "title": clean(plain(title)),
        "title_html": clean(safe_html(title)),
        "language": spoken,
        "original": _original(citation) if citation.title and title is not citation.title else None,
        "authors": authors,
        "more_authors": more,
        "journal": clean(
            (journal and (journal.medline_ta or journal.iso_abbreviation or journal.title)) or _book(citation)
        ),
        "date": _date(published(citation)),
        "doi": citation.doi,
        "chips": chips(citation, flags),
    }


def _title(citation: Citation, language: str) -> tuple[InlineXml | None, str]:
    """Return the title as a reader of that language gets it, and its own language.

    PubMed's titles are English, translated ones too. The authors' own comes first where it is in the reader's language,
    and is all there is where PubMed has no translation.
    """
    own, written = citation.vernacular_title, language_tag(citation.languages[0]) if citation.languages else "en"
    if own and (not citation.title or (written != "en" and _primary(written) == _primary(language))):
        return own, written
    return citation.title, "en"


def _original(citation: Citation) -> dict[str, str]:
    return {"title": clean(plain(citation.title)), "language": "en"}


def _primary(language: str) -> str:
    return language.partition("-")[0]


def _book(citation: Citation) -> str:
    return plain(citation.book.title.text) if citation.book is not None else ""


def _date(value: PartialDate | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {
        "year": value.year,
        "month": value.month,
        "day": value.day,
        "text": clean(value.text or " ".join(filter(None, (value.season, str(value.year or ""))))),
    }


def _entry(entry: Entry, setting: Setting) -> dict[str, Any]:
    candidate: Candidate = entry.candidate
    curation = candidate.curation
    return {
        **_facts(candidate.citation, candidate.flags, setting.language),
        "card": entry.card,
        "kept": entry.kept,
        "level": {"code": curation.level, "proposed": curation.proposed} if curation.level is not None else None,
        "participants": curation.participants,
        "tags": [{"label": clean(tag.label), "qualifier": tag.qualifier} for tag in setting.tags(curation.tags)],
        "note": {"text": clean_lines(curation.note), "by": curation.by and clean(curation.by)}
        if curation.note
        else None,
        "quote": key_sentence(candidate.citation) if entry.card else None,
        "why": [{"kind": why.kind, "text": clean_lines(why.text)} for why in entry.why],
    }


def clean_lines(text: str) -> str:
    return "\n".join(clean(line) for line in text.split("\n"))


def _correction(each: FollowUp, language: str) -> dict[str, Any]:
    return {
        **_facts(each.citation, each.flags, language),
        "changes": list(each.changes),
        "sent_on": each.sent_at.isoformat(),
        "notices": [notice for change in each.changes for notice in _notices(each.citation, change)],
    }


def _notices(citation: Citation, change: str) -> list[dict[str, Any]]:
    kinds = _NOTICE_KINDS.get(change, ())
    return [
        {"change": change, "source": clean(link.source or ""), "pmid": link.pmid}
        for link in citation.corrections
        if link.kind in kinds
    ]


def _counts(issue: Issue) -> dict[str, int]:
    changed = [each.changes[0] if each.changes else "" for each in issue.corrections]
    return {
        "news": issue.news,
        "corrections": len(changed),
        "retractions": changed.count("retracted"),
        "concerns": changed.count("concern"),
        "good": sum(change in GOOD_NEWS for change in changed),
        "flagged": len(issue.integrity),
    }


def _searches(issue: Issue) -> dict[str, Any]:
    titles = {topic.id: clean(topic.title) for topic in issue.topics}
    health = issue.health
    ran = [each.succeeded_at for each in health if each.succeeded_at is not None]
    return {
        "total": len(health),
        "fine": sum(each.state == "fine" for each in health),
        "blind": sum(each.blind for each in health),
        "warned": sum(each.state == "warned" for each in health),
        "ran_at": max(ran).isoformat() if ran else None,
        "unknown": sum(bool(each.unknown_phrases) for each in health),
        "missing": sum(each.missing for each in health),
        "made_up": sum(each.failures for each in health if not each.blind),
        "problems": [_problem(each, titles[each.topic]) for each in health if each.state != "fine"],
    }


def _problem(health: Health, title: str) -> dict[str, Any]:
    return {
        "topic": health.topic,
        "title": title,
        "state": health.state,
        "succeeded_at": health.succeeded_at.isoformat() if health.succeeded_at else None,
        "error": clean(health.error)[:200] if health.error else None,
        "missing": health.missing,
        "phrases": list(phrases_in_words(map(clean, health.unknown_phrases))),
    }
