"""Everything a workflow can start on and do, as pages and apps read it: from the registries and their structs.

A kind is `{"type", "label", "doc", "group", "fields", "branches", "example"}`. A field is one key of its
configuration, but for a span: that is days, hours, minutes and seconds, and without a name it lies flat in its
object. `choices` are what this organisation has at hand; names of events, attributes and tags come from the
language of segment rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import inspect

from automations.models import EntryRule, ErrorPolicy
from automations.selectors.choices import Choices
from automations.steps import STEPS
from automations.steps.base import StepKind
from automations.triggers import TRIGGERS
from automations.triggers.base import TriggerKind

Plain = dict[str, Any]

PLAIN_TYPES = {
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.StrType: "text",
    inspect.BoolType: "boolean",
    inspect.LiteralType: "choice",
    inspect.ListType: "list",
    inspect.StructType: "object",
}


def describe() -> Plain:
    """The catalogue for the current organisation."""
    choices = Choices()
    return {
        "triggers": [trigger(name, kind, choices) for name, kind in TRIGGERS.items()],
        "steps": [step(name, kind, choices) for name, kind in STEPS.items()],
        "entry_rules": [{"value": value, "label": str(label)} for value, label in EntryRule.choices],
        "error_policies": [{"value": value, "label": str(label)} for value, label in ErrorPolicy.choices],
    }


def trigger(name: str, kind: TriggerKind[Any], choices: Choices) -> Plain:
    """One kind of trigger."""
    return _kind(name, kind, choices) | {"branches": _branches("none")}


def step(name: str, kind: StepKind[Any], choices: Choices) -> Plain:
    """One kind of step, with the branches it has."""
    labels = {branch: kind.branch_labels.get(branch, branch.capitalize()) for branch in kind.branches}
    way = "named" if kind.branches_from else "fixed" if kind.branches else "none"
    return _kind(name, kind, choices) | {"branches": _branches(way, labels, kind.branches_from)}


def _kind(name: str, kind: StepKind[Any] | TriggerKind[Any], choices: Choices) -> Plain:
    fields = _fields(kind.configuration, choices)
    return {
        "type": name,
        "label": kind.label,
        "doc": kind.doc,
        "group": kind.group,
        "fields": fields,
        "example": _example(kind.configuration),
    }


def _branches(kind: str, labels: Mapping[str, str] | None = None, source: str = "") -> Plain:
    """`from` is the list of ways whose names are branches, or the field whose choice brings them."""
    labels = labels or {}
    return {"kind": kind, "names": list(labels), "labels": dict(labels), "from": source}


# --- fields ------------------------------------------------------------------------------------------


def _fields(struct: type[msgspec.Struct], choices: Choices) -> list[Plain]:
    """The fields of a configuration, the parts of a span as one."""
    found = inspect.type_info(struct)
    assert isinstance(found, inspect.StructType)
    told = [field(item, choices) for item in found.fields]
    spans = [item for item in told if item["type"] == "span" and not item["name"]]
    return [item for item in told if item not in spans[1:]]


def labels(struct: type[msgspec.Struct]) -> dict[str, str]:
    """What each field of a configuration is called."""
    found = inspect.type_info(struct)
    assert isinstance(found, inspect.StructType)
    return {item.encode_name: _label(item, _unwrapped(item.type)[1]) for item in found.fields}


def _label(item: inspect.Field, meta: Plain) -> str:
    return str(meta.get("title", item.encode_name.replace("_", " ").capitalize()))


def field(item: inspect.Field, choices: Choices) -> Plain:
    """One field. Of `says(…, type=…, **extra)`: `labels` or `source` of choices, `minimum`, `maximum`, `channel`,
    `only`."""
    kind, meta, extra = _unwrapped(item.type)
    told = extra.get("type") or PLAIN_TYPES.get(type(kind), "json")
    is_part_of_span = told == "span" and isinstance(kind, inspect.IntType)
    return {
        "name": "" if is_part_of_span else item.encode_name,
        "label": _label(item, meta),
        "help": meta.get("description", ""),
        "type": told,
        "required": item.required or extra.get("required", False),
        "default": None if is_part_of_span else _default(item),
        "choices": _literals(kind, extra) or choices.of(str(extra.get("source", told)), extra),
        "minimum": extra.get("minimum"),
        "maximum": extra.get("maximum"),
        "channel": extra.get("channel", ""),
        "fields": _inner(kind, choices) if told in ("list", "object") else [],
    }


def _unwrapped(kind: inspect.Type) -> tuple[inspect.Type, Plain, Plain]:
    """The type below its annotations and `| None`, with what they say."""
    meta: Plain = {}
    extra: Plain = {}
    while True:
        if isinstance(kind, inspect.Metadata):
            meta, extra = (kind.extra_json_schema or {}) | meta, (kind.extra or {}) | extra
            kind = kind.type
            continue
        types = kind.types if isinstance(kind, inspect.UnionType) else ()
        rest = [one for one in types if not isinstance(one, inspect.NoneType)]
        if len(rest) != 1:
            return kind, meta, extra
        kind = rest[0]


def _default(item: inspect.Field) -> Any:
    if item.default_factory is not inspect.NODEFAULT:
        return msgspec.to_builtins(item.default_factory())
    return None if item.default in (inspect.NODEFAULT, inspect.UNSET) else msgspec.to_builtins(item.default)


def _literals(kind: inspect.Type, extra: Plain) -> list[Plain]:
    """The choices that stand in the code: of a Literal, or `labels`."""
    labels = extra.get("labels", {})
    values = kind.values if isinstance(kind, inspect.LiteralType) else labels
    return [
        {"value": value, "label": labels.get(value, str(value).replace("_", " ").capitalize())} for value in values
    ]


def _inner(kind: inspect.Type, choices: Choices) -> list[Plain]:
    inner = _unwrapped(kind.item_type)[0] if isinstance(kind, inspect.ListType) else kind
    return _fields(inner.cls, choices) if isinstance(inner, inspect.StructType) else []


def _example(struct: type[msgspec.Struct]) -> Plain:
    """A configuration as one would send it: what must be there, and what shows best how it is meant."""
    found = inspect.type_info(struct)
    assert isinstance(found, inspect.StructType)
    example: Plain = {}
    for item in found.fields:
        examples = _unwrapped(item.type)[1].get("examples")
        if examples:
            example[item.encode_name] = examples[0]
    return example
