"""`/api/v1/segments/`: segments, who is in them, and what a rule says about whom. Found by id or slug."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.pagination import CursorPages
from common.api.views import ApiViewSet
from common.errors import Invalid
from segments import rules, selectors, services
from segments.api import shapes
from segments.api.insight import InsightActions
from segments.models import Membership, Segment
from segments.rules import catalogue

LEAD = OpenApiParameter("lead_id", int, OpenApiParameter.PATH)


class SegmentFilter(django_filters.FilterSet):
    name = django_filters.CharFilter(lookup_expr="icontains")
    tag = django_filters.CharFilter(field_name="tags", lookup_expr="contains", method="tagged")

    class Meta:
        model = Segment
        fields = ["name", "kind", "status", "is_active", "tag"]

    def tagged(self, queryset: QuerySet[Segment], name: str, value: str) -> QuerySet[Segment]:
        return queryset.filter(tags__contains=[value])


class LeadPages(CursorPages):
    # The index of open memberships is (segment, contact): a page is read straight from it.
    ordering = "-contact_id"


class SegmentViewSet(InsightActions, ApiViewSet):
    """Live groups of contacts (leads): chosen by a rule (dynamic) or by hand (static)."""

    resource = "segments"
    reading_actions = ("evaluate",)
    serializer_class = shapes.SegmentSerializer
    filterset_class = SegmentFilter
    lookup_field = "reference"
    lookup_value_regex = "[-a-zA-Z0-9_]{1,100}"

    def get_queryset(self) -> QuerySet[Segment]:
        return Segment.objects.select_related("figures")

    def list(self, request: Request) -> Response:
        """Newest first; `limit` and `cursor` page."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        context = {"catalogue": catalogue.load()}
        return self.get_paginated_response(shapes.SegmentSerializer(page, many=True, context=context).data)

    def get_object(self) -> Segment:
        return selectors.find(self.kwargs["reference"])

    def retrieve(self, request: Request, reference: str) -> Response:
        return _answer(selectors.find(reference))

    @extend_schema(request=shapes.SegmentInput, responses={201: shapes.SegmentSerializer})
    def create(self, request: Request) -> Response:
        """With a rule the segment is dynamic and is built in the background: `status` goes to `ready`."""
        return _answer(services.create_segment(**_read(shapes.SegmentInput, request)), status=201)

    @extend_schema(request=shapes.SegmentInput)
    def update(self, request: Request, reference: str) -> Response:
        """A changed rule becomes a new version; the old membership serves until it is built."""
        return self._update(request, reference, partial=False)

    @extend_schema(request=shapes.SegmentInput)
    def partial_update(self, request: Request, reference: str) -> Response:
        return self._update(request, reference, partial=True)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, reference: str) -> Response:
        """Refused (409) while something refers to the segment; `details` names each by its page."""
        services.delete_segment(selectors.find(reference))
        return Response(status=204)

    @extend_schema(request=shapes.EvaluateInput, responses=shapes.EvaluationSerializer)
    @action(detail=True, methods=["post"])
    def evaluate(self, request: Request, reference: str) -> Response:
        """Judge contacts now, or give size and sample; nothing is written. A `rule` is tried instead of its own."""
        segment = selectors.find(reference)
        data = _read(shapes.EvaluateInput, request)
        raw = data.get("rule", segment.rule)
        if raw is None:
            return Response(_static_evaluation(segment, data.get("lead_ids")))
        rule = rules.parse(raw) if "rule" in data else rules.parse_stored(raw)
        answer: dict[str, Any] = {"sentence": rules.sentence(rule)}
        if "lead_ids" in data:
            found = selectors.verdicts(rule, data["lead_ids"])
            return Response(answer | {"results": shapes.VerdictSerializer(found, many=True).data})
        preview = selectors.preview(rule)
        return Response(answer | {"size": preview.size, "sample": _sample(preview.sample)})

    @extend_schema(request=None, responses={202: shapes.SegmentSerializer})
    @action(detail=True, methods=["post"], url_path="update-memberships")
    def update_memberships(self, request: Request, reference: str) -> Response:
        """Have everybody looked at again in the background."""
        return _answer(services.request_rebuild(selectors.find(reference)), status=202)

    @extend_schema(request=None, responses=shapes.SegmentSerializer)
    @action(detail=True, methods=["post"], url_path="cancel-build")
    def cancel_build(self, request: Request, reference: str) -> Response:
        """Stop a build (409 when there is none). The rule whose members stand is put back as a new version."""
        return _answer(services.cancel_build(selectors.find(reference)))

    # --- who is in it -----------------------------------------------------------------------------------

    @extend_schema(responses=shapes.LeadSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=LeadPages, filterset_class=None)
    def leads(self, request: Request, reference: str) -> Response:
        """Who is in the segment now."""
        members = selectors.memberships(selectors.find(reference)).values(*shapes.LEAD_COLUMNS)
        page = self.paginate_queryset(members)  # type: ignore[arg-type]
        return self.get_paginated_response(shapes.leads(page or []))  # type: ignore[arg-type]

    @extend_schema(request=shapes.LeadIdsInput, responses=shapes.LeadsChangedSerializer)
    @leads.mapping.post
    def add_leads(self, request: Request, reference: str) -> Response:
        """Put contacts into a static segment."""
        return self._change_leads(request, reference, services.add_contacts)

    @extend_schema(request=shapes.LeadIdsInput, responses=shapes.LeadsChangedSerializer)
    @action(detail=True, methods=["post"], url_path="leads/remove")
    def remove_leads(self, request: Request, reference: str) -> Response:
        """Take contacts out of a static segment."""
        return self._change_leads(request, reference, services.remove_contacts)

    @extend_schema(parameters=[LEAD], responses=shapes.LeadSerializer)
    @action(detail=True, methods=["get"], url_path=r"leads/(?P<lead_id>[0-9]{1,18})")
    def lead(self, request: Request, reference: str, lead_id: str) -> Response:
        """One contact's membership; 404 when it is not in the segment."""
        return Response(shapes.LeadSerializer(_membership(selectors.find(reference), lead_id)).data)

    @extend_schema(parameters=[LEAD], responses={204: None})
    @lead.mapping.delete
    def remove_lead(self, request: Request, reference: str, lead_id: str) -> Response:
        """Take one contact out of a static segment."""
        segment = selectors.find(reference)
        membership = _membership(segment, lead_id)
        services.remove_contacts(segment, [membership.contact_id])
        return Response(status=204)

    # --- shared -----------------------------------------------------------------------------------------

    def _update(self, request: Request, reference: str, *, partial: bool) -> Response:
        changes = _read(shapes.SegmentInput, request, partial=partial)
        return _answer(services.update_segment(selectors.find(reference), **changes))

    def _change_leads(self, request: Request, reference: str, service: Any) -> Response:
        segment = selectors.find(reference)
        wanted = _read(shapes.LeadIdsInput, request)["lead_ids"]
        changed = service(segment, wanted)
        segment.refresh_from_db(fields=["member_count"])
        unchanged = sorted(set(wanted) - set(changed))
        return Response({"changed": changed, "unchanged": unchanged, "member_count": segment.member_count})


