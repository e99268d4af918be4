"""From blocks to HTML: every type, conditions that never fail, loops, parts that are traceable."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.domain.blocks import compiler, conditions, language, parse, rich
from campaigns.domain.blocks.compiler import CompiledTree
from campaigns.domain.blocks.tree import Condition
from campaigns.domain.blocks.types import BLOCKS
from delivery.domain import sandbox, template_rules
from delivery.domain.sandbox import Values

LEAST: dict[str, dict[str, Any]] = {
    "heading": {"text": "Hello"},
    "text": {"text": "Hello"},
    "button": {"label": "Hello", "href": "https://shop.example"},
    "image": {"src": "https://shop.example/a.png", "alt": "Hello"},
    "product": {
        "title": "Hello",
        "src": "https://shop.example/a.png",
        "href": "https://shop.example",
        "label": "Buy",
    },
    "columns": {"columns": [{"width": 30, "blocks": [{"type": "text", "text": "Hello"}]}, {"blocks": []}]},
    "divider": {},
    "spacer": {},
    "menu": {"items": [{"label": "Hello", "href": "https://shop.example"}]},
    "social": {"items": [{"network": "instagram", "href": "https://social.example/Hello"}]},
    "footer": {"address": "Hello"},
    "snippet": {"snippet": "Hello"},
    "imported": {"mjml": "<mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section>"},
    "code": {"html": "<b>Hello</b>"},
}


def compiled(*blocks: dict[str, Any], **settings: Any) -> CompiledTree:
    reading = parse.parse({"settings": settings, "blocks": list(blocks)})
    assert reading.problems == {}
    return compiler.compiled(reading.tree)


def filled(source: str, **values: Any) -> str:
    return sandbox.compiled(source, is_html=True)(values)


@pytest.mark.parametrize("kind", list(BLOCKS))
def test_every_block_becomes_html_that_may_be_published(kind: str) -> None:
    done = compiled({"id": "b1", "type": kind, **LEAST[kind]})

    assert done.problems == {}
    assert "<mj" not in done.html
    assert ("Hello" in done.html) == (kind not in ("divider", "spacer", "snippet"))
    assert template_rules.faults(done.html, template_rules.Vocabulary()) == []
    assert done.parts[0].block == "b1"


def test_the_language_tells_every_block() -> None:
    told = language.describe()
    assert [block["key"] for block in told["blocks"]] == list(BLOCKS)
    assert all(given["label"] and given["name"] for block in told["blocks"] for given in block["inputs"])


def test_parts_trace_every_piece_to_its_block() -> None:
    done = compiled(
        {"id": "a", "type": "text", "text": "First", "show_when": {"variable": "contact.city", "operator": "is_set"}},
        {"id": "b", "type": "columns", "columns": [{"blocks": [{"id": "c", "type": "text", "text": "Second"}]}]},
        {"id": "d", "type": "text", "text": "Third"},
    )
    pieces = {part.block: done.html[part.start : part.end] for part in done.parts}

    assert list(pieces) == ["a", "b", "c", "d"]
    assert pieces["a"].startswith("{% if")
    assert pieces["a"].endswith("{% endif %}")
    assert ["First" in pieces["a"], "Second" in pieces["b"], "Second" in pieces["c"], "Third" in pieces["d"]] == [
        True
    ] * 4
    assert "First" not in pieces["d"]


def test_settings_and_looks_reach_the_mail() -> None:
    done = compiled(
        {"type": "heading", "text": "H", "level": "2", "align": "center", "color": "#ABCDEF"},
        {"type": "columns", "background": "#123456", "columns": [{"width": 25, "blocks": []}, {"blocks": []}]},
        width=500, background="#eeeeee", font="serif",
    )  # fmt: skip
    assert "max-width:500px" in done.html
    assert "background-color:#eeeeee" in done.html
    assert "Georgia" in done.html
    assert "text-align:center;color:#abcdef" in done.html
    assert "background:#123456" in done.html
    assert "mj-column-per-25" in done.html
    assert "mj-column-per-75" in done.html
    assert "fonts.googleapis" not in done.html


def test_conditions_and_loops_wrap_whole_blocks() -> None:
    done = compiled(
        {
            "type": "columns",
            "columns": [{"blocks": [{"type": "text", "text": "{{ line.title }}"}]}],
            "repeat": {"over": "event.lines", "as": "line", "most": 2},
            "show_when": {"variable": "line.price", "operator": "greater", "value": 10},
        }
    )
    lines = [{"title": "Cheap", "price": 5}, {"title": "Dear", "price": 50}, {"title": "Third", "price": 99}]
    html = filled(done.html, event=Values("event", {"lines": lines}, {}))

    assert ["Cheap" in html, "Dear" in html, "Third" in html] == [False, True, False]
    for other in ({}, {"lines": "text"}, {"lines": 5}, {"lines": {"a": 1}}, {"lines": None}, {"lines": []}):
        assert filled(done.html, event=Values("event", other, {})).count("<tr>") < html.count("<tr>")


@pytest.mark.parametrize(
    ("operator", "value", "holds", "fails"),
    [
        ("equals", "Leeds", ["Leeds"], ["York", None, 5, ["Leeds"]]),
        ("equals", "5", ["5", 5], ["6", 6, None]),
        ("equals", 5, ["5", 5], [6]),
        ("equals", True, [True], [False, None]),
        ("not_equals", "Leeds", ["York", None, 5], ["Leeds"]),
        ("contains", "ee", ["Leeds", ["ee"]], ["York", None, 5, ["Leeds"]]),
        ("not_contains", "ee", ["York", None, 5], ["Leeds", ["ee"]]),
        ("starts_with", "Le", ["Leeds"], ["York", None, 5, ["Le"]]),
        ("greater", 5, [6, 5.5], [5, 4, "6", None, True]),
        ("greater_or_equal", "5", [5, 6], [4, "6"]),
        ("less", 5, [4, -1], [5, "4", None]),
        ("less_or_equal", "2026-01-31", ["2026-01-31", "2025-12-01"], ["2026-02-01", 5, None]),
        ("is_true", None, [True], [False, None, "yes"]),
        ("is_false", None, [False], [True, None, "no"]),
        ("is_set", None, ["Leeds", 0, False], [None, ""]),
        ("not_set", None, [None, ""], ["Leeds", 0]),
    ],
)
def test_operators(operator: str, value: Any, holds: list[Any], fails: list[Any]) -> None:
    assert set(conditions.OPERATORS) >= {operator}
    raw = {"variable": "contact.x", "operator": operator, **({"value": value} if value is not None else {})}
    problems: dict[str, str] = {}
    condition = conditions.read_condition(raw, "show_when", problems)
    assert condition is not None, problems
    for expected, given_values in ((True, holds), (False, fails)):
        for each in given_values:
            assert _holds(condition, each) is expected, each


def _holds(condition: Condition, value: Any) -> bool:
    source = f"{{% if {conditions.expression(condition)} %}}yes{{% endif %}}"
    return filled(source, contact=Values("contact", {"x": value}, {})) == "yes"


scalars = (
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False)
)
anything = scalars | st.text(max_size=20) | st.lists(st.text(max_size=5), max_size=3)


@given(st.sampled_from(sorted(conditions.OPERATORS)), st.text(min_size=1, max_size=40), anything)
def test_no_value_of_a_contact_makes_a_condition_fail(operator: str, value: str, held: Any) -> None:
    problems: dict[str, str] = {}
    condition = conditions.read_condition(
        {"variable": "contact.x", "operator": operator, "value": value}, "p", problems
    )
    if condition is None:
        assert problems  # a character that cannot be sent
        return
    assert _holds(condition, held) in (True, False)
    source = conditions.opening(condition, None) + conditions.closing(condition, None)
    assert template_rules.faults(source, template_rules.Vocabulary(defaults={"contact.x": 1})) == []


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("One\ntwo\n\n3 & <", '<p style="margin:0 0 12px">One<br>two</p><p style="margin:0">3 &amp; &lt;</p>'),
        ("<b>x</b> <i>y</i>", '<p style="margin:0"><strong>x</strong> <em>y</em></p>'),
        ("<div>a</div><div>b</div>", '<p style="margin:0 0 12px">a</p><p style="margin:0">b</p>'),
        ("<ul><li>a<li><b>b</ul>", '<ul style="margin:0;padding-left:24px"><li>a<li><strong>b</strong></ul>'),
        ("<p onclick='x' style='position:fixed'>a<script>b</script><img src=x></p>", '<p style="margin:0">a</p>'),
        ("<p>{{ contact.name|default(\"<b>\") }}</p>", '<p style="margin:0">{{ contact.name|default("<b>") }}</p>'),
        ("<p>a</b></ul></p></p>b", '<p style="margin:0 0 12px">a</p><p style="margin:0">b</p>'),
    ],
)  # fmt: skip
def test_rich_text_is_written_anew(source: str, written: str) -> None:
    assert rich.written(source, "#000000").replace("</li>", "") == written


def test_links_of_rich_text_keep_their_placeholders() -> None:
    written = rich.written('<a href="https://x.example/{{ contact.id }}?a=1&amp;b=2" title=x>go</a>', "#112233")
    assert written == (
        '<p style="margin:0"><a href="https://x.example/{{ contact.id }}?a=1&amp;b=2" target="_blank"'
        ' style="color:#112233;text-decoration:underline">go</a></p>'
    )


def test_placeholders_that_an_editing_area_changed_are_understood() -> None:
    done = compiled({"type": "text", "text": "<p>{{&nbsp;contact.value &gt; 5&nbsp;}}</p>"})
    assert "{{ contact.value > 5 }}" in done.html


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Co", "Cc"]), max_size=200))
def test_any_words_come_out_as_they_went_in(text: str) -> None:
    if "{{" in text or "{%" in text or "{#" in text:
        return
    done = compiled({"type": "heading", "text": text or "x"})
    import html as standard

    inner = filled(done.html).split('line-height:1.25">')[1].split("</h1>")[0]
    assert standard.unescape(inner) == (text or "x")
