"""What the rule builder finds on its page: the language, segments to refer to, and ready rules that can be read."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

from django.test import Client

from accounts.models import Organization
from segments import builder, rules, services, starters
from segments.rules import catalogue
from segments.tests import people
from segments.tests.people import city, everyone

ADD = "/admin/segments/segment/add/"


def labels() -> list[str]:
    return [starter["label"] for starter in starters.offered(catalogue.load())]


def page(text: str) -> Any:
    """The JSON that stands inside the element."""
    found = re.search(r'<script id="rule-language" type="application/json">(.*?)</script>', text, re.S)
    assert found
    return json.loads(found[1])


def test_ready_rules_are_those_that_can_be_read_here(organization: Organization) -> None:
    assert labels() == ["New here", "May be written to"]

    people.definition("purchase", total="number")
    people.definition("email_sent")

    assert labels()[0] == "Recent customers"
    assert "Has stopped reading" in labels()
    for starter in starters.offered(catalogue.load()):
        rules.parse(starter["rule"])
    assert starters.offered(catalogue.load())[0]["rule"]["rules"][0]["event"] == "purchase"


def test_the_page_carries_what_the_element_needs(admin: Client, organization: Organization) -> None:
    people.definition("</script><b>bold", total="number")
    other = services.create_segment(name="Leeds", rule=everyone(city("Leeds")))

    text = admin.get(ADD).content.decode()

    found = page(text)
    assert found["language"]["segments"] == [{"name": other.pk, "label": "Leeds"}]
    assert [event["name"] for event in found["language"]["events"]] == ["</script><b>bold"]
    assert found["addresses"] == {
        "preview": "/api/v1/segments/preview",
        "values": "/api/v1/segments/suggest-values",
        "people": "/contacts/0/",
    }
    assert '<rule-builder class="rb">' in text
    assert '<script src="/static/segments/rule-builder.js" type="module">' in text
    assert "</script><b>bold" not in text


def test_a_segment_is_not_offered_those_that_lead_back_to_it(organization: Organization) -> None:
    inner = services.create_segment(name="Inner", rule=everyone(city("Leeds")))
    outer = services.create_segment(name="Outer", rule={"segment": inner.pk, "operator": "in"})

    def offered(segment_id: int | None) -> list[str]:
        return [row["label"] for row in builder.page(segment_id)["language"]["segments"]]

    assert offered(None) == ["Inner", "Outer"]
    assert offered(inner.pk) == []
    assert offered(outer.pk) == ["Inner"]


def test_the_textarea_holds_the_rule_as_json(admin: Client, organization: Organization) -> None:
    rule = everyone(city("Łódź"), {"field": "tags", "operator": "contains", "value": 'the "best"'})
    segment = services.create_segment(name="Town", rule=rule)

    text = admin.get(f"/admin/segments/segment/{segment.pk}/change/").content.decode()

    found = re.search(r"<textarea name=\"rule\".*?>(.*?)</textarea>", text, re.S)
    assert found
    assert json.loads(unescape(found[1])) == rule
    assert "Łódź" in found[1]
