"""What a kind of condition beside fields and events brings along."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from common.inputs import Choice
from segments.rules import values
from segments.rules.catalogue import Catalogue
from segments.rules.inputs import Input
from segments.rules.operands import Row
from segments.rules.parameters import Parameters
from segments.rules.values import Unfit

Rule = TypeVar("Rule")


class Misplaced(Unfit):
    """A value inside the condition that does not fit, with its key."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(sentence)
        self.key = key


def no_inputs(known: Catalogue) -> tuple[Input, ...]:
    return ()


@dataclass(frozen=True)
class Condition(Generic[Rule]):
    """One kind of condition: `{"<key>": …, "operator": …}`.

    `read` makes the rule of its JSON and raises `Misplaced`; `truth` is SQL that is never NULL. `fields` are those of
    contacts whose change may move it; `flips` is the next moment at which time alone may, where it can at all, and
    `turns` the next one at which what is written down changed, for those asked about a moment of the past.
    `inputs` are those of every operator, `operator_inputs` those of one.
    """

    label: str
    keys: tuple[str, ...]
    operators: Mapping[str, str]
    inputs: Callable[[Catalogue], tuple[Input, ...]]
    read: Callable[[Mapping[str, Any], Catalogue, bool], Rule]
    truth: Callable[[Rule, Row, Parameters], str]
    words: Callable[[Rule], str]
    fields: Callable[[Rule], set[str]] = field(default=lambda rule: set())
    flips: Callable[[Rule, Row, Parameters], str] | None = None
    operator_inputs: Mapping[str, tuple[Input, ...]] = field(default_factory=dict)
    turns: Callable[[Rule, Row, Parameters], str] | None = None


def operator_of(raw: Mapping[str, Any], known: Mapping[str, str]) -> str:
    """The operator's name; raises `Misplaced`."""
    name = raw.get("operator")
    if isinstance(name, str) and name in known:
        return name
    raise Misplaced("operator", f"unknown operator {values.shown(name)}; known: {', '.join(known)}")


def choices(labels: Mapping[str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(name, words) for name, words in labels.items())
