"""`/api/v1/viral/…`: programmes, codes, referrals, rewards and the coefficient."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import django_filters
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from audience.models import Contact
from common.api import periods
from common.api.views import ApiView, ApiViewSet
from common.errors import Invalid, NotFound
from viral import selectors, services
from viral.api import serializers as shapes
from viral.domain import codes as rules
from viral.models import Program, Referral, ReferralCode, ReferralStatus, Reward, RewardSide, RewardStatus

PROGRAM = OpenApiParameter("program", int, description="Only this programme.")


class ProgramFilter(django_filters.FilterSet):
    is_active = django_filters.BooleanFilter()
    slug = django_filters.CharFilter()

    class Meta:
        model = Program
        fields: list[str] = []


class ProgramViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Refer-a-friend programmes."""

    resource = "viral"
    queryset = Program.objects.all()
    serializer_class = shapes.ProgramSerializer
    filterset_class = ProgramFilter
    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(request=shapes.ProgramInput, responses={201: shapes.ProgramSerializer})
    def create(self, request: Request) -> Response:
        program = services.create_program(_read(shapes.ProgramInput, request))
        return Response(self.get_serializer(program).data, status=201)

    @extend_schema(request=shapes.ProgramInput)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change some fields; links that were shared follow a new landing page at once."""
        program = services.update_program(self.get_object(), _read(shapes.ProgramInput, request, partial=True))
        return Response(self.get_serializer(program).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Only while nobody was invited by it; afterwards switch it off."""
        services.delete_program(self.get_object())
        return Response(status=204)


class CodeFilter(django_filters.FilterSet):
    program = django_filters.NumberFilter(field_name="program_id")
    contact = django_filters.NumberFilter(field_name="contact_id")
    code = django_filters.CharFilter(lookup_expr="iexact")

    class Meta:
        model = ReferralCode
        fields: list[str] = []


class CodeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Contacts' codes and share links."""

    resource = "viral"
    queryset = ReferralCode.objects.select_related("program")
    serializer_class = shapes.CodeSerializer
    filterset_class = CodeFilter
    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(request=shapes.CodeInput, responses=shapes.SharedCodeSerializer)
    def create(self, request: Request) -> Response:
        """The contact's code with link and share kit; made with the first request, the same ever after."""
        data = _read(shapes.CodeInput, request)
        code = services.code_of(_program(data), _contact(data))
        code.share_kit = asdict(services.kit_of(code))  # type: ignore[attr-defined]
        return Response(shapes.SharedCodeSerializer(code).data)


class ReferralFilter(django_filters.FilterSet):
    status = django_filters.MultipleChoiceFilter(choices=ReferralStatus.choices)
    program = django_filters.NumberFilter(field_name="program_id")
    inviter = django_filters.NumberFilter(field_name="inviter_id")
    invitee = django_filters.NumberFilter(field_name="invitee_id")
    code = django_filters.CharFilter(field_name="code__code", lookup_expr="iexact")
    created_after = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    qualified_after = django_filters.IsoDateTimeFilter(field_name="qualified_at", lookup_expr="gte")
    qualified_before = django_filters.IsoDateTimeFilter(field_name="qualified_at", lookup_expr="lt")

    class Meta:
        model = Referral
        fields: list[str] = []


class ReferralViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Who invited whom, and how far it came."""

    resource = "viral"
    queryset = Referral.objects.select_related("code")
    serializer_class = shapes.ReferralSerializer
    filterset_class = ReferralFilter
    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(
        request=shapes.InvitationInput, responses={201: shapes.ReferralSerializer(many=True)}, filters=False
    )
    def create(self, request: Request) -> Response:
        """Note whom a contact invited by e-mail; we do not write to them. Repeating it changes nothing."""
        data = _read(shapes.InvitationInput, request)
        code = ReferralCode.objects.select_related("program").filter(code=rules.read(data["code"])).first()
        if code is None:
            raise NotFound("There is no such code.")
        return Response(
            self.get_serializer(services.note_invitations(code, data["emails"]), many=True).data, status=201
        )


class RewardFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=RewardStatus.choices)
    side = django_filters.ChoiceFilter(choices=RewardSide.choices)
    contact = django_filters.NumberFilter(field_name="contact_id")
    referral = django_filters.NumberFilter(field_name="referral_id")
    program = django_filters.NumberFilter(field_name="referral__program_id")

    class Meta:
        model = Reward
        fields: list[str] = []


class RewardViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """The rewards ledger."""

    resource = "viral"
    queryset = Reward.objects.all()
    serializer_class = shapes.RewardSerializer
    filterset_class = RewardFilter
    lookup_value_regex = "[0-9]{1,18}"

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Approve a waiting reward; one that was decided stays as it is."""
        services.approve([self.get_object().pk])
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=shapes.ReasonInput)
    @action(detail=True, methods=["post"])
    def reverse(self, request: Request, pk: str) -> Response:
        """Take a reward back, with the reason."""
        reward = services.reverse(self.get_object(), _read(shapes.ReasonInput, request)["reason"])
        return Response(self.get_serializer(reward).data)


class CoefficientView(ApiView):
    """K = conversions ÷ distinct inviters of a period, and what it is made of."""

    resource = "viral"

    @extend_schema(
        operation_id="viral_coefficient",
        parameters=[*periods.PARAMETERS, PROGRAM],
        responses=shapes.CoefficientSerializer,
    )
    def get(self, request: Request) -> Response:
        text = request.query_params.get("program", "")
        if text and not (text.isascii() and text.isdigit() and len(text) <= 18):
            raise Invalid("The programme is wrong.", details={"program": "Must be a whole number."})
        found = selectors.coefficient(periods.read(request.query_params), int(text) if text else None)
        return Response(shapes.CoefficientSerializer(asdict(found)).data)


def _read(serializer_class: Any, request: Request, *, partial: bool = False) -> dict[str, Any]:
    serializer = serializer_class(data=request.data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _program(data: dict[str, Any]) -> Program:
    """The programme named by id or slug; the only active one when none is named."""
    if "program_id" in data or "program" in data:
        words = {"pk": data["program_id"]} if "program_id" in data else {"slug": data["program"]}
        found = Program.objects.filter(**words).first()
        if found is None:
            raise NotFound("There is no such programme.")
        return found
    active = list(Program.objects.filter(is_active=True)[:2])
    if len(active) != 1:
        raise Invalid("Say which programme.", details={"program_id": "There is not exactly one active programme."})
    return active[0]


def _contact(data: dict[str, Any]) -> Contact:
    if ("contact_id" in data) == ("user_id" in data):
        raise Invalid("Say whose code.", details={"contact_id": "Give contact_id or user_id."})
    words = {"pk": data["contact_id"]} if "contact_id" in data else {"user_id": data["user_id"], "merged_into": None}
    contact = Contact.objects.select_related("merged_into").filter(**words).first()
    if contact is None:
        raise Http404
    return contact.merged_into or contact
