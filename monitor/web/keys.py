"""The keys of the desk: what each action is called, its usual key, and what is in force for somebody who changed some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Key(NamedTuple):
    """An action with its usual key; `also` are keys that work beside it unless somebody chose them for another action."""

    action: str
    usual: str
    also: tuple[str, ...] = ()
    group: str = "desk"


KEYS: Final[tuple[Key, ...]] = (
    Key("next", "j", ("ArrowDown",)),
    Key("previous", "k", ("ArrowUp",)),
    Key("open", "Enter", ("o",)),
    Key("keep", "a"),
    Key("dismiss", "d"),
    Key("maybe", "m"),
    Key("find-tag", "t"),
    Key("note", "n"),
    Key("highlights", "h"),
    Key("content", "l"),
    Key("pubmed", "v"),
    Key("doi", "Shift+v"),
    Key("save", "s"),
    Key("select", "Space"),
    Key("pane-before", "["),
    Key("pane-after", "]"),
    Key("undo", "u", group="everywhere"),
    Key("redo", "Shift+u", group="everywhere"),
    Key("search", "/", group="everywhere"),
    Key("palette", "Ctrl+k", group="everywhere"),
    Key("help", "?", group="everywhere"),
    Key("week", "g w", group="everywhere"),
    Key("queue", "g q", group="everywhere"),
    Key("papers", "g p", group="everywhere"),
    Key("integrity", "g i", group="everywhere"),
    Key("work", "g m", group="everywhere"),
)
"""Every action that has a key of its own. The digits, Escape and Ctrl+Enter are the same for everybody."""

_GROUPS: Final = {each.action: each.group for each in KEYS}
_SHOWN: Final = {"ArrowDown": "↓", "ArrowUp": "↑", "ArrowLeft": "←", "ArrowRight": "→"}


class Clash(NamedTuple):
    """Two actions that one key would start."""

    key: str
    action: str
    other: str


def in_force(chosen: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the keys of every action, the first one shown; a key that was chosen leaves the action that had it beside its own."""
    taken = {key for action, key in chosen.items() if action in _GROUPS}
    return {
        each.action: (chosen.get(each.action) or each.usual, *(key for key in each.also if key not in taken))
        for each in KEYS
    }


def clashes(chosen: Mapping[str, str]) -> tuple[Clash, ...]:
    """Name the pairs of actions that would share a key, or where one key is the beginning of another's."""
    found = []
    held = [(action, keys[0]) for action, keys in in_force(chosen).items()]
    for at, (action, key) in enumerate(held):
        for other, its in held[:at]:
            if key == its or key.startswith(f"{its} ") or its.startswith(f"{key} "):
                found.append(Clash(key, other, action))
        if key in "123456789":
            found.append(Clash(key, action, "digits"))
    return tuple(found)


def readable(chord: str) -> list[str]:
    """Return the keys of a chord as they are printed on a keyboard: `Shift+u` is Shift and U, `g q` is g and q."""
    return [_SHOWN.get(each, each) for each in chord.replace("+", " ").split()] if chord not in ("+", " ") else [chord]


def group_of(action: str) -> str:
    """Return where an action's key works: at the `desk` or `everywhere`."""
    return _GROUPS[action]
