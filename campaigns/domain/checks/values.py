"""Values that a contact may lack: without a default such a contact does not get the mail at all."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError

from campaigns.domain.checks.base import Check, Mail
from delivery.domain import template_rules

ALWAYS = frozenset({"contact.id", "contact.email", "contact.status", "contact.priority", "organization.name"})
OURS = frozenset({"unsubscribe_url", "loop", "range"})


def values(mail: Mail) -> Iterator[Check]:
    """What `reader` lacks, and what others may lack, by the block that prints it."""
    places = [("", mail.subject), ("", mail.preheader), *((block, source) for block, source in mail.sources())]
    for block, source in places:
        for path in printed_without_default(source):
            if path in ALWAYS or path.split(".")[0] in OURS or _has_default(path, mail.defaults):
                continue
            fix = f'{{{{ {path}|default("…") }}}}, or a default of the template.'
            if path.startswith(("event.", "offer.", "variables.")):
                told = f"Only messages that bring {path} can be written: those of workflows and of the API."
                yield Check("hint", told, block, fix)
                continue
            if path in mail.missing:
                told = f"{mail.reader} has no {path}, so this mail could not be written."
                yield Check("error", told, block, fix)
            else:
                yield Check("warning", f"Whoever has no {path} does not get this mail.", block, fix)


def printed_without_default(source: str) -> list[str]:
    """The values that a template prints wherever they are missing, in order, each once."""
    if "{" not in source:
        return []
    try:
        tree = template_rules.parsed(source)
    except (TemplateSyntaxError, RecursionError):
        return []
    found: dict[str, None] = {}
    _collect(tree, frozenset(), frozenset(), found)
    return list(found)


def _collect(node: nodes.Node, local: frozenset[str], known: frozenset[str], found: dict[str, None]) -> None:
    """`known` are paths that a condition around has asked about; `local` the names of loops."""
    if isinstance(node, nodes.Filter) and node.name in ("default", "d"):
        return
    if isinstance(node, (nodes.If, nodes.CondExpr)):
        inside = known | _paths(node.test)
        for child in node.iter_child_nodes(exclude=("test",)):
            _collect(child, local, inside, found)
        return
    if isinstance(node, nodes.For):
        local |= {name.name for name in node.target.find_all(nodes.Name)} | (
            {node.target.name} if isinstance(node.target, nodes.Name) else set()
        )
        for child in node.body:
            _collect(child, local, known, found)
        return
    if isinstance(node, (nodes.Getattr, nodes.Getitem, nodes.Name)):
        path = _path(node)
        if path and path.split(".")[0] not in local and path not in known:
            found.setdefault(path)
        return
    for child in node.iter_child_nodes():
        _collect(child, local, known, found)


def _paths(test: nodes.Node) -> frozenset[str]:
    everything = [test, *test.find_all((nodes.Getattr, nodes.Getitem, nodes.Name))]
    return frozenset(path for node in everything if (path := _path(node)))


def _path(node: nodes.Node) -> str:
    return ".".join(template_rules.path_of(node, is_whole=True))


def _has_default(path: str, defaults: frozenset[str]) -> bool:
    name = path.rsplit(".", 1)[-1]
    return bool({path, path.removeprefix("contact."), name} & defaults)
