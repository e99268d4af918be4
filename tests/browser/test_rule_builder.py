"""The rule builder in a browser: by mouse, by dragging, as JSON, and without any script."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from segments import estimates, samples, services
from segments.models import Segment, SegmentVersion
from tests.browser.builder import (
    ADD,
    BOUGHT,
    LEEDS,
    NESTED,
    PORTO,
    card,
    drag,
    key,
    rule,
    settled,
    write,
)
from tests.browser.town import Town


@pytest.fixture
def saved(town: Town, clean: None) -> Segment:
    return services.create_segment(name="Saved", rule=NESTED)


# --- sound ------------------------------------------------------------------------------------------------


def test_the_builder_is_sound(visit: Any, size: tuple[int, int]) -> None:
    watched = visit(ADD, size)
    assert watched.everything() == []

    write(watched.page, NESTED)
    settled(watched.page)
    assert watched.everything() == []

    watched.page.get_by_role("button", name="Ready rules").click()
    assert watched.everything() == []
    watched.page.keyboard.press("Escape")
    watched.page.get_by_role("button", name="JSON", exact=True).click()
    assert watched.everything() == []


def test_the_builder_is_sound_in_the_dark(visit: Any) -> None:
    watched = visit(ADD, color_scheme="dark")
    write(watched.page, NESTED)
    settled(watched.page)

    assert watched.everything() == []


def test_everything_can_be_hit_with_a_thumb(visit: Any) -> None:
    page = visit(ADD, (390, 844)).page
    write(page, NESTED)

    small = page.evaluate(
        """() => [...document.querySelectorAll('rule-builder :is(button, select, input)')]
           .filter(node => node.offsetParent && node.getBoundingClientRect().height < 30)
           .map(node => node.outerHTML.slice(0, 120))"""
    )
    assert small == []


# --- by mouse ---------------------------------------------------------------------------------------------


def test_a_rule_is_built_saved_and_opened_again(visit: Any, clean: None, town: Town) -> None:
    watched = visit(ADD)
    page = watched.page
    page.fill("#id_name", "Leeds buyers")
    page.get_by_role("button", name="Condition", exact=True).click()
    key(page, "rules[0]#subject").select_option("field:city")
    key(page, "rules[0]#operator").select_option(label="is one of")
    key(page, "rules[0].value").fill("Leeds")
    key(page, "rules[0].value").press("Enter")
    key(page, "rules[0].value").fill("Lyon")
    page.get_by_role("button", name="Group", exact=True).click()
    key(page, "rules[1].rules[0]#subject").select_option("event:order_completed")
    key(page, "rules[1].rules[0].count").fill("2")
    key(page, "rules[1].rules[0].within#mode").select_option("last")
    key(page, "rules[1].rules[0].within").fill("90")
    settled(page)

    built = {
        "match": "all",
        "rules": [
            {"field": "city", "operator": "in", "value": ["Leeds", "Lyon"]},
            {
                "match": "any",
                "rules": [{"event": "order_completed", "operator": "did", "count": 2, "within": {"days": 90}}],
            },
        ],
    }
    assert rule(page) == built
    sentence = page.text_content(".rb-sentence")
    assert sentence.startswith(
        "Contacts where city is one of “Leeds”, “Lyon” and order_completed happened at least 2"
    )
    page.click("[name=_continue]")
    page.wait_for_url("**/change/")

    segment = Segment.objects.get(name="Leeds buyers")
    assert segment.rule == built
    assert rule(page) == built
    assert key(page, "rules[1].rules[0].count").input_value() == "2"
    page.fill("#id_name", "Buyers of Leeds")
    page.click("[name=_continue]")
    page.wait_for_load_state()
    assert SegmentVersion.objects.filter(segment=segment).count() == 1
    assert watched.faults == []


def test_the_size_and_some_people_are_shown_with_links(visit: Any, town: Town) -> None:
    page = visit(ADD).page
    write(page, {"match": "all", "rules": [LEEDS]})
    expect(page.locator(".rb-exact")).to_be_visible()

    with page.expect_popup() as opened:
        page.locator(".rb-people a").first.click()
    opened.value.wait_for_url("**/contacts/*/")
    assert "Leeds" in opened.value.text_content("#content")
    opened.value.close()


def test_many_people_are_estimated_and_counted_on_demand(
    visit: Any, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "SAMPLE", 25)
    monkeypatch.setattr(estimates, "EXACT_UP_TO", 0)
    page = visit(ADD).page
    write(page, {"match": "all", "rules": [{"field": "source", "operator": "equals", "value": "web"}, LEEDS]})
    expect(page.locator(".rb-number")).to_contain_text("About")
    expect(page.locator(".rb-side")).to_contain_text("of 60")

    page.get_by_role("button", name="Count exactly").click()
    expect(page.locator(".rb-exact")).to_be_visible()
    cache.delete(f"segments:{town.organization_id}:sample")


def test_few_people_are_counted_as_soon_as_nobody_types(
    visit: Any, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "SAMPLE", 25)
    page = visit(ADD).page
    write(page, {"match": "all", "rules": [LEEDS]})

    expect(page.locator(".rb-exact")).to_be_visible()
    cache.delete(f"segments:{town.organization_id}:sample")


def test_values_are_suggested_from_real_data(visit: Any) -> None:
    page = visit(ADD).page
    page.get_by_role("button", name="Condition", exact=True).click()
    box = key(page, "rules[0].value")
    box.focus()
    values = "[...document.querySelectorAll('rule-builder datalist option')].map(option => option.value)"
    page.wait_for_function(f"{values}.includes('Leeds')")
    box.press_sequentially("lY")
    page.wait_for_function(f"JSON.stringify({values}) === '[\"Lyon\"]'")


def test_a_ready_rule_begins_and_is_never_in_the_way(visit: Any) -> None:
    page = visit(ADD).page
    page.get_by_role("button", name="Recent customers").click()
    assert [node.get("event") for node in rule(page)["rules"]] == ["order_completed"]

    page.get_by_role("button", name="Ready rules").click()
    page.get_by_role("menuitem", name="New here").click()
    assert [node.get("event", node.get("match")) for node in rule(page)["rules"]] == ["order_completed", "all"]


def test_what_was_typed_is_kept_when_the_card_grows(visit: Any) -> None:
    page = visit(ADD).page
    write(page, {"match": "all", "rules": [BOUGHT]})
    key(page, "rules[0].where[0].value").fill("75")
    key(page, "rules[0].where#add").click()
    key(page, "rules[0].within#mode").select_option("dates")
    key(page, "rules[0].within.from").fill("2026-01-01")
    key(page, "rules[0].within.to").fill("2026-02-01")

    leaf = rule(page)["rules"][0]
    assert leaf["where"][0] == {"property": "total", "operator": "greater", "value": 75}
    assert len(leaf["where"]) == 2
    assert leaf["within"] == {"from": "2026-01-01", "to": "2026-02-01"}


def test_cards_are_cloned_wrapped_dissolved_and_deleted(visit: Any) -> None:
    page = visit(ADD).page
    write(page, {"match": "all", "rules": [LEEDS, PORTO]})
    key(page, "rules[0]#clone").click()
    assert rule(page)["rules"] == [LEEDS, LEEDS, PORTO]

    key(page, "rules[2]#more").click()
    page.get_by_role("menuitem", name="Put into a group of its own").click()
    assert rule(page)["rules"][2] == {"match": "any", "rules": [PORTO]}

    key(page, "rules[2]#more").click()
    page.get_by_role("menuitem", name="Dissolve the group").click()
    key(page, "rules[0]#delete").click()
    assert rule(page)["rules"] == [LEEDS, PORTO]


def test_a_card_is_dragged_into_a_group_and_out_again(visit: Any) -> None:
    page = visit(ADD).page
    write(page, {"match": "all", "rules": [LEEDS, {"match": "any", "rules": [PORTO]}]})
    drag(page, key(page, "rules[0]#grip"), card(page, "rules[1].rules[0]"))
    assert rule(page) == {"match": "all", "rules": [{"match": "any", "rules": [PORTO, LEEDS]}]}

    page.get_by_role("button", name="Undo").click()
    assert rule(page)["rules"][0] == LEEDS
    drag(page, key(page, "rules[1].rules[0]#grip"), card(page, "rules[0]"))
    assert rule(page) == {"match": "all", "rules": [LEEDS, PORTO, {"match": "any", "rules": []}]}

    drag(page, key(page, "rules[0]#grip"), page.locator('[data-list="rules[2].rules"]'))
    assert rule(page) == {"match": "all", "rules": [PORTO, {"match": "any", "rules": [LEEDS]}]}
    drag(page, key(page, "rules[1]#grip"), card(page, "rules[0]"))
    assert sorted(node.get("match", "leaf") for node in rule(page)["rules"]) == ["any", "leaf"]


def test_of_a_large_rule_only_what_is_in_sight_is_laid_out(visit: Any) -> None:
    page = visit(ADD).page
    groups = [{"match": "any", "rules": [LEEDS, BOUGHT] * 10} for _ in range(20)]
    write(page, {"match": "all", "rules": groups})
    page.evaluate("window.scrollTo(0, 0); document.querySelector('#main, main, body').scrollTo?.(0, 0)")

    seen = "node => node.checkVisibility({contentVisibilityAuto: true})"
    page.wait_for_function(
        "document.querySelectorAll('.rb-leaf').length === 400 && "
        f"![...document.querySelectorAll('.rb-leaf .rb-fields')].slice(100).some({seen})"
    )
    assert card(page, "rules[0].rules[0]").locator(".rb-fields").evaluate(seen)


# --- problems and JSON --------------------------------------------------------------------------------------


def test_a_problem_stands_beside_its_field(visit: Any) -> None:
    page = visit(ADD).page
    write(page, {"match": "all", "rules": [{"match": "any", "rules": [LEEDS, BOUGHT | {"count": 0}]}]})
    box = key(page, "rules[0].rules[1].count")
    expect(box).to_have_attribute("aria-invalid", "true")
    line = page.locator(f"#{box.get_attribute('aria-describedby')}")
    assert "expected a whole number from 1 to 10,000, got 0" in (line.text_content() or "")

    box.fill("3")
    expect(page.locator(".rb-stage .rb-problem")).to_have_count(0)


def test_a_list_with_a_wrong_value_says_what_is_wrong(visit: Any) -> None:
    page = visit(ADD).page
    write(page, {"match": "all", "rules": [{"field": "value_minor", "operator": "in", "value": [5, "six"]}]})

    expect(page.locator(".rb-stage .rb-problem")).to_contain_text('expected a number, got "six"')


def test_a_new_condition_is_not_scolded_until_it_is_left(visit: Any) -> None:
    page = visit(ADD).page
    page.get_by_role("button", name="Condition", exact=True).click()
    expect(page.locator(".rb-unfinished")).to_be_visible()
    assert page.locator(".rb-stage .rb-problem").count() == 0

    page.focus("#id_name")
    expect(page.locator(".rb-stage .rb-problem")).to_have_text("errorFill this in.")


def test_json_goes_both_ways(visit: Any) -> None:
    page = visit(ADD).page
    write(page, LEEDS)
    assert key(page, "rules[0].value").input_value() == "Leeds"
    key(page, "rules[0].value").fill("Lyon")

    page.get_by_role("button", name="JSON", exact=True).click()
    assert rule(page) == {"match": "all", "rules": [LEEDS | {"value": "Lyon"}]}
    page.fill("#id_rule", '{"match": "all",')
    page.get_by_role("button", name="Build", exact=True).click()
    expect(page.locator(".rb-json .rb-problem")).to_contain_text("This is not JSON yet")
    assert page.locator("#id_rule").is_visible()
    page.fill("#id_rule", '{"match": "all", "rules": [{"match": "any", "rules": 5}]}')
    expect(page.locator(".rb-json .rb-problem")).to_have_text("rules[0].rules: expected a list of conditions.")


def test_a_refused_rule_comes_back_as_it_was_sent(visit: Any, clean: None) -> None:
    page = visit(ADD).page
    page.fill("#id_name", "Wrong")
    page.get_by_role("button", name="JSON", exact=True).click()
    page.fill("#id_rule", '{"match": "all", "rules": [')
    page.click("[name=_save]")
    page.wait_for_load_state()

    assert page.input_value("#id_rule") == '{"match": "all", "rules": ['
    assert page.locator("#id_rule").is_visible()
    assert not Segment.objects.filter(name="Wrong").exists()


def test_a_rule_of_another_time_is_shown_and_kept(visit: Any, saved: Segment) -> None:
    odd = {"match": "all", "rules": [{"field": "attributes.gone", "operator": "vanished", "value": {"deep": [1]}}]}
    Segment.objects.filter(pk=saved.pk).update(rule=odd)
    watched = visit(f"/admin/segments/segment/{saved.pk}/change/")

    expect(watched.page.locator(".rb-stage .rb-problem")).to_contain_text("unknown field")
    assert rule(watched.page) == odd
    assert watched.faults == []


# --- around it ----------------------------------------------------------------------------------------------


def test_a_segment_of_hand_picked_people_has_no_rule(visit: Any, clean: None) -> None:
    page = visit(ADD).page
    page.fill("#id_name", "Friends of the house")
    page.select_option("#id_kind", "static")
    assert not page.locator("rule-builder").is_visible()
    page.click("[name=_save]")
    page.wait_for_load_state()

    assert Segment.objects.get(name="Friends of the house").kind == "static"


def test_without_scripts_the_rule_is_written_as_json(visit: Any, saved: Segment) -> None:
    page = visit(f"/admin/segments/segment/{saved.pk}/change/", java_script_enabled=False).page

    assert json.loads(page.locator("#id_rule").input_value()) == NESTED
    assert page.evaluate("getComputedStyle(document.querySelector('#id_rule')).display") != "none"
