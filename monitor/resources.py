"""Finds `templates/` and `db/`, in the package of a wheel or beside it in a checkout, and reads what ships in them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from monitor.core.query import MeshRow, MeshTree

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
