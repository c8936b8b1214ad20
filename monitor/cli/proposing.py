"""What the rules propose for a paper, as the command line tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitor.core.proposal import Proposed

_TAGS = 20


def proposed_line(found: Proposed) -> str:
    """Write level, sample and offered tags as one line; a tag that would be preselected is marked."""
    grade = found.grade
    level = "no level" if grade.level == "none" else f"level {grade.level}"
    until = f", provisional until {grade.provisional_until}" if grade.provisional_until else ""
    parts = [f"{level} ({grade.rule}: {grade.reason}{until})"]
    if found.sample.n is not None:
        parts.append(f"{found.sample.n:,} {'person' if found.sample.n == 1 else 'people'}")
    parts += [each.number for each in found.registry]
    tags = [each.tag + ("*" if each.preselected else "") for each in found.tags]
    parts += [", ".join(tags[:_TAGS])] if tags else []
    return "; ".join(parts)


def proposed_object(found: Proposed) -> dict[str, Any]:
    """Return the same for scripts, with every reason."""
    grade = found.grade
    return {
        "level": grade.level,
        "design": grade.design,
        "rule": grade.rule,
        "reason": grade.reason,
        "ask": grade.ask,
        "provisional": grade.provisional,
        "flags": list(grade.flags),
        "participants": found.sample.n,
        "registry": [each._asdict() for each in found.registry],
        "tags": [
            {
                "tag": each.tag,
                "facet": each.facet,
                "score": each.score,
                "preselected": each.preselected,
                "implied_by": each.implied_by,
                "reasons": [reason._asdict() for reason in each.reasons],
            }
            for each in found.tags
        ],
        "off_topic": [each.id for each in found.off_topic],
    }
