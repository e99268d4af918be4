"""Every write of patterns that somebody asks for: settings, computing again, drafts."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from common.errors import Invalid, NotFound
from segments import services as segments
from segments.models import AnalysisKind, Finding, PatternSettings, Segment, SegmentKind
from segments.patterns import analyses, facts, favourites, grid, meaning
from segments.patterns.grid import Grid
from segments.rules import catalogue
from segments.rules.catalogue import Catalogue
from segments.rules.tree import Kind

TAG = "pattern"
BLOCK = 10_000


def save_settings(settings: PatternSettings) -> PatternSettings:
    """Say what means what; there is one row of it. Both analyses are computed again. Raises `Invalid` by field."""
    details = _problems(settings, catalogue.load())
    if details:
        raise Invalid("These settings cannot be used.", details=details)
    with transaction.atomic():
        if settings._state.adding:
            if PatternSettings.objects.exists():
                raise Invalid("There are pattern settings already; change those.", code="exists")
            settings.save()
            audit.created(settings)
        else:
            with audit.changing(settings):
                settings.save()
        for kind in AnalysisKind:
            analyses.request(kind)
    return settings


def _problems(settings: PatternSettings, known: Catalogue) -> dict[str, str]:
    """What does not fit the catalogue, by field."""
    try:
        settings.clean_fields(exclude=["organization_id"])
    except ValidationError as error:
        return {name: " ".join(sentences) for name, sentences in error.message_dict.items()}
    problems = {
        name: f"Nobody has sent “{event}” yet; choose an event of the catalogue."
        for name in ("purchase_event", "goal_event")
        if (event := getattr(settings, name)) and event not in known.events
    }
    return problems or _problems_of_properties(settings, known)


def _problems_of_properties(settings: PatternSettings, known: Catalogue) -> dict[str, str]:
    event = known.events.get(settings.purchase_event or meaning.detected(known).purchase_event)
    properties = event.properties if event else {}
    problems = {}
    for name, kind in (("money_property", Kind.NUMBER), ("lines_property", Kind.LIST)):
        said = getattr(settings, name)
        if said and properties.get(said) is not kind:
            found = f"it is {properties[said]}" if said in properties else "the purchase has no such property"
            problems[name] = f"“{said}” must be a {kind}; {found}."
    if settings.location_field and known.kind_of(settings.location_field) is not Kind.TEXT:
        problems["location_field"] = (
            f"“{settings.location_field}” is no text field of contacts; write city, country or attributes.<name>."
        )
    return problems


def create_draft(finding: Finding) -> Segment:
    """An inactive segment with the finding's rule, or the list of today's people; asked twice, it is the same one."""
    with transaction.atomic():
        finding = Finding.objects.select_for_update().get(pk=finding.pk)
        if finding.segment is not None:
            return finding.segment
        if finding.rule is None:
            finding.segment = _list_of_today(finding)
        else:
            finding.segment = segments.create_segment(
                name=finding.title, rule=finding.rule, description=finding.reason, tags=[TAG], is_active=False
            )
        finding.save(update_fields=["segment"])
    return finding.segment


def _list_of_today(finding: Finding) -> Segment:
    segment = segments.create_segment(
        name=finding.title, kind=SegmentKind.STATIC, description=finding.reason, tags=[TAG]
    )
    members = favourites.members(facts.gather(meaning.load()), finding.evidence)
    for start in range(0, len(members), BLOCK):
        segments.add_contacts(segment, members[start : start + BLOCK])
    return segment


def create_square_draft(squares: Grid | None, recency: int, frequency: int, monetary: int | None = None) -> Segment:
    """An inactive segment of one square of the RFM grid. Raises `NotFound` without a grid, `Invalid` for a score."""
    if squares is None:
        raise NotFound("There is no RFM grid yet.")
    rule = grid.rule(squares, recency, frequency, monetary)
    money = "" if monetary is None else f" M{monetary}"
    return segments.create_segment(
        name=f"RFM: R{recency} F{frequency}{money}",
        rule=rule,
        description=grid.bounds(squares, recency, frequency),
        tags=[TAG],
        is_active=False,
    )
