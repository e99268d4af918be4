"""What a template may say, checked at publish: every fault with its line, before anybody gets the mail."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError

from delivery.domain import filters
from delivery.domain.sandbox import PLAIN

MOST_SOURCE = 300_000  # characters
MOST_SETS = 50
MOST_NODES = 50_000
SHORT = 10_000  # characters

# What the contact namespace offers besides `attributes`.
CONTACT_FIELDS = (
    "id", "name", "first_name", "email", "phone", "user_id", "status", "priority", "source", "city", "region",
    "country", "timezone", "locale", "tags", "value", "currency",
)  # fmt: skip
ORGANIZATION_FIELDS = ("name",)
OFFER_FIELDS = ("code", "title", "last_day", "expires_at")  # of the one that a workflow gave
LOOP_FIELDS = ("index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem")

ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign, nodes.CondExpr, nodes.Name,
    nodes.Const, nodes.List, nodes.Tuple, nodes.Getattr, nodes.Getitem, nodes.Filter, nodes.Test, nodes.Compare,
    nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div,
    nodes.FloorDiv, nodes.Mod, nodes.Concat, nodes.Call, nodes.Keyword, nodes.Slice,
)  # fmt: skip

NUMBERS_ONLY = (nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod)


@dataclass(frozen=True)
class Vocabulary:
    """The names a template may use: the organisation's attributes, declared variables, defaults."""

    attributes: Collection[str] = ()
    variables: Collection[str] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    knows_segments: bool = False  # whether whoever writes the message looks memberships up

    def has_default(self, path: str) -> bool:
        name = path.rsplit(".", 1)[-1]
        return bool({path, path.removeprefix("contact."), name} & self.defaults.keys())


@dataclass(frozen=True)
class Fault:
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.sentence}"


def faults(source: str, vocabulary: Vocabulary) -> list[Fault]:
    """Everything that is wrong with a template, in order of lines; empty when it may be published."""
    if len(source) > MOST_SOURCE:
        return [Fault(1, f"the template is longer than {MOST_SOURCE:,} characters")]
    if source.count("{") > MOST_NODES:
        return [Fault(1, "the template has too many placeholders")]
    try:
        tree = parsed(source)
        everything = list(_walk(tree))
    except TemplateSyntaxError as error:
        return [Fault(error.lineno, error.message or "this is not a valid template")]
    except RecursionError:
        return [Fault(1, "the template nests too deep")]
    if len(everything) > MOST_NODES:
        return [Fault(1, "the template has too many parts")]
    found = [Fault(node.lineno, sentence) for node in everything for sentence in _wrong(node)]
    if sum(isinstance(node, nodes.Assign) for node in everything) > MOST_SETS:
        found.append(Fault(1, f"a template may have at most {MOST_SETS} “set” lines"))
    if not found:
        found = _unknown_names(everything, vocabulary) + _segments_misused(everything, vocabulary)
    # Some nodes carry no line; they stand where the template begins.
    found = [Fault(fault.line or 1, fault.sentence) for fault in found]
    return sorted(set(found), key=lambda fault: (fault.line, fault.sentence))


def segments_asked(source: str) -> set[int]:
    """The segments by which a valid template decides what to show."""
    if "segments" not in source:
        return set()
    return {number for number, _ in _segment_questions(parsed(source).find_all(nodes.Compare))}


def _segment_questions(compares: Iterable[nodes.Node]) -> Iterator[tuple[int, nodes.Node]]:
    """(segment, the node `contact.segments`) of each `12 in contact.segments`."""
    for node in compares:
        if not isinstance(node, nodes.Compare) or len(node.ops) != 1 or node.ops[0].op not in ("in", "notin"):
            continue
        number = node.expr.value if isinstance(node.expr, nodes.Const) else None
        if type(number) is int and 0 < number < 2**63 and path_of(node.ops[0].expr) == ["contact", "segments"]:
            yield number, node.ops[0].expr


def _segments_misused(everything: list[nodes.Node], vocabulary: Vocabulary) -> list[Fault]:
    """Which segments a mail needs must be known before it is written, so they can only be asked for one by one."""
    right = {id(node) for _, node in _segment_questions(everything)} if vocabulary.knows_segments else set()
    sentence = (
        "ask for one segment by its number, such as {% if 12 in contact.segments %}"
        if vocabulary.knows_segments
        else "segments can be asked for in e-mails only"
    )
    return [
        Fault(node.lineno, sentence)
        for node in everything
        if isinstance(node, (nodes.Getattr, nodes.Getitem))
        and path_of(node) == ["contact", "segments"]
        and id(node) not in right
    ]


def mentions(source: str, name: str) -> bool:
    """Whether a valid template uses the top-level name."""
    return name in source and any(node.name == name for node in parsed(source).find_all(nodes.Name))


def parsed(source: str) -> nodes.Template:
    """The tree of a template, not to be changed; remembered, for an editor asks again and again, and one request
    several times.

    Raises what Jinja2's parser raises.
    """
    return _remembered_short(source) if len(source) <= SHORT else _remembered(source)


_remembered_short = lru_cache(maxsize=512)(PLAIN.parse)
_remembered = lru_cache(maxsize=4)(PLAIN.parse)


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(current.iter_child_nodes())


