"""Feeds on the wire: Atom (RFC 4287) and JSON Feed 1.1, asked for again and again at little cost (RFC 9110, section 13)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from lxml import etree

from monitor.core.contents import clean
from monitor.mail.links import Links
from monitor.services.feeds import Ended, Entry, Feed, Feeds
from monitor.web.pages import Pages

LARGEST = 1_000_000
"""Bytes of a feed; some readers take no more than a megabyte."""
REASONS = 5
CHANGES = 10
TYPES = {"atom": "application/atom+xml; charset=utf-8", "json": "application/feed+json; charset=utf-8"}

_FILE = re.compile(r"([A-Za-z0-9_-]{16,64})\.(atom|json)\Z")
_ATOM = "http://www.w3.org/2005/Atom"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class FeedPages:
    """Answers requests for feeds."""

    def __init__(self, feeds: Feeds, links: Links, pages: Pages, name: str) -> None:
        self._feeds = feeds
        self._links = links
        self._pages = pages
        self._writer = _Writer(links, pages, name)

    def answer(self, request: Request, file: str) -> Response:
        """Return the feed, that it is as the asker has it (304), that it has ended (410), or that there is none (404)."""
        asked = _FILE.match(file)
        feed = self._feeds.of(asked[1]) if asked is not None else None
        if asked is None or feed is None:
            return self._pages.error(request, 404, what="feed")
        if isinstance(feed, Ended):
            return self._pages.error(request, 410, what="feed")
        form = asked[2]
        body = self._writer.write(feed, form)
        # Private: the address is the only key, and a proxy on the way should not keep what stands behind it.
        known = {
            "ETag": f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"',
            "Cache-Control": "private, no-cache",
        }
        # When a search broke is not known, so that a reader who asks by date is always answered.
        moment = feed.updated if feed.broken is None else None
        if moment is not None:
            known["Last-Modified"] = format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)
        if _unchanged(request.headers, known["ETag"], moment):
            return Response(status_code=304, headers=known)
        return Response(body, media_type=TYPES[form], headers=known)


class _Writer:
    """Writes feeds; what is too long loses its abstracts first and its oldest papers then."""

    def __init__(self, links: Links, pages: Pages, name: str) -> None:
        self._links = links
        self._pages = pages
        self._name = name
        self._words = pages.macros("feed.txt")

    def write(self, feed: Feed, form: str) -> bytes:
        entries = list(feed.entries)
        body = self._body(feed, entries, form, whole=True)
        if len(body) > LARGEST:
            body = self._body(feed, entries, form, whole=False)
        while len(body) > LARGEST and entries:
            entries = entries[: len(entries) * 3 // 4]
            body = self._body(feed, entries, form, whole=False)
        return body

    def _body(self, feed: Feed, entries: Sequence[Entry], form: str, *, whole: bool) -> bytes:
        if form == "json":
            notices = [self._notice_item(feed)] if feed.broken is not None else []
            return self._json(feed, [*notices, *(self._item(each, whole) for each in entries)])
        return self._atom(feed, entries, whole)

    # ---- Atom

    def _atom(self, feed: Feed, entries: Sequence[Entry], whole: bool) -> bytes:
        top = etree.Element(f"{{{_ATOM}}}feed", nsmap={None: _ATOM})  # type: ignore[dict-item]
        top.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
        _add(top, "id", self._links.identifier(f"feed/{feed.key}"))
        _add(top, "title", self._title(feed))
        _add(top, "subtitle", self._about(feed))
        _add(top, "updated", _moment(feed.updated))
        _add(_add(top, "author"), "name", self._name)
        _add(top, "link", rel="self", type="application/atom+xml", href=self._links.feed(feed.key, "atom"))
        _add(top, "link", rel="alternate", type="application/feed+json", href=self._links.feed(feed.key, "json"))
        _add(top, "generator", "Evidence Monitor")
        if feed.broken is not None:
            self._notice(top, feed)
        for each in entries:
            self._entry(top, each, whole)
        return etree.tostring(top, encoding="utf-8", xml_declaration=True)

    def _notice(self, top: etree._Element, feed: Feed) -> None:
        entry = _add(top, "entry")
        _add(entry, "id", self._links.identifier(f"feed/{feed.key}/broken"))
        _add(entry, "title", self._said("broken", feed))
        _add(entry, "updated", _moment(feed.updated))
        _add(entry, "content", self._said("repair", feed), type="text")

    def _entry(self, top: etree._Element, each: Entry, whole: bool) -> None:
        entry = _add(top, "entry")
        _add(entry, "id", self._links.identifier(f"pubmed/{each.pmid}"))
        _add(entry, "title", self._said("title", each))
        _add(entry, "published", _moment(each.published))
        _add(entry, "updated", _moment(each.updated))
        for person in each.authors:
            _add(_add(entry, "author"), "name", _clean(person))
        _add(entry, "link", rel="alternate", type="text/html", href=self._links.pubmed(each.pmid))
        if each.doi is not None:
            _add(entry, "link", rel="related", type="text/html", href=self._links.doi(each.doi))
        for flag in sorted(each.flags):
            _add(entry, "category", term=flag)
        _add(entry, "summary", self._summary(each))
        _add(entry, "content", self._content(each, whole), type="html")

    # ---- JSON Feed

    def _json(self, feed: Feed, items: Sequence[Mapping[str, Any]]) -> bytes:
        whole = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": self._title(feed),
            "home_page_url": self._links.public_url + "/",
            "feed_url": self._links.feed(feed.key, "json"),
            "description": self._about(feed),
            "authors": [{"name": self._name}],
            "language": "en",
            "items": items,
        }
        return json.dumps(whole, ensure_ascii=False).encode("utf-8", "replace")

    def _notice_item(self, feed: Feed) -> dict[str, Any]:
        return {
            "id": self._links.identifier(f"feed/{feed.key}/broken"),
            "title": self._said("broken", feed),
            "content_text": self._said("repair", feed),
            "date_modified": _moment(feed.updated),
        }

    def _item(self, each: Entry, whole: bool) -> dict[str, Any]:
        return {
            "id": self._links.identifier(f"pubmed/{each.pmid}"),
            "url": self._links.pubmed(each.pmid),
            **({"external_url": self._links.doi(each.doi)} if each.doi is not None else {}),
            "title": self._said("title", each),
            "summary": self._summary(each),
            "content_html": self._content(each, whole),
            "date_published": _moment(each.published),
            "date_modified": _moment(each.updated),
            **({"authors": [{"name": _clean(person)} for person in each.authors]} if each.authors else {}),
            **({"tags": sorted(each.flags)} if each.flags else {}),
        }

    # ---- words

    def _title(self, feed: Feed) -> str:
        return _clean(f"{feed.title} · {self._name}")

    def _about(self, feed: Feed) -> str:
        return self._said("about", feed)

    def _said(self, macro: str, about: object) -> str:
        return _clean(str(getattr(self._words, macro)(about)))

    def _summary(self, each: Entry) -> str:
        changes = [self._said("change", seen) for seen in each.changes[:1]]
        return " ".join(
            filter(None, [self._said("standing", each), *changes, _clean(each.citation), *self._reasons(each)])
        )

    def _content(self, each: Entry, whole: bool) -> str:
        return _readable(
            self._pages.text(
                "feed",
                entry=each,
                standing=self._said("standing", each),
                changes=[self._said("change", seen) for seen in each.changes[:CHANGES]],
                reasons=self._reasons(each),
                whole=whole,
                pubmed=self._links.pubmed(each.pmid),
                doi=self._links.doi(each.doi) if each.doi is not None else None,
            )
        )

    def _reasons(self, each: Entry) -> list[str]:
        """Say why a topic holds the paper; what holds for all papers of a search stands at the head of the feed."""
        if each.topic is None:
            return []
        found = [self._said("line", line) for line in each.lines[:REASONS]]
        if each.kept_at is not None:
            found.append(self._said("kept", each))
        return found or [self._said("unexplained", each)]


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    child = etree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    child.text = text
    return child


def _clean(text: str) -> str:
    """Put text on one line that cannot rearrange what stands around it, of characters that XML 1.0 can hold."""
    return clean(_readable(text))


def _readable(text: str) -> str:
    """Leave out what XML 1.0 cannot hold (section 2.2): imported files may."""
    return _NOT_XML.sub("", text)


def _moment(at: datetime) -> str:
    """Write a moment as RFC 3339 does, in UTC to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _unchanged(headers: Mapping[str, str], etag: str, updated: datetime | None) -> bool:
    """Say whether the asker has this already. A tag that is asked about decides alone (RFC 9110, section 13.2.2)."""
    if (tags := headers.get("if-none-match")) is not None:
        asked = {each.strip().removeprefix("W/") for each in tags.split(",")}
        return "*" in asked or etag in asked
    if updated is None:
        return False
    try:
        since = parsedate_to_datetime(headers.get("if-modified-since", ""))
    except ValueError:
        return False
    if since.tzinfo is None:
        return False
    return updated.astimezone(UTC).replace(microsecond=0) <= since
