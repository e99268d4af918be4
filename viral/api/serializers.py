"""How referral programmes look over HTTP. Money is in minor units."""

from __future__ import annotations

from rest_framework import serializers

from common.api.shapes import StrictSerializer
from viral.models import Program, Referral, ReferralCode, Reward, RewardKind
from viral.services import link_of
from viral.services.programs import FIELDS, MOST_REWARD

BIGGEST = 2**63 - 1


class ProgramSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    class Meta:
        model = Program
        fields = ["id", *FIELDS, "created_at"]


class ProgramInput(StrictSerializer):
    also_accepts = frozenset({"id", "created_at"})

    name = serializers.CharField(max_length=200)
    slug = serializers.SlugField(max_length=100)
    landing_url = serializers.CharField(max_length=500, help_text="Where share links lead.")
    link_base_url = serializers.CharField(max_length=500, required=False, allow_blank=True)
    inviter_reward_kind = serializers.ChoiceField(choices=RewardKind.choices, required=False)
    inviter_reward_amount = serializers.IntegerField(min_value=0, max_value=MOST_REWARD, required=False)
    invitee_reward_kind = serializers.ChoiceField(choices=RewardKind.choices, required=False)
    invitee_reward_amount = serializers.IntegerField(min_value=0, max_value=MOST_REWARD, required=False)
    currency = serializers.CharField(max_length=3, required=False, allow_blank=True)
    sign_up_event_name = serializers.CharField(max_length=200, required=False)
    goal_event_name = serializers.CharField(max_length=200, required=False)
    refund_event_name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    requires_approval = serializers.BooleanField(required=False)
    only_new_customers = serializers.BooleanField(required=False)
    share_subject = serializers.CharField(max_length=200, required=False)
    share_text = serializers.CharField(max_length=2000, required=False, help_text="{link} stands for the link.")
    is_active = serializers.BooleanField(required=False)


class CodeSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    program_id = serializers.IntegerField()
    contact_id = serializers.IntegerField()
    link = serializers.SerializerMethodField()

    class Meta:
        model = ReferralCode
        fields = ["id", "program_id", "contact_id", "code", "link", "is_current", "created_at"]

    def get_link(self, code: ReferralCode) -> str:
        return link_of(code)


class CodeInput(StrictSerializer):
    program_id = serializers.IntegerField(min_value=1, max_value=BIGGEST, required=False)
    program = serializers.SlugField(required=False, help_text="Slug, instead of program_id.")
    contact_id = serializers.IntegerField(min_value=1, max_value=BIGGEST, required=False)
    user_id = serializers.CharField(max_length=300, required=False, help_text="Instead of contact_id.")


class ShareKitSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Ready-made ways to pass a link on."""

    code = serializers.CharField()
    link = serializers.CharField()
    subject = serializers.CharField()
    text = serializers.CharField(help_text="Words to copy, with the link.")
    email = serializers.CharField(help_text="mailto: address")
    whatsapp = serializers.CharField()
    x = serializers.CharField()
    facebook = serializers.CharField()


class SharedCodeSerializer(CodeSerializer):
    share_kit = ShareKitSerializer()

    class Meta(CodeSerializer.Meta):
        fields = [*CodeSerializer.Meta.fields, "share_kit"]


class ReferralSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    program_id = serializers.IntegerField()
    code = serializers.CharField(source="code.code")
    inviter_id = serializers.IntegerField()
    invitee_id = serializers.IntegerField(allow_null=True)
    reason_label = serializers.CharField(source="get_reason_display", help_text="Why it was rejected, for people.")

    class Meta:
        model = Referral
        fields = [
            "id", "program_id", "code", "inviter_id", "invitee_id", "status", "reason", "reason_label", "created_at",
            "clicked_at", "signed_up_at", "qualified_at", "rewarded_at", "rejected_at", "order_id", "value_minor",
            "currency",
        ]  # fmt: skip


class InvitationInput(StrictSerializer):
    code = serializers.CharField(max_length=40)
    emails = serializers.ListField(child=serializers.CharField(max_length=320), min_length=1, max_length=100)


class RewardSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    referral_id = serializers.IntegerField(allow_null=True, help_text="Null for what a workflow gave.")
    contact_id = serializers.IntegerField()

    class Meta:
        model = Reward
        fields = [
            "id", "referral_id", "contact_id", "side", "kind", "amount", "currency", "status", "reason",
            "created_at", "decided_at",
        ]  # fmt: skip


class ReasonInput(StrictSerializer):
    reason = serializers.CharField(max_length=200)


class StepSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField()
    count = serializers.IntegerField()
    rate = serializers.FloatField(allow_null=True, help_text="Share of the step before, 0–1.")


class WeekSerializer(serializers.Serializer):  # type: ignore[type-arg]
    starts_at = serializers.DateTimeField()
    inviters = serializers.IntegerField()
    conversions = serializers.IntegerField()
    coefficient = serializers.FloatField(allow_null=True)


class CoefficientSerializer(serializers.Serializer):  # type: ignore[type-arg]
    coefficient = serializers.FloatField(allow_null=True, help_text="K: conversions ÷ inviters; null without any.")
    sign_up_coefficient = serializers.FloatField(allow_null=True, help_text="Sign-ups ÷ inviters.")
    conversions = serializers.IntegerField(help_text="Invitees who qualified in the period.")
    sign_ups = serializers.IntegerField(help_text="Invitees who signed up in the period.")
    inviters = serializers.IntegerField(help_text="Distinct contacts whose invitations moved in the period.")
    invitations = serializers.IntegerField()
    invitations_per_inviter = serializers.FloatField(allow_null=True)
    rejected = serializers.IntegerField()
    median_days_to_qualify = serializers.FloatField(allow_null=True)
    revenue_minor = serializers.IntegerField()
    steps = StepSerializer(many=True, help_text="Invitations made in the period, as far as they came.")
    weeks = WeekSerializer(many=True)
    rows = serializers.DictField(
        child=serializers.CharField(), help_text="Addresses of the lists behind the figures."
    )
