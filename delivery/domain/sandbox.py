"""The Jinja2 sandbox in which marketers' templates run: an allow-list, with limits on work and size.

A template is hostile input. It can print values, choose and loop; it cannot call methods, reach attributes
of Python objects, build big values or run long. Limits are checked before the work is done, not after.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from jinja2 import Undefined, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from delivery.domain import filters
from delivery.domain.filters import LimitExceeded

MOST_OUTPUT = 1_000_000  # characters of one rendered part; Gmail clips at about 102 KB
MOST_VALUE = 100_000  # characters of one value inside a template
MOST_ITEMS = 1_000  # range(n), and items of one loop
MOST_ROUNDS = 10_000  # rounds of all loops of one rendering
MOST_SECONDS = 1.0
MOST_NUMBER = 10**15
MOST_UNWATCHED = 100  # values that may be joined before the size of the whole is looked at

Scalar = str | int | float | bool | Decimal | date | datetime | None


class Missing(Undefined):
    """A value the contact lacks: false in a condition, empty in a loop, an error where it would leave a hole."""

    __slots__ = ()

    def __str__(self) -> str:
        raise UndefinedError(self._undefined_message)


class Values(Mapping[str, Any]):
    """A named group of values (`contact`, `contact.attributes`, `variables`) with fall-backs for empty ones."""

    __slots__ = ("_defaults", "_name", "_values")

    def __init__(self, name: str, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        self._name = name
        self._values = values
        self._defaults = defaults

    def look_up(self, key: str) -> Any:
        """The value, its default when it is empty, or a `Missing` that names it."""
        value = self._values.get(key)
        if value is None or value == "":
            value = self._default(key)
        if value is None:
            return Missing(f"{self._name}.{key} is empty and has no default")
        return Values(f"{self._name}.{key}", value, {}) if isinstance(value, dict) else value

    def _default(self, key: str) -> Any:
        path = f"{self._name}.{key}"
        if path in self._defaults:
            return self._defaults[path]
        return self._defaults.get(path.removeprefix("contact."), self._defaults.get(key))

    def __getitem__(self, key: str) -> Any:
        return self.look_up(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Budget:
    """What one rendering may still spend."""

    __slots__ = ("deadline", "rounds")

    def __init__(self) -> None:
        self.rounds = MOST_ROUNDS
        self.deadline = time.monotonic() + MOST_SECONDS

    def counted(self, items: Any) -> Iterator[Any]:
        """The items of a loop, each one paid for."""
        if isinstance(items, Undefined):
            return
        if isinstance(items, Values):
            items = list(items)
        for item in items:
            self.rounds -= 1
            if self.rounds < 0:
                raise LimitExceeded(f"the loops run more than {MOST_ROUNDS:,} rounds")
            if time.monotonic() > self.deadline:
                raise LimitExceeded(f"rendering takes longer than {MOST_SECONDS:g} s")
            yield Values("item", item, {}) if isinstance(item, dict) else item


class GuardedGenerator(CodeGenerator):
    """Compiles `a ~ b` to a call that checks the length before it joins."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 — Jinja2's name
        self.write("environment.join_checked((")
        for argument in node.nodes:
            self.visit(argument, frame)
            self.write(", ")
        self.write("))")


class Sandbox(ImmutableSandboxedEnvironment):
    """One environment for HTML (escaping) and one for subject and text (not escaping)."""

    code_generator_class = GuardedGenerator
    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])

    def __init__(self, *, is_html: bool) -> None:
        super().__init__(
            autoescape=is_html,
            undefined=Missing,
            finalize=printable,
            optimized=False,
            cache_size=0,
            auto_reload=False,
            keep_trailing_newline=True,
        )
        self.globals = {}
        self.filters = dict(filters.FILTERS)
        self.tests = {name: self.tests[name] for name in filters.TESTS}

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Values):
            return obj.look_up(attribute)
        if type(obj).__name__ == "LoopContext" and not attribute.startswith("_"):
            return super().getattr(obj, attribute)
        return self.undefined(f"a {type(obj).__name__} has no “{attribute}”")

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Values):
            return obj.look_up(str(argument))
        if isinstance(obj, (list, tuple, str)) and isinstance(argument, (int, slice)):
            try:
                return obj[argument]
            except (IndexError, ValueError):
                return self.undefined(f"there is no item {argument}")
        return self.undefined(f"a {type(obj).__name__} has no item “{argument}”")

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        # Jinja2 hands the variables of the loop around a call along with it.
        kwargs.pop("_loop_vars", None)
        kwargs.pop("_block_vars", None)
        if __obj is bounded_range or getattr(__obj, "is_tracked_link", False):
            return __obj(*args, **kwargs)
        if getattr(__obj, "__func__", None) is Budget.counted:
            return __obj(*args)
        raise SecurityError("only range() can be called")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        for side in (left, right):
            if isinstance(side, Missing):
                side._fail_with_undefined_error()
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return self.join_checked((left, right))
        if not (is_number(left) and is_number(right)) or operator == "**":
            raise SecurityError(f"“{operator}” works on numbers only, and “**” not at all; join texts with “~”")
        return super().call_binop(context, operator, left, right)

    def join_checked(self, parts: Iterable[Any]) -> str:
        """`a ~ b ~ c` as plain text, refused when the result would be too long."""
        texts = [str(printable(part)) for part in parts]
        if sum(map(len, texts)) > MOST_VALUE:
            raise LimitExceeded(f"a value grows beyond {MOST_VALUE:,} characters")
        return "".join(texts)


