"""When a block is shown and how often, as expressions of the sandbox that are true or false and never fail.

A contact may hold a text where the marketer expects a number: such a value compares as false instead of stopping
the mail. Values are compared as they are; a number also equals its own spelling.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from campaigns.domain.blocks import words
from campaigns.domain.blocks.inputs import Input, described
from campaigns.domain.blocks.tree import Condition, Repeat
from campaigns.domain.blocks.words import Wrong

VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,99}(?:\.[a-zA-Z][a-zA-Z0-9_]{0,99}){0,4}")
NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")
KEYWORDS = frozenset({"and", "or", "not", "in", "is", "if", "else", "elif", "for", "true", "false", "none", "set"})
ROOTS = frozenset({"contact", "event", "organization", "variables", "loop", "range", "unsubscribe_url"})
TAKEN = KEYWORDS | ROOTS
NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,10})?")
LONGEST_VALUE = 300
MOST_ROUNDS = 50

Value = str | int | float | bool
Maker = Callable[[str, Any], str]


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    # Braces and percent signs in pairs would end the statement that this literal stands in.
    return '"' + escaped.replace("{", "\\x7b").replace("}", "\\x7d").replace("%", "\\x25") + '"'


def _number(value: Value) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    if not NUMBER.fullmatch(value.strip()):
        return None
    return float(value) if "." in value else int(value)


def _equals(variable: str, value: Value) -> str:
    number = _number(value)
    alternatives = [f"{variable} == {_literal(value)}"]
    if isinstance(value, str) and number is not None:
        alternatives.append(f"{variable} == {_literal(number)}")
    elif number is not None:
        alternatives.append(f"{variable} == {_literal(str(value))}")
    return f"({' or '.join(alternatives)})"


def _contains(variable: str, value: Value) -> str:
    return f"(({variable} is string or {variable} is sequence) and {_literal(str(value))} in {variable})"


def _starts_with(variable: str, value: Value) -> str:
    text = str(value)
    return f"({variable} is string and {variable}[:{len(text)}] == {_literal(text)})"


def _compared(sign: str) -> Maker:
    def made(variable: str, value: Value) -> str:
        number = _number(value)
        if number is None:  # a date: ISO texts compare like the moments they name
            return f"({variable} is string and {variable} {sign} {_literal(str(value))})"
        return f"({variable} is number and {variable} is not boolean and {variable} {sign} {_literal(number)})"

    return made


def _is_set(variable: str, value: Any) -> str:
    return f'({variable} is defined and {variable} is not none and {variable} != "")'


def _is_true(variable: str, value: Any) -> str:
    return f"({variable} == true)"


def _is_false(variable: str, value: Any) -> str:
    return f"({variable} == false)"


def _negated(maker: Maker) -> Maker:
    return lambda variable, value: f"(not {maker(variable, value)})"


@dataclass(frozen=True)
class Operator:
    label: str
    expression: Maker
    takes_value: bool = True


OPERATORS: dict[str, Operator] = {
    "equals": Operator("is", _equals),
    "not_equals": Operator("is not", _negated(_equals)),
    "contains": Operator("contains", _contains),
    "not_contains": Operator("does not contain", _negated(_contains)),
    "starts_with": Operator("starts with", _starts_with),
    "greater": Operator("is more than", _compared(">")),
    "greater_or_equal": Operator("is at least", _compared(">=")),
    "less": Operator("is less than", _compared("<")),
    "less_or_equal": Operator("is at most", _compared("<=")),
    "is_true": Operator("is true", _is_true, takes_value=False),
    "is_false": Operator("is false", _is_false, takes_value=False),
    "is_set": Operator("is known", _is_set, takes_value=False),
    "not_set": Operator("is not known", _negated(_is_set), takes_value=False),
}

VALUE = Input("value", "text", "Value", is_required=True)
REPEAT: tuple[Input, ...] = (
    Input("over", "text", "For each of", is_required=True, help="A list, such as event.lines."),
    Input("as", "text", "Called", default="item", help="One word; its values are written {{ item.title }}."),
    Input("most", "whole", "At most", default=10, least=1, most=MOST_ROUNDS),
)


def described_operators() -> list[dict[str, Any]]:
    """Each operator with its label and what stands beside it."""
    return [
        {"name": name, "label": operator.label, "inputs": [described(VALUE)] if operator.takes_value else []}
        for name, operator in OPERATORS.items()
    ]


def read_condition(raw: Any, path: str, problems: dict[str, str]) -> Condition | None:
    """`{"segment": 3}`, `{"segment": 3, "is_member": false}` or `{"variable", "operator", "value"}`."""
    if raw is None:
        return None
    if not isinstance(raw, dict) or bool("segment" in raw) == bool("variable" in raw):
        problems[path] = "A block is shown to a segment, or by a variable with an operator and a value."
        return None
    allowed = {"segment", "is_member"} if "segment" in raw else {"variable", "operator", "value"}
    for name in sorted(map(str, raw.keys() - allowed)):
        problems[f"{path}.{name}"] = f"There is no such field; here stand {', '.join(sorted(allowed))}."
    return _by_segment(raw, path, problems) if "segment" in raw else _by_variable(raw, path, problems)


def _by_segment(raw: dict[str, Any], path: str, problems: dict[str, str]) -> Condition | None:
    segment, is_member = raw["segment"], raw.get("is_member", True)
    if not isinstance(segment, int) or isinstance(segment, bool) or not 0 < segment < 2**63:
        problems[f"{path}.segment"] = "Choose a segment."
        return None
    if not isinstance(is_member, bool):
        problems[f"{path}.is_member"] = "This must be true or false."
        return None
    return Condition(segment=segment, is_member=is_member)


def _by_variable(raw: dict[str, Any], path: str, problems: dict[str, str]) -> Condition | None:
    variable, name, value = raw["variable"], raw.get("operator"), raw.get("value")
    if not _names_a_value(variable):
        problems[f"{path}.variable"] = "Name a value, such as contact.city or event.total."
    operator = OPERATORS.get(name) if isinstance(name, str) else None
    if operator is None:
        problems[f"{path}.operator"] = f"Choose one of {', '.join(OPERATORS)}."
    elif operator.takes_value:
        _check_value(value, f"{path}.value", problems)
    if any(place.startswith(path) for place in problems):
        return None
    return Condition(variable=variable, operator=str(name), value=value)


def _check_value(value: Any, path: str, problems: dict[str, str]) -> None:
    if not isinstance(value, (str, int, float, bool)) or value == "":
        problems[path] = "A value is missing: a text, a number, true or false."
    elif isinstance(value, str) and len(value) > LONGEST_VALUE:
        problems[path] = f"The value has at most {LONGEST_VALUE} characters."
    elif isinstance(value, (int, float)) and not abs(value) <= 10**15:  # also what is not a number
        problems[path] = "The number is too large."
    elif isinstance(value, str):
        try:
            words.check_characters(value)
        except Wrong as wrong:
            problems[path] = str(wrong)


def _names_a_value(path: Any) -> bool:
    if not isinstance(path, str) or not VARIABLE.fullmatch(path) or path in ROOTS:
        return False
    return not KEYWORDS & set(path.split("."))


def read_repeat(raw: Any, path: str, problems: dict[str, str]) -> Repeat | None:
    """`{"over": "event.lines", "as": "line", "most": 10}`."""
    if raw is None:
        return None
    if not isinstance(raw, dict):
        problems[path] = "A repeated block says `over` which list, `as` which name, and how often at `most`."
        return None
    for name in sorted(map(str, raw.keys() - {"over", "as", "most"})):
        problems[f"{path}.{name}"] = "There is no such field; here stand as, most, over."
    over, name, most = raw.get("over"), raw.get("as", "item"), raw.get("most", 10)
    if not _names_a_value(over):
        problems[f"{path}.over"] = "Name a list, such as event.lines."
    if not isinstance(name, str) or not NAME.fullmatch(name) or name in TAKEN:
        problems[f"{path}.as"] = "Choose a word of small letters that means nothing else, such as line."
    if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= MOST_ROUNDS:
        problems[f"{path}.most"] = f"Choose a whole number from 1 to {MOST_ROUNDS}."
    if any(place.startswith(path) for place in problems):
        return None
    return Repeat(over=str(over), name=str(name), most=int(most))


def expression(condition: Condition) -> str:
    """The condition for `{% if … %}`."""
    if condition.segment is not None:
        return f"{condition.segment} {'in' if condition.is_member else 'not in'} contact.segments"
    return OPERATORS[condition.operator].expression(condition.variable, condition.value)


def opening(condition: Condition | None, repeat: Repeat | None) -> str:
    """What stands before a block. The condition is inside the loop: it may ask for the entry."""
    loop = f"{{% for {repeat.name} in {_entries(repeat.over)}[:{repeat.most}] %}}" if repeat else ""
    return loop + (f"{{% if {expression(condition)} %}}" if condition else "")


def _entries(over: str) -> str:
    """The list, or an empty one for whatever is no list: a mail is not stopped by an event of another shape."""
    return f"({over} if {over} and {over} is sequence and {over} is not string and {over} is not mapping else [])"


def closing(condition: Condition | None, repeat: Repeat | None) -> str:
    """What stands after a block."""
    return ("{% endif %}" if condition else "") + ("{% endfor %}" if repeat else "")