def _wrong(node: nodes.Node) -> Iterator[str]:
    """Sentences about one node, names apart."""
    if not isinstance(node, ALLOWED):
        yield f"“{_word(node)}” is not available in messages"
    elif isinstance(node, nodes.Call):
        if not (isinstance(node.node, nodes.Name) and node.node.name == "range"):
            yield "only range() can be called; use a filter instead, such as name|upper"
    elif isinstance(node, (nodes.List, nodes.Tuple)):
        if not all(isinstance(item, nodes.Const) for item in node.items):
            yield "a list in a template holds plain values only"
    elif isinstance(node, nodes.Filter):
        if node.name not in filters.FILTERS:
            yield f"there is no filter “{node.name}”; known: {', '.join(sorted(filters.FILTERS))}"
    elif isinstance(node, nodes.Test):
        if node.name not in filters.TESTS:
            yield f"there is no test “{node.name}”"
    elif isinstance(node, nodes.Assign):
        if not isinstance(node.target, nodes.Name):
            yield "set one name at a time"
    elif isinstance(node, NUMBERS_ONLY):
        if any(isinstance(side, nodes.Const) and isinstance(side.value, str) for side in (node.left, node.right)):
            yield f"“{node.operator}” works on numbers only"
    elif isinstance(node, nodes.For) and node.recursive:
        yield "a recursive loop is not available"
    name = getattr(node, "attr", None) or (node.name if isinstance(node, nodes.Name) else None)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        name = node.arg.value
    if isinstance(name, str) and name.startswith("_"):
        yield f"“{name}”: names that begin with an underscore are not available"


def _word(node: nodes.Node) -> str:
    words = {"Pow": "**", "FilterBlock": "filter block", "AssignBlock": "set block", "CallBlock": "call block"}
    name = type(node).__name__
    return words.get(name, name.lower())


def _unknown_names(everything: list[nodes.Node], vocabulary: Vocabulary) -> list[Fault]:
    local = {node.name for node in everything if isinstance(node, nodes.Name) and node.ctx == "store"}
    inner = {id(node.node) for node in everything if isinstance(node, (nodes.Getattr, nodes.Getitem))}
    found = []
    for node in everything:
        if id(node) in inner or not isinstance(node, (nodes.Name, nodes.Getattr, nodes.Getitem)):
            continue
        path = path_of(node)
        sentence = _unknown(path, local, vocabulary) if path else ""
        if sentence:
            found.append(Fault(node.lineno, sentence))
    return found


def path_of(node: nodes.Node, *, is_whole: bool = False) -> list[str]:
    """`contact.attributes.plan` as a list of names; empty when it is not such a chain.

    Of `lines[number].name` it is what stands before the index, or nothing when only a whole chain `is_whole`.
    """
    names: list[str] = []
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        if isinstance(node, nodes.Getattr):
            names.append(node.attr)
        elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            names.append(node.arg.value)
        elif is_whole:
            return []
        else:
            names.clear()
        node = node.node
    return [node.name, *reversed(names)] if isinstance(node, nodes.Name) else []


def _unknown(path: list[str], local: set[str], vocabulary: Vocabulary) -> str:
    """A sentence about a chain of names that leads nowhere, or nothing."""
    root, rest = path[0], path[1:]
    if root in local or root in ("range", "unsubscribe_url", "preferences_url"):
        return ""
    if root == "event":
        return "" if rest else "name a property of the event, such as event.total"
    if root == "offer" and "offer" not in vocabulary.variables and not vocabulary.has_default("offer"):
        is_known = len(rest) == 1 and rest[0] in OFFER_FIELDS
        return (
            "" if is_known else "of the offer that a workflow gave there are offer." + ", offer.".join(OFFER_FIELDS)
        )
    if root == "loop":
        return "" if rest and rest[0] in LOOP_FIELDS else "loop has " + ", ".join(LOOP_FIELDS)
    if root == "organization":
        return "" if rest == ["name"] else "of the organisation only organization.name is known"
    if root == "contact":
        return _unknown_of_contact(rest, vocabulary)
    name = rest[0] if root == "variables" and rest else root
    if root == "variables" and not rest:
        return "name one of the variables, such as variables.code"
    if name in vocabulary.variables or vocabulary.has_default(f"variables.{name}"):
        return ""
    return f"“{'.'.join(path)}” is not known; declare the variable or give it a default"


def _unknown_of_contact(rest: list[str], vocabulary: Vocabulary) -> str:
    if not rest:
        return "name a field of the contact, such as contact.name"
    if rest[0] != "attributes":
        if rest[0] in CONTACT_FIELDS or rest == ["segments"] or vocabulary.has_default(f"contact.{rest[0]}"):
            return ""
        return f"a contact has no “{rest[0]}”; own attributes are written contact.attributes.{rest[0]}"
    if len(rest) < 2:
        return "name one attribute, such as contact.attributes.plan"
    if rest[1] in vocabulary.attributes or vocabulary.has_default(f"contact.attributes.{rest[1]}"):
        return ""
    return f"no contact has the attribute “{rest[1]}” yet; check its spelling or give it a default"
