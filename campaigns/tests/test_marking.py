from __future__ import annotations

from typing import Any

from campaigns.domain.blocks import compiler, marking, parse
from campaigns.services import composing


def tree(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"settings": {}, "blocks": list(blocks)}


ROW = {
    "id": "row", "type": "columns",
    "columns": [{"blocks": [{"id": "inner", "type": "text", "text": "Inside"}]}, {"blocks": []}],
}  # fmt: skip


def test_each_block_stands_between_its_marks_and_inside_those_of_its_row() -> None:
    compiled = compiler.compiled(parse.parse(tree({"id": "a", "type": "text", "text": "Words"}, ROW)).tree)

    html = marking.marked(compiled)

    places = [html.index(mark) for mark in (
        "<!--block:a-->", "Words", "<!--/block:a-->", "<!--block:row-->", "<!--block:inner-->", "Inside",
        "<!--/block:inner-->", "<!--/block:row-->",
    )]  # fmt: skip
    assert places == sorted(places)
    assert marking.unmarked(html) == compiled.html


def test_a_picture_for_an_editor_is_marked_and_its_size_does_not_count_that(organization: Any) -> None:
    hidden = {
        "id": "b",
        "type": "text",
        "text": "Never",
        "show_when": {"variable": "contact.city", "operator": "equals", "value": "X"},
    }
    draft = composing.Draft("Hello", blocks=tree({"id": "a", "type": "text", "text": "Words"}, hidden, ROW))

    plain, marked = composing.show(draft, None), composing.show(draft, None, is_marked=True)

    assert "<!--block:" not in plain.html
    assert "<!--block:b--><!--/block:b-->" in marked.html
    assert (marking.unmarked(marked.html), marked.size, marked.text) == (plain.html, plain.size, plain.text)
