"""What changed between two states of a mail, block by block, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from campaigns.domain.blocks.inputs import Input
from campaigns.domain.blocks.tree import MOST_BLOCKS
from campaigns.domain.blocks.types import BLOCKS, SETTINGS

Kind = Literal["added", "removed", "moved", "changed"]
LONGEST = 300
ENVELOPE = {
    "kind": "Kind", "locale": "Language", "subject": "Subject", "preheader": "Preheader", "html": "HTML",
    "text": "Plain text",
}  # fmt: skip
COMMON = {"show_when": "Shown to", "repeat": "Repeated for"}
MISSING = object()


@dataclass(frozen=True)
class Change:
    """`path` is where it stands now, or where it stood when it is gone; `label` says what it is."""

    kind: Kind
    path: str
    label: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class _Found:
    block: Mapping[str, Any]
    path: str
    home: str  # the list it stands in
    turn: int


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """From one state (`subject`, `preheader`, `blocks` …) to another."""
    changes = list(_fields(before, after, "", ENVELOPE))
    changes += _values("defaults", "Stand-in", before.get("defaults") or {}, after.get("defaults") or {})
    one, other = _tree(before), _tree(after)
    labels = {each.name: each.label for each in SETTINGS}
    changes += _fields(_object(one.get("settings")), _object(other.get("settings")), "settings.", labels)
    changes += _blocks(one, other)
    locales = sorted({*_object(before.get("variants")), *_object(after.get("variants"))})
    for locale in locales:
        changes += _variant(locale, before, after)
    return changes


def _variant(locale: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    one, other = (_object(state.get("variants")).get(locale) for state in (before, after))
    if one is None or other is None:
        yield Change("removed" if other is None else "added", f"variants.{locale}", f"Language {locale}")
        return
    for change in differences(_object(one), _object(other)):
        path, label = f"variants.{locale}.{change.path}", f"{locale}: {change.label}"
        yield Change(change.kind, path, label, change.before, change.after)


def _tree(state: Mapping[str, Any]) -> Mapping[str, Any]:
    return _object(state.get("blocks"))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _fields(
    before: Mapping[str, Any], after: Mapping[str, Any], path: str, labels: Mapping[str, str]
) -> Iterator[Change]:
    for name, label in labels.items():
        one, other = before.get(name), after.get(name)
        if (one or "") != (other or ""):
            yield Change("changed", f"{path}{name}", label, _told(one), _told(other))


def _values(path: str, label: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        one, other = before.get(name, MISSING), after.get(name, MISSING)
        if one != other:
            kind: Kind = "added" if one is MISSING else "removed" if other is MISSING else "changed"
            yield Change(kind, f"{path}.{name}", f"{label} “{name}”", _told(one), _told(other))


def _blocks(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    old = {_id(found): found for found in islice(_walk(before.get("blocks"), "blocks"), MOST_BLOCKS)}
    new = {_id(found): found for found in islice(_walk(after.get("blocks"), "blocks"), MOST_BLOCKS)}
    for key, found in old.items():
        if key not in new:
            yield Change("removed", found.path, label_of(found.block), before=summary(found.block))
    moved = _moved(old, new)
    for key, found in new.items():
        if key not in old:
            yield Change("added", found.path, label_of(found.block), after=summary(found.block))
            continue
        if key in moved:
            yield Change("moved", found.path, f"{label_of(found.block)} {summary(found.block)}".strip())
        yield from _inside(old[key], found)


def _moved(old: Mapping[str, _Found], new: Mapping[str, _Found]) -> set[str]:
    """Blocks that stand in another list, or outside the longest row of those that kept their order."""
    both = [key for key in new if key in old]
    moved = {key for key in both if _home(old[key], old) != _home(new[key], new)}
    for home in dict.fromkeys(_home(new[key], new) for key in both):
        row = [key for key in both if key not in moved and _home(new[key], new) == home]
        moved |= set(row) - _longest_rising(row, [old[key].turn for key in row])
    return moved


def _home(found: _Found, known: Mapping[str, _Found]) -> str:
    """The list of a block by the id of the block that holds it, so that moving that one moves nothing else."""
    holder = next((key for key, each in known.items() if found.home.startswith(f"{each.path}.columns")), "")
    return f"{holder}{found.home.rpartition('.columns')[2]}" if holder else found.home


def _longest_rising(keys: list[str], turns: list[int]) -> set[str]:
    lengths: list[int] = []
    previous: list[int] = []
    for index, turn in enumerate(turns):
        best = max((each for each in range(index) if turns[each] < turn), key=lambda each: lengths[each], default=-1)
        lengths.append(lengths[best] + 1 if best >= 0 else 1)
        previous.append(best)
    at = max(range(len(keys)), key=lambda each: lengths[each], default=-1)
    kept = set()
    while at >= 0:
        kept.add(keys[at])
        at = previous[at]
    return kept


def _inside(old: _Found, new: _Found) -> Iterator[Change]:
    kind = str(new.block.get("type"))
    if old.block.get("type") != kind:
        yield Change("changed", new.path, label_of(new.block), summary(old.block), summary(new.block))
        return
    inputs: tuple[Input, ...] = BLOCKS[kind].inputs if kind in BLOCKS else ()
    labels = {each.name: each.label for each in inputs} | COMMON
    begin = label_of(new.block)
    for change in _fields(
        _with_defaults(inputs, old.block), _with_defaults(inputs, new.block), f"{new.path}.", labels
    ):
        yield Change(change.kind, change.path, f"{begin}: {change.label.lower()}", change.before, change.after)
    if _widths(old.block) != _widths(new.block):
        told = (", ".join(map(str, _widths(each.block))) for each in (old, new))
        yield Change("changed", f"{new.path}.columns", f"{begin}: widths", *told)


def _with_defaults(inputs: tuple[Input, ...], block: Mapping[str, Any]) -> dict[str, Any]:
    return {each.name: each.default for each in inputs if each.default is not None} | dict(block)


def _widths(block: Mapping[str, Any]) -> list[Any]:
    return [_object(column).get("width") or 0 for column in _list(block.get("columns"))]


def _walk(blocks: Any, path: str) -> Iterator[_Found]:
    for index, block in enumerate(_list(blocks)):
        if not isinstance(block, dict):
            continue
        place = f"{path}[{index}]"
        yield _Found(block, place, path, index)
        for turn, column in enumerate(_list(block.get("columns"))):
            yield from _walk(_object(column).get("blocks"), f"{place}.columns[{turn}].blocks")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _id(found: _Found) -> str:
    return str(found.block.get("id") or found.path)


def label_of(block: Mapping[str, Any]) -> str:
    """What a reader calls the block."""
    kind = block.get("type")
    return BLOCKS[kind].label if isinstance(kind, str) and kind in BLOCKS else "Block"


def summary(block: Mapping[str, Any]) -> str:
    """A few words that tell it from others of its kind."""
    for name in ("text", "label", "title", "alt", "address", "snippet", "html", "mjml"):
        if isinstance(block.get(name), str) and block[name]:
            return _told(block[name])
    return ""


def _told(value: Any) -> str:
    if value is None or value is MISSING:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_told(each)}" for name, each in value.items())[:LONGEST]
    if isinstance(value, list):
        return "; ".join(_told(each) for each in value)[:LONGEST]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)[:LONGEST]
