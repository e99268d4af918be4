"""Analyses as work, settings and drafts: what is written, what is kept, and what a refusal leaves alone."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from accounts.models import AuditEntry, Organization
from common import clock, doorbell, tenancy
from common.errors import Invalid, NotFound
from common.models import WorkStatus
from segments.models import Analysis, AnalysisKind, Finding, PatternSettings, Segment, SegmentKind
from segments.patterns import analyses, meaning, selectors, services
from segments.patterns.meaning import Meaning
from segments.services import update_segment
from segments.tasks import analyse
from segments.tests.patterns.shop import ORDER, ago, buy, computed, people, shop
from segments.tests.people import attribute, contact, definition, event, events

pytestmark = pytest.mark.usefixtures("at_noon")
PATTERNS = AnalysisKind.PATTERNS


def spenders() -> None:
    shop()
    buy([(who, 5, 10.0 * number) for number, who in enumerate(people(30), 1)])


# --- work ------------------------------------------------------------------------------------------


def test_what_waits_is_asked_for_once_and_found_by_the_sweep(organization: Organization) -> None:
    first, second = analyses.request(PATTERNS), analyses.request(PATTERNS)

    assert first.pk == second.pk
    assert analyses.organizations_due() == [organization.pk]
    assert doorbell.drain(organization.pk) >= 1
    assert analyses.organizations_due() == []


def test_what_is_asked_for_while_it_is_computed_is_computed_once_more(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def asks_again(said: Meaning) -> analyses.Computed:
        asked.append(said)
        if len(asked) == 1:
            with clock.travel(timedelta(seconds=1)):
                analyses.request(PATTERNS)
        return [], {}

    monkeypatch.setitem(analyses.COMPUTE, PATTERNS, asks_again)
    analyses.request(PATTERNS)
    doorbell.drain(organization.pk)

    assert len(asked) == 2
    assert selectors.report(PATTERNS).status == WorkStatus.DONE


def test_two_workers_do_not_compute_the_same(organization: Organization) -> None:
    spenders()
    analyses.request(PATTERNS)
    parameters = connection.get_connection_params()
    for name in ("assume_role", "cursor_factory", "context"):
        parameters.pop(name, None)
    with psycopg.connect(**parameters) as other:
        lock = "SELECT pg_advisory_xact_lock(hashtextextended('segments.analyses.patterns', %s))"
        other.execute(lock, [organization.pk])
        assert analyses.run(organization.pk) == 0
        other.rollback()

        assert analyses.run(organization.pk) == 1


def test_every_night_all_organisations_with_events_are_computed_again(
    organization: Organization, stranger: Organization
) -> None:
    spenders()
    computed()

    analyse()

    assert analyses.organizations_due() == [organization.pk]
    assert {row.kind: row.status for row in Analysis.objects.all()} == {
        "patterns": WorkStatus.PENDING, "suggestions": WorkStatus.PENDING
    }  # fmt: skip
    assert Finding.objects.filter(key="high-spender").exists()  # the last one stands meanwhile


def test_a_failure_is_told_and_keeps_what_was_found(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    spenders()
    found = computed()

    def fails(said: Meaning) -> analyses.Computed:
        Finding.objects.all().delete()
        raise ZeroDivisionError("division by zero")

    monkeypatch.setitem(analyses.COMPUTE, PATTERNS, fails)
    analyses.request(PATTERNS)
    assert analyses.run(organization.pk) == 1

    report = selectors.report(PATTERNS)
    assert (report.status, report.error) == (WorkStatus.FAILED, "division by zero")
    assert [finding.key for finding in report.findings] == list(found)
    assert analyses.run(organization.pk) == 0


def test_what_is_no_longer_there_goes_and_what_stays_keeps_its_draft() -> None:
    spenders()
    draft = services.create_draft(computed()["high-spender"])
    buy([(who, 4, 10) for who in people(1)])
    Finding.objects.create(
        analysis=Analysis.objects.get(), key="of-old", group="", title="Of old", reason="", size=1, position=9
    )

    found = computed()

    assert found["high-spender"].segment_id == draft.pk
    assert "of-old" not in found


def test_nothing_that_serves_requests_or_works_loads_scikit_learn() -> None:
    program = (
        "import django; django.setup(); import marketing_site.urls, marketing_site.wiring, sys; "
        "sys.exit(sum(name in sys.modules for name in ('sklearn', 'scipy', 'numpy')))"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# --- settings --------------------------------------------------------------------------------------


def test_meaning_is_detected_from_the_catalogue() -> None:
    definition("Order Completed", revenue="number", tax="number", products="list", at="date")
    definition("page_viewed", url="text")
    who = contact(city="Leeds", country="UK")
    contact(city="York", country="UK")
    events([(who.pk, "Order Completed", ago(1), {"products": [{"title": "Cup", "category": "Tea"}]})])

    assert meaning.load().as_json() == {
        "purchase_event": "Order Completed",
        "money_property": "revenue",
        "lines_property": "products",
        "product_property": "title",
        "category_property": "category",
        "location_field": "city",
        "goal_event": "Order Completed",
        "window_days": 90,
        "top_percent": 10,
    }


def test_an_empty_catalogue_means_nothing() -> None:
    assert meaning.load() == Meaning()


def test_settings_go_before_what_is_detected_and_are_audited() -> None:
    shop()
    definition("card_used", amount="number", shop="text")

    saved = services.save_settings(PatternSettings(purchase_event="card_used", window_days=30))

    said = meaning.load()
    assert (said.purchase_event, said.money_property, said.window_days) == ("card_used", "amount", 30)
    entry = AuditEntry.objects.get(object_type="segments.patternsettings")
    assert (entry.action, entry.object_id) == ("create", str(saved.pk))
    assert set(Analysis.objects.values_list("status", flat=True)) == {WorkStatus.PENDING}
    saved.top_percent = 5
    services.save_settings(saved)
    assert AuditEntry.objects.filter(object_type="segments.patternsettings", action="change").get().after == {
        "top_percent": 5
    }


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"purchase_event": "order_complete"}, "purchase_event",
         "Nobody has sent “order_complete” yet; choose an event of the catalogue."),
        ({"goal_event": "x"}, "goal_event", "Nobody has sent “x” yet; choose an event of the catalogue."),
        ({"money_property": "note"}, "money_property", "“note” must be a number; it is text."),
        ({"money_property": "sum"}, "money_property", "“sum” must be a number; the purchase has no such property."),
        ({"lines_property": "total"}, "lines_property", "“total” must be a list; it is number."),
        ({"location_field": "town"}, "location_field",
         "“town” is no text field of contacts; write city, country or attributes.<name>."),
        ({"location_field": "attributes.age"}, "location_field",
         "“attributes.age” is no text field of contacts; write city, country or attributes.<name>."),
        ({"window_days": 3}, "window_days", "Ensure this value is greater than or equal to 7."),
        ({"top_percent": 60}, "top_percent", "Ensure this value is less than or equal to 50."),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_refused_and_write_nothing(wrong: dict, field: str, sentence: str) -> None:
    shop(note="text")
    attribute("age", "number")

    with pytest.raises(Invalid) as refusal:
        services.save_settings(PatternSettings(**wrong))

    assert refusal.value.details == {field: sentence}
    assert not PatternSettings.objects.exists()
    assert not AuditEntry.objects.filter(object_type="segments.patternsettings").exists()
    assert not Analysis.objects.exists()


def test_there_is_one_row_of_settings() -> None:
    services.save_settings(PatternSettings())

    with pytest.raises(Invalid, match="change those"):
        services.save_settings(PatternSettings())

    assert PatternSettings.objects.count() == 1


# --- drafts ----------------------------------------------------------------------------------------


def test_a_draft_is_an_inactive_segment_with_the_rule_and_its_reason() -> None:
    spenders()
    finding = computed()["high-spender"]

    segment = services.create_draft(finding)

    assert (segment.name, segment.kind, segment.is_active) == ("High spenders", SegmentKind.DYNAMIC, False)
    assert (segment.rule, segment.description, segment.tags) == (finding.rule, finding.reason, ["pattern"])
    assert AuditEntry.objects.get(object_type="segments.segment").action == "create"
    assert services.create_draft(finding).pk == segment.pk
    assert Segment.objects.count() == 1


def test_an_activated_draft_holds_as_many_as_the_pattern_said(organization: Organization) -> None:
    spenders()
    finding = computed()["high-spender"]
    segment = services.create_draft(finding)

    update_segment(segment, is_active=True)
    doorbell.drain(organization.pk)

    segment.refresh_from_db()
    assert (segment.member_count, finding.size) == (4, 4)


def test_a_list_of_fans_holds_todays_people() -> None:
    shop(lines="list")
    crowd = people(20)
    events([(who.pk, ORDER, ago(day + 1), {"total": 5, "lines": [{"name": "A/B <cup>"}]})
            for number, who in enumerate(crowd) for day in range(2 if number < 12 else 1)])  # fmt: skip
    finding = next(item for item in computed().values() if item.title == "Fans of A/B <cup>")

    segment = services.create_draft(finding)

    segment.refresh_from_db()
    assert (segment.kind, segment.member_count) == (SegmentKind.STATIC, 12)
    assert "/" not in finding.key


def test_a_square_makes_a_draft_and_a_wrong_one_writes_nothing() -> None:
    spenders()
    with pytest.raises(NotFound, match="no RFM grid"):
        services.create_square_draft(None, 5, 5)
    computed()
    squares = selectors.report(PATTERNS).grid
    with pytest.raises(Invalid, match="from 1 to 5"):
        services.create_square_draft(squares, 6, 1)
    assert not Segment.objects.exists()

    segment = services.create_square_draft(squares, 5, 1, 5)

    assert segment.name == "RFM: R5 F1 M5"
    assert not segment.is_active


def test_a_stranger_sees_no_finding(stranger: Organization) -> None:
    spenders()
    computed()

    with tenancy.organization(stranger.pk):
        assert selectors.report(PATTERNS).findings == ()
        with pytest.raises(NotFound):
            selectors.finding(PATTERNS, "high-spender")


def test_events_dated_ahead_are_not_counted_yet() -> None:
    spenders()
    event(contact(), ORDER, ago(-5), total=1_000_000)

    assert computed()["high-spender"].evidence["threshold"] == 270
