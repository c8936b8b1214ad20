"""Pages from `templates/web`, and the files they load; every word a reader sees stands in a template."""

from __future__ import annotations

import gettext
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

from monitor.resources import resource_dir

STATIC = Path(__file__).resolve().parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
FOREVER = "public, max-age=31536000, immutable"


class Pages:
    """The site's templates with its name and its place filled in. `root` is the path of the public URL."""

    def __init__(self, name: str, root: str = "", translations: gettext.NullTranslations | None = None) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(resource_dir("templates")),
            undefined=StrictUndefined,
            autoescape=True,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        self._environment.install_gettext_translations(  # type: ignore[attr-defined]
            translations or gettext.NullTranslations(), newstyle=True
        )
        self._environment.globals.update(
            site_name=name, root=root, language="en", static=lambda file: f"{root}/static/{fingerprint(file)}/{file}"
        )

    def write(self, template: str, status: int = 200, **context: Any) -> Response:
        """Render a page; `local` decides whether it leads to pages that only this machine may see."""
        context.setdefault("local", False)
        return HTMLResponse(self._environment.get_template(f"web/{template}.html").render(context), status)

    def text(self, template: str, **context: Any) -> str:
        """Render a piece of HTML that something else carries."""
        return self._environment.get_template(f"web/{template}.html").render(context)

    def macros(self, template: str) -> Any:
        """Return the macros of a template of plain text: nothing in them is escaped, and nothing of them is HTML."""
        return self._environment.overlay(autoescape=False).get_template(f"web/{template}").module

    def error(self, status: int, **context: Any) -> Response:
        """Say what happened, what was kept, and what to do."""
        return self.write("error", status, code=status, **context)


@cache
def fingerprint(file: str) -> str:
    """Return a part of an address that changes whenever the file does, so that browsers may keep it for ever."""
    return hashlib.blake2b((STATIC / file).read_bytes(), digest_size=6).hexdigest()


def static_file(mark: str, file: str) -> Response:
    """Serve one of our few files; any other name is no page."""
    kind = _TYPES.get(Path(file).suffix)
    if kind is None or "/" in file or file not in {each.name for each in STATIC.iterdir()}:
        raise HTTPException(404)
    cached = FOREVER if mark == fingerprint(file) else "no-cache"
    return FileResponse(STATIC / file, media_type=kind, headers={"Cache-Control": cached})
