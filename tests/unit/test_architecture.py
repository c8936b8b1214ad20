"""Imports flow one way: every module knows only what stands to its left."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "monitor"
EVERYWHERE = {"errors", "resources"}
LEFT_OF: dict[str, set[str]] = {
    "errors": set(),
    "resources": {"core"},
    "core": {"core"},
    "pubmed": {"core", "pubmed"},
    "storage": {"core", "storage"},
    "mail": {"core", "mail"},
    "formats": {"core", "formats"},
    "services": {"core", "pubmed", "storage", "mail", "formats", "services"},
    "web": {"core", "pubmed", "storage", "mail", "formats", "services", "web"},
    "scheduler": {"core", "storage", "services"},
    "logs": set(),
    "settings": {"core"},
    "kept": {"services", "settings"},
}
LEFT_OF["build"] = set(LEFT_OF) | {"scheduler", "settings", "build"}
LEFT_OF["cli"] = LEFT_OF["build"] | {"cli"}
LEFT_OF["__main__"] = LEFT_OF["cli"]
MODULES = sorted(ROOT.rglob("*.py"))


def room(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names if node.module == "monitor")
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_to_the_left(path: Path) -> None:
    here = room(path)
    if here == "__init__":
        return
    allowed = LEFT_OF[here] | EVERYWHERE
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "monitor" and len(parts) > 1 and parts[1] != "__version__":
            assert parts[1] in allowed, f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("path", sorted((ROOT / "core").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_core_is_standard_library_only(path: Path) -> None:
    for name in imports(path):
        top = name.split(".")[0]
        assert top == "monitor" or top in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_only_the_client_imports_bio_entrez() -> None:
    importers = {
        str(p.relative_to(ROOT)) for p in MODULES if any(n == "Bio" or n.startswith("Bio.") for n in imports(p))
    }
    assert importers <= {"pubmed/client.py"}


def test_only_settings_reads_the_environment() -> None:
    readers = {
        str(p.relative_to(ROOT))
        for p in MODULES
        if "os.environ" in p.read_text(encoding="utf-8") or "getenv(" in p.read_text(encoding="utf-8")
    }
    assert readers <= {"settings.py"}
