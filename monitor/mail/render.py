"""An issue's contents -> subject, text part and HTML part, from one folder of templates. No query, no clock."""

from __future__ import annotations

import binascii
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import css_inline
import nh3
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from monitor.mail.folding import columns, fold
from monitor.mail.layout import EVERYTHING, LAYOUTS, Layout, lay_out
from monitor.mail.links import Links
from monitor.mail.words import LANGUAGES, Words
from monitor.resources import resource_dir, translations

__all__ = ["HTML_MAX", "LANGUAGES", "Letter", "preheader", "render_digest", "render_letter", "render_page"]

SUBJECT_MAX = 60
PREHEADER = (40, 90)
"""Columns, as `SUBJECT_MAX`: an ideograph takes two."""
HTML_MAX = 80 * 1024
"""Encoded octets of the HTML part. Gmail cuts near 102 kB, and what it cuts is the link that ends the subscription."""

_FORMERLY = {"paused_until": None, "floor": None, "left_out": {"dismissed": 0, "below": 0, "ungraded": 0}}
"""What issues lack that were frozen before curators had a say in them."""
_WIDTH = 76
_INLINE = frozenset({"b", "i", "sub", "sup", "u"})
_BETWEEN_TAGS = re.compile(r">\s*\n\s*<")
_INDENTS = re.compile(r"\n\s+")
_ODD_SPACE = re.compile(r"[\t\n\v\f\r]")
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Letter:
    """What a reader gets, before it is made a message."""

    subject: str
    text: str
    html: str


def render_digest(contents: Mapping[str, Any], links: Links, key: str) -> Letter:
    """Write an issue. The HTML part is as full as 80 KB allow; the text part lists everything.

    Preview, test and the mail that is sent all come from here. Links to leave hold the mark for the token.
    """
    environment = _environment(contents["language"])
    shared = {**_FORMERLY, **contents, "links": links, "url": links.issue(key), "leave": links.unsubscribe()}
    subject = _subject(environment, shared)
    text = environment.get_template("digest/body.txt").render(shared)
    text = _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in text.splitlines())).strip() + "\n"
    for layout in _layouts(contents):
        html = _html(environment, shared, layout, subject)
        if encoded_size(html) <= HTML_MAX:
            return Letter(subject, text, html)
    raise ValueError("the smallest layout of an issue is too large for a mail")  # a fault of the templates


def render_page(contents: Mapping[str, Any], links: Links, key: str) -> str:
    """Write the web page of an issue: the same letter with nothing left out, and without a link to leave."""
    environment = _environment(contents["language"])
    shared = {**_FORMERLY, **contents, "links": links, "url": links.issue(key), "leave": None}
    return _html(environment, shared, EVERYTHING, _subject(environment, shared))


def render_letter(folder: str, language: str, context: Mapping[str, Any]) -> Letter:
    """Write a letter that is no issue, from its folder of templates: subject.txt, body.txt and body.html."""
    environment = _environment(language)
    subject = _first_that_fits(_lines(environment, f"{folder}/subject.txt", context), 1, SUBJECT_MAX)
    text = environment.get_template(f"{folder}/body.txt").render(context)
    text = _BLANK_LINES.sub("\n\n", text).strip() + "\n"
    html = environment.get_template(f"{folder}/body.html").render({**context, "subject": subject, "preheader": ""})
    return Letter(subject, text, _finish(html))


def preheader(contents: Mapping[str, Any]) -> str:
    """Return the sentence that a list of mails shows beside the subject."""
    return _preheader(_environment(contents["language"]), {**_FORMERLY, **contents})


def _preheader(environment: Environment, shared: Mapping[str, Any]) -> str:
    return _first_that_fits(_lines(environment, "digest/preheader.txt", shared), *PREHEADER)


def _subject(environment: Environment, shared: Mapping[str, Any]) -> str:
    return _first_that_fits(_lines(environment, "digest/subject.txt", shared), 1, SUBJECT_MAX)


def _html(environment: Environment, shared: Mapping[str, Any], layout: Layout, subject: str) -> str:
    page = lay_out(shared, layout)
    return _finish(
        environment.get_template("digest/body.html").render(
            {**shared, **page, "subject": subject, "preheader": _preheader(environment, shared)}
        )
    )


def encoded_size(html: str) -> int:
    """Return the octets of an HTML part in transfer encoding, whichever of the two is shorter."""
    body = html.replace("\n", "\r\n").encode()
    base64 = -(-len(body) // 3) * 4
    return min(len(binascii.b2a_qp(body, istext=True)), base64 + 2 * (base64 // 76 + 1))


def _layouts(contents: Mapping[str, Any]) -> Iterator[Layout]:
    for layout in LAYOUTS:
        if layout.cards <= max(contents["cards"], 0) or layout is LAYOUTS[0]:
            yield layout


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(resource_dir("templates") / "mail"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(("html",), default=False),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    spoken = translations(language)
    environment.install_gettext_translations(spoken, newstyle=True)  # type: ignore[attr-defined]
    environment.globals["words"] = Words(language, spoken)
    environment.filters.update(inline=inline, wrap=wrap if language == "en" else wrap_wide, clip=clip, columns=columns)
    return environment


def inline(html: str) -> Markup:
    """Let only `b i sub sup u` without attributes through; the rest of a title has already become text."""
    return Markup(nh3.clean(html, tags=set(_INLINE), attributes={}) if "<" in html or "&" in html else html)  # noqa: S704


def clip(text: str, most: int) -> str:
    """Cut text at a word, with an ellipsis, to at most `most` characters."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    at = cut.rfind(" ")
    return (cut[:at] if at > most * 2 // 3 else cut).rstrip(" ,;:.-–—(") + "…"


def wrap(text: str, indent: int = 0, first: int | None = None) -> str:
    """Wrap to 76 columns; links stand on lines of their own and are never broken. `first` indents the first line."""
    start = " " * (indent if first is None else first)
    if len(start) + len(text) <= _WIDTH:
        return start + text
    odd = _ODD_SPACE.search(text) is not None
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=start,
        subsequent_indent=" " * indent,
        expand_tabs=odd,
        replace_whitespace=odd,
        break_long_words=False,
        break_on_hyphens=False,
    )


def wrap_wide(text: str, indent: int = 0, first: int | None = None) -> str:
    """Wrap to 76 columns as `wrap`, a language that breaks its lines between ideographs."""
    return fold(_ODD_SPACE.sub(" ", text), _WIDTH, " " * (indent if first is None else first), " " * indent)


def _lines(environment: Environment, name: str, context: Mapping[str, Any]) -> list[str]:
    rendered = environment.get_template(name).render(context)
    return [line for line in (" ".join(line.split()) for line in rendered.splitlines()) if line]


def _first_that_fits(candidates: list[str], least: int, most: int) -> str:
    return next((each for each in candidates if least <= columns(each) <= most), None) or clip(candidates[-1], most)


def _finish(html: str) -> str:
    html = _INDENTS.sub("\n", _BETWEEN_TAGS.sub(">\n<", html))
    # What is inlined need not stand in <style> again; the rules for dark mode and small screens cannot be inlined.
    return (
        css_inline.inline(html, keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False).strip() + "\n"
    )