def _read(serializer_class: Any, request: Request, *, partial: bool = False) -> Any:
    echoed = shapes.ECHOED if serializer_class is shapes.SegmentInput else frozenset()
    if not isinstance(request.data, dict):
        raise Invalid("The body must be a JSON object.")
    return shapes.read(serializer_class, request.data, partial=partial, echoed=echoed)


def _answer(segment: Segment, status: int = 200) -> Response:
    segment.refresh_from_db()
    return Response(shapes.SegmentSerializer(segment).data, status=status)


def _membership(segment: Segment, lead_id: str) -> Membership:
    membership = selectors.memberships(segment).filter(contact=int(lead_id)).first()
    if membership is None:
        raise Http404
    return membership


def _sample(contacts: Any) -> Any:
    return shapes.SampleSerializer(contacts, many=True).data


def _static_evaluation(segment: Segment, lead_ids: list[int] | None) -> dict[str, Any]:
    """A static segment has no rule: the answer is who stands in it."""
    members = selectors.memberships(segment)
    if lead_ids is None:
        sample = [membership.contact for membership in members[: selectors.PREVIEW_SAMPLE]]
        return {"sentence": "", "size": segment.member_count, "sample": _sample(sample)}
    inside = set(members.filter(contact__in=lead_ids).values_list("contact_id", flat=True))
    found = [selectors.Verdict(lead_id, lead_id in inside, None) for lead_id in sorted(set(lead_ids))]
    return {"sentence": "", "results": shapes.VerdictSerializer(found, many=True).data}
