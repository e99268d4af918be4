"""Templates are written by marketers and read as programs: they may not loop, look inside or reach out."""

from __future__ import annotations

import time

import pytest

from tests.hostile.conftest import Attacker, refusal
from tests.hostile.snapshot import unchanged
from tests.hostile.town import Town

TEMPLATES: dict[str, str] = {
    "a class": "{{ contact.__class__ }}",
    "the whole way down": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "by attr": "{{ contact|attr('__class__') }}",
    "by map": "{{ [contact]|map(attribute='__class__')|list }}",
    "by joined text": "{{ contact['__cla' ~ 'ss__'] }}",
    "globals": "{{ self.__init__.__globals__ }}",
    "cycler": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "lipsum": "{{ lipsum.__globals__ }}",
    "format": "{{ '{0.__class__}'.format(contact) }}",
    "format filter": "{{ '%s'|format(contact) }}",
    "settings": "{{ settings.SECRET_KEY }}",
    "request": "{{ request }}",
    "config": "{{ config }}",
    "include": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as os %}{{ os }}",
    "extends": "{% extends 'base.html' %}",
    "from": "{% from 'x' import y %}",
    "an endless loop": "{% for i in range(10**9) %}x{% endfor %}",
    "loops in loops": "{% for a in range(999) %}" * 3 + "x" + "{% endfor %}" * 3,
    "a macro that calls itself": "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "a power": "{{ 9**9**9 }}",
    "a long text": "{{ 'x' * 10**9 }}",
    "a shift": "{{ 1 << 10**9 }}",
    "doubling": "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}",
    "a list that grows": "{% set l = [1] %}" + "{% set l = l + l %}" * 60 + "{{ l }}",
    "joins": "{{ ('x' * 100000)|list|join('x' * 100000) }}",
    "padding": "{{ 'x'|center(10**9) }}",
    "indent": "{{ 'x'|indent(10**9, true) }}",
    "unfinished": "{{ contact.name",
    "an unknown filter": "{{ contact.name|explode }}",
    "an unknown variable": "{{ nobody.name }}",
    "a missing field": "{{ contact.shoe_size }}",
    "too deep": "{% if 1 %}" * 3000 + "{% endif %}" * 3000,
    "deep brackets": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "a script link": '<a href="javascript:alert(1)">x</a>',
    "a NUL": "a\x00b",
}


def _fits(part: str, source: str) -> bool:
    """A subject is short, and only HTML has links with a target of their own."""
    return part == "html" or not (source.startswith("<a") or (part == "subject" and len(source) > 300))


CASES = [
    (name, part) for name, source in TEMPLATES.items() for part in ("html", "subject", "text") if _fits(part, source)
]


@pytest.mark.parametrize(("name", "part"), CASES, ids=[f"{name} in {part}" for name, part in CASES])
def test_a_template_that_reaches_out_is_not_published(attacker: Attacker, home: Town, name: str, part: str) -> None:
    source = TEMPLATES[name]
    words = {"name": "Bad", "subject": "Hello", "html": "<p>Hello</p>", part: source}
    made = attacker.ask("post", "email-templates/", words)
    if made.status_code >= 400:
        refusal(made)
        return
    started = time.process_time()

    with unchanged():
        answer = attacker.ask("post", f"email-templates/{made.json()['id']}/publish/")
        preview = attacker.ask("post", f"email-templates/{made.json()['id']}/preview/", {"contact_id": home.contact})

    assert refusal(answer)["details"]
    refusal(preview)
    assert time.process_time() - started < 8


LINES = [
    "Hello\r\nBcc: victim@example.com",
    "Hello\nX-Spam: no",
    "Hello\r\n\r\n<script>alert(1)</script>",
    "a\u2028b\u0085c\x0bd",
]


@pytest.mark.parametrize("line", LINES)
def test_line_breaks_in_a_subject_make_no_header(attacker: Attacker, home: Town, line: str) -> None:
    made = attacker.ask("post", "email-templates/", {"name": "Bad", "subject": line, "html": "<p>Hello</p>"})
    if made.status_code == 201:
        attacker.ask("post", f"email-templates/{made.json()['id']}/publish/")
        shown = attacker.ask("post", f"email-templates/{made.json()['id']}/preview/", {"contact_id": home.contact})
        assert shown.status_code == 200