def printable(value: Any) -> Any:
    """Values that may stand in the text: text and numbers, not structures."""
    if isinstance(value, (str, int)):
        return value
    if isinstance(value, (float, Decimal, datetime, date)):
        return str(value)
    if isinstance(value, Undefined):
        return str(value)  # raises with the sentence of what is missing
    if value is None:
        raise UndefinedError("a value is empty and has no default")
    raise SecurityError("a list or an object cannot be printed; join it or name one of its values")


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and -MOST_NUMBER <= value <= MOST_NUMBER


def bounded_range(*arguments: int) -> range:
    """`range()` of at most MOST_ITEMS numbers."""
    numbers = range(*arguments)
    if len(numbers) > MOST_ITEMS:
        raise LimitExceeded(f"range() may give at most {MOST_ITEMS:,} numbers")
    return numbers


HTML = Sandbox(is_html=True)
PLAIN = Sandbox(is_html=False)

Render = Callable[[dict[str, Any]], str]


def compiled(source: str, *, is_html: bool) -> Render:
    """A function that renders `source` (already checked by template_rules) with a dict of values.

    The dict is used as it is and gets two names of ours: `range` and the counter of loops. Raises
    `LimitExceeded`, `SecurityError` or `UndefinedError`, each with a sentence.
    """
    environment = HTML if is_html else PLAIN
    tree = environment.parse(source)
    loops = list(tree.find_all(nodes.For))
    gather = _collected if loops or _count_values(tree) > MOST_UNWATCHED else _joined
    for loop in loops:
        loop.iter = nodes.Call(nodes.Name("_counted", "load"), [loop.iter], [], None, None)
        loop.iter.set_lineno(loop.lineno)
    tree.set_environment(environment)
    template = environment.template_class.from_code(environment, environment.compile(tree), {})

    def render(values: dict[str, Any]) -> str:
        budget = Budget()
        token = filters.DEADLINE.set(budget.deadline)
        values["range"], values["_counted"] = bounded_range, budget.counted
        context = template.new_context(values, shared=True)  # shared: not copied
        try:
            return gather(template.root_render_func(context), budget)
        finally:
            filters.DEADLINE.reset(token)

    return render


def _count_values(tree: nodes.Template) -> int:
    outputs = (node for output in tree.find_all(nodes.Output) for node in output.nodes)
    return sum(not isinstance(node, nodes.TemplateData) for node in outputs)


def _joined(output: Iterable[str], budget: Budget) -> str:
    """A few values, each bounded, and no loop: one look at the end is enough."""
    text = "".join(output)
    if len(text) > MOST_OUTPUT:
        raise LimitExceeded(f"the text grows beyond {MOST_OUTPUT:,} characters")
    if time.monotonic() > budget.deadline:
        raise LimitExceeded(f"rendering takes longer than {MOST_SECONDS:g} s")
    return text


def _collected(output: Iterable[str], budget: Budget) -> str:
    """With loops the size is watched as it grows."""
    pieces: list[str] = []
    size = 0
    for piece in output:
        size += len(piece)
        if size > MOST_OUTPUT:
            raise LimitExceeded(f"the text grows beyond {MOST_OUTPUT:,} characters")
        pieces.append(piece)
    if time.monotonic() > budget.deadline:
        raise LimitExceeded(f"rendering takes longer than {MOST_SECONDS:g} s")
    return "".join(pieces)


def tracked_link(function: Callable[[str], Markup]) -> Callable[[str], Markup]:
    """Mark the one function, besides range, that compiled templates call."""
    function.is_tracked_link = True  # type: ignore[attr-defined]
    return function
