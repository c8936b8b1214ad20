"""Pages from `templates/web`, and the files they load; every word a reader sees stands in a template."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from babel import negotiate_locale
from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

from monitor.core.people import Preferences
from monitor.resources import LANGUAGES, resource_dir, translations
from monitor.web.entering import Visitor
from monitor.web.keys import group_of, in_force, readable
from monitor.web.telling import FILTERS

STATIC: Final = Path(__file__).resolve().parent / "static"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".js": "text/javascript; charset=utf-8",
}
FOREVER: Final = "public, max-age=31536000, immutable"
HTMX: Final = "vendor/htmx.org@2.0.11/htmx.min.js"
_NOBODY: Final = Preferences()


class Pages:
    """The site's templates with its name and its place filled in. `root` is the path of the public URL."""

    def __init__(self, name: str, root: str = "", language: str = "en", zone: str = "UTC") -> None:
        self._language = language
        self._environments: dict[str, Environment] = {}
        self._globals = {
            "site_name": name,
            "root": root,
            "zone": zone,
            "htmx": HTMX,
            "in_force": in_force,
            "group_of": group_of,
            "readable": readable,
            "static": lambda file: f"{root}/static/{fingerprint(file)}/{file}",
        }
        self.root = root

    def write(self, request: Request, template: str, status: int = 200, **context: Any) -> Response:
        """Render a page for whoever asks; it knows `visitor`, who may be None, the `path`, and with its query what was `asked_for`."""
        visitor: Visitor | None = getattr(request.state, "visitor", None)
        language = self.language(request)
        context = {
            "visitor": visitor,
            "preferences": visitor.preferences if visitor is not None else _NOBODY,
            "path": request.scope["path"],
            "asked_for": _asked_for(request),
            **context,
        }
        text = self._environment(language).get_template(f"web/{template}.html").render(context)
        return HTMLResponse(text, status, {"Content-Language": language, "Vary": "Cookie, Accept-Language, HX-Request"})

    def language(self, request: Request) -> str:
        """Return the language somebody chose; else the best of what the browser asks for; else the site's own."""
        visitor: Visitor | None = getattr(request.state, "visitor", None)
        chosen = visitor.preferences.language if visitor is not None else None
        if chosen in LANGUAGES:
            return chosen
        wanted = [each.partition(";")[0].strip() for each in request.headers.get("accept-language", "").split(",")]
        return (
            negotiate_locale([each for each in wanted if each], LANGUAGES, sep="-", aliases=_ALIASES) or self._language
        )

    def text(self, template: str, **context: Any) -> str:
        """Render a piece of HTML that something else carries, in the site's own language."""
        return self._environment(self._language).get_template(f"web/{template}.html").render(context)

    def macros(self, template: str) -> Any:
        """Return the macros of a template of plain text: nothing in them is escaped, and nothing of them is HTML."""
        overlay = self._environment(self._language).overlay(autoescape=False)
        return overlay.get_template(f"web/{template}").module

    def error(self, request: Request, status: int, **context: Any) -> Response:
        """Say what happened, what was kept, and what to do."""
        return self.write(request, "error", status, code=status, **context)

    def _environment(self, language: str) -> Environment:
        found = self._environments.get(language)
        if found is None:
            found = Environment(
                loader=FileSystemLoader(resource_dir("templates")),
                undefined=StrictUndefined,
                autoescape=True,
                auto_reload=False,
                trim_blocks=True,
                lstrip_blocks=True,
                extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
            )
            found.policies["ext.i18n.trimmed"] = True
            found.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
            words = _words(found.globals["gettext"], translations(language).gettext)
            found.globals.update(self._globals, language=language, gettext=words, _=words)
            found.filters.update(FILTERS)
            self._environments[language] = found
        return found


def _words(filling: Any, translate: Callable[[str], str]) -> Callable[..., str]:
    """Return Jinja's gettext with a memory: what has no variables is looked up once, not a thousand times a page."""

    @lru_cache(maxsize=4096)
    def plain(text: str, escaping: bool) -> str:
        found = translate(text)
        return (Markup(found) if escaping else found) % {}  # noqa: S704 - our own words, from templates and catalogues

    @pass_context
    def words(context: Context, text: str, /, **variables: object) -> str:
        if not variables:
            return plain(text, context.eval_ctx.autoescape)
        found: str = filling(context, text, **variables)
        return found

    return words


def _asked_for(request: Request) -> str:
    query = request.scope.get("query_string", b"").decode("ascii", "replace")
    return f"{request.scope['path']}?{query}".removesuffix("?")


_ALIASES: Final = {"zh": "zh-Hans", "zh-CN": "zh-Hans", "zh-SG": "zh-Hans", "en-GB": "en", "en-US": "en"}


@cache
def fingerprint(file: str) -> str:
    """Return a part of an address that changes whenever the file does, so that browsers may keep it for ever."""
    return hashlib.blake2b((STATIC / file).read_bytes(), digest_size=6).hexdigest()


@cache
def _files() -> frozenset[str]:
    return frozenset(str(each.relative_to(STATIC)) for each in STATIC.rglob("*") if each.suffix in _TYPES)


def static_file(mark: str, file: str) -> Response:
    """Serve one of our few files; any other name is no page."""
    if file not in _files():
        raise HTTPException(404)
    cached = FOREVER if mark == fingerprint(file) else "no-cache"
    return FileResponse(STATIC / file, media_type=_TYPES[Path(file).suffix], headers={"Cache-Control": cached})
