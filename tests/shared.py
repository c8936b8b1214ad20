"""Where the real PubMed records lie on a developer's machine; tests that use them skip elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
STARTER = SHARED.parent / "reference" / "starter"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="real PubMed records are not on this machine")
