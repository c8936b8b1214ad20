"""Finds `templates/` and `db/`, in the package of a wheel or beside it in a checkout, and reads what ships in them."""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path
from typing import Final

from monitor.core.query import MeshRow, MeshTree

LANGUAGES: Final = ("en", "zh-Hans")
"""Languages of the pages, as BCP 47 names them; English stands in the templates themselves."""
_PACKAGE = Path(__file__).resolve().parent


def resource_dir(name: str) -> Path:
    """Return the folder `templates` or `db`; raises FileNotFoundError when the installation is incomplete."""
    for parent in (_PACKAGE, _PACKAGE.parent):
        candidate = parent / name
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"the folder {name}/ is missing from this installation; install evidence-monitor again")


@cache
def load_mesh_tree() -> MeshTree:
    """Read `db/seed/mesh_tree.tsv`, the part of MeSH that the starter searches need; read once a process."""
    path = resource_dir("db") / "seed" / "mesh_tree.tsv"
    rows: list[MeshRow] = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#"):
                ui, name, numbers, terms = line.rstrip("\n").split("\t")
                rows.append((ui, name, tuple(numbers.split()), tuple(filter(None, terms.split("|")))))
    return MeshTree.from_rows(rows)


@cache
def translations(language: str) -> gettext.NullTranslations:
    """Return the words of `templates/locale` in a language of `LANGUAGES`; compiled in memory, once a process."""
    path = resource_dir("templates") / "locale" / f"{language}.po"
    if not path.exists():
        return gettext.NullTranslations()
    from io import BytesIO

    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with path.open("rb") as text:
        write_mo(compiled, read_po(text, locale=language.replace("-", "_")))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
