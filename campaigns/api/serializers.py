"""How campaigns look over HTTP."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from campaigns.api.sending import CampaignArmSerializer, RecurrenceSerializer, arm_drafts
from campaigns.api.shapes import VersionSerializer
from campaigns.domain import states
from campaigns.models import (
    Campaign,
    CodeKind,
    OfferKind,
    PassedZones,
    ScopeKind,
    Target,
    TargetStatus,
    Timing,
)
from campaigns.selectors.offers import Personal
from campaigns.services import Audience, OfferDraft, Taken, Who
from common.api.shapes import QuickModelSerializer, StrictSerializer
from delivery.models import Weight


class AudienceSerializer(StrictSerializer):
    include = serializers.ListField(
        child=serializers.IntegerField(), max_length=100, help_text="Segment ids: everybody in any of them."
    )
    exclude = serializers.ListField(
        child=serializers.IntegerField(),
        max_length=100,
        required=False,
        default=list,
        help_text="… and in none of these.",
    )


class OfferSerializer(StrictSerializer):
    also_accepts = frozenset({"id", "taken_count"})

    id = serializers.IntegerField(read_only=True)
    kind = serializers.ChoiceField(choices=OfferKind.choices)
    value = serializers.DecimalField(max_digits=12, decimal_places=2, min_value=0)
    unit = serializers.CharField(
        max_length=20, default="percent", help_text="percent, points, points_per_unit or a currency code"
    )
    code = serializers.CharField(
        max_length=60, allow_blank=True, default="",
        help_text="For everybody, or what generated codes begin with; with `?contact=` the contact's own.",
    )  # fmt: skip
    codes = serializers.ChoiceField(choices=CodeKind.choices, default=CodeKind.SHARED.value)
    starts_at = serializers.DateTimeField(allow_null=True, default=None)
    expires_at = serializers.DateTimeField(
        allow_null=True, default=None, help_text="With `?contact=` the moment it ends for the contact."
    )
    valid_days = serializers.IntegerField(
        allow_null=True, default=None, min_value=1, max_value=730,
        help_text="Ends so many days after a contact became eligible, if that comes first.",
    )  # fmt: skip
    limit_per_contact = serializers.IntegerField(default=1, min_value=1, max_value=1_000_000)
    limit_total = serializers.IntegerField(allow_null=True, default=None, min_value=1, max_value=2**31 - 1)
    minimum_spend_minor = serializers.IntegerField(
        allow_null=True, default=None, min_value=1, max_value=10**15,
        help_text="The least an order must be worth, in minor units of the organisation's currency.",
    )  # fmt: skip
    scope_kind = serializers.ChoiceField(choices=ScopeKind.choices, allow_blank=True, default="")
    scope = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=200, default=list,
        help_text="Names of the categories or products it is good for.",
    )  # fmt: skip
    terms = serializers.CharField(max_length=5000, allow_blank=True, default="")
    taken_count = serializers.IntegerField(read_only=True, help_text="How often it was taken.")


class CampaignSerializer(QuickModelSerializer):
    recurrence = serializers.SerializerMethodField()
    experiment_id = serializers.IntegerField(allow_null=True)
    arms = serializers.SerializerMethodField()
    template_id = serializers.IntegerField(allow_null=True)
    sender_id = serializers.IntegerField(allow_null=True)
    topic_id = serializers.IntegerField(allow_null=True)
    audience = serializers.SerializerMethodField()
    offers = serializers.SerializerMethodField()
    preset = serializers.SerializerMethodField()
    allowed_actions = serializers.SerializerMethodField()
    target_status = serializers.SerializerMethodField()

    class Meta:
        model = Campaign
        fields = [
            "id", "name", "description", "status", "template_id", "sender_id", "topic_id", "audience", "offers",
            "timing", "local_time", "passed_zones", "recurrence",
            "experiment_id", "arms", "test_percent", "test_hours",
            "starts_at", "ends_at", "messages_per_minute", "weight", "shelf_hours", "holdout_percent", "cost_minor",
            "message_cost_minor", "budget_minor", "utm_campaign", "origin", "preset", "version",
            "allowed_actions", "target_status", "created_at", "updated_at",
        ]  # fmt: skip

    @extend_schema_field(RecurrenceSerializer(allow_null=True))
    def get_recurrence(self, campaign: Campaign) -> dict[str, Any] | None:
        """Null for a campaign that goes out once."""
        return campaign.recurrence or None

    @extend_schema_field(CampaignArmSerializer(many=True))
    def get_arms(self, campaign: Campaign) -> list[dict[str, Any]]:
        """Of the campaign's experiment; the first is the control."""
        arms = campaign.experiment.arms.all() if campaign.experiment is not None else ()
        return [
            {"id": arm.pk, "key": arm.key, "name": arm.name, "weight": arm.weight, "is_control": arm.is_control}
            | arm.payload
            for arm in arms
        ]

    def get_audience(self, campaign: Campaign) -> dict[str, list[int]]:
        rows = list(campaign.audience.all())
        return {
            "include": [row.segment_id for row in rows if not row.is_excluded],
            "exclude": [row.segment_id for row in rows if row.is_excluded],
        }

    @extend_schema_field(OfferSerializer(many=True))
    def get_offers(self, campaign: Campaign) -> list[dict[str, Any]]:
        """What is offered; with `?contact=` as it stands for that contact."""
        own: list[Personal] | None = getattr(campaign, "personal_offers", None)
        if own is None:
            return [OfferSerializer(offer).data for offer in campaign.offers.all()]
        return [
            {
                **OfferSerializer(shown.offer).data,
                "code": shown.code,
                "expires_at": shown.expires_at.isoformat().replace("+00:00", "Z") if shown.expires_at else None,
                "scope_kind": shown.scope_kind,
                "scope": shown.scope,
            }
            for shown in own
        ]

    def get_preset(self, campaign: Campaign) -> str | None:
        """Which automatic campaign it is; null for all others."""
        return campaign.preset.kind if campaign.preset else None

    def get_allowed_actions(self, campaign: Campaign) -> list[str]:
        return states.allowed(campaign.status)

    def get_target_status(self, campaign: Campaign) -> str | None:
        """Where the contact of `?contact=` stands; null without one."""
        return getattr(campaign, "target_status", None)


class CampaignInput(VersionSerializer):
    also_accepts = frozenset(
        {
            "id",
            "status",
            "origin",
            "preset",
            "starts_at",
            "allowed_actions",
            "target_status",
            "created_at",
            "updated_at",
        }
    )

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(allow_blank=True, required=False)
    template_id = serializers.IntegerField(allow_null=True, required=False)
    sender_id = serializers.IntegerField(allow_null=True, required=False)
    topic_id = serializers.IntegerField(allow_null=True, required=False)
    timing = serializers.ChoiceField(
        choices=Timing.choices, required=False,
        help_text="`local`: at `local_time` by each contact's clock; `best`: when each usually reads, within a day.",
    )  # fmt: skip
    local_time = serializers.TimeField(
        allow_null=True, required=False, help_text="For `local`; for `best` where nothing is known of a contact."
    )
    passed_zones = serializers.ChoiceField(
        choices=PassedZones.choices,
        required=False,
        help_text="Contacts whose clock is past `local_time` at the start.",
    )
    experiment_id = serializers.IntegerField(
        allow_null=True, required=False, help_text="One that was made elsewhere; `arms` make one for the campaign."
    )
    arms = CampaignArmSerializer(many=True, required=False, max_length=20)
    test_percent = serializers.IntegerField(
        allow_null=True, required=False, min_value=1, max_value=90,
        help_text="So much of the audience gets the arms first, and the rest the winner. Empty: everybody at once.",
    )  # fmt: skip
    test_hours = serializers.IntegerField(
        allow_null=True, required=False, min_value=1, max_value=336, help_text="The rest follows at the latest then."
    )
    recurrence = RecurrenceSerializer(allow_null=True, required=False, help_text="For `recurring`.")
    ends_at = serializers.DateTimeField(allow_null=True, required=False)
    messages_per_minute = serializers.IntegerField(allow_null=True, required=False, min_value=1, max_value=10_000_000)
    weight = serializers.ChoiceField(
        choices=Weight.choices, required=False, help_text="When caps leave room for one, the greater goes."
    )
    shelf_hours = serializers.IntegerField(
        allow_null=True, required=False, min_value=1, max_value=8760, help_text="Not sent any more after so long."
    )
    holdout_percent = serializers.DecimalField(
        max_digits=4, decimal_places=1, required=False, min_value=0, max_value=50,
        help_text="Drawn by chance and sent nothing, so that the effect can be measured.",
    )  # fmt: skip
    cost_minor = serializers.IntegerField(required=False, min_value=0, max_value=10**15)
    message_cost_minor = serializers.DecimalField(
        max_digits=14, decimal_places=6, required=False, min_value=0,
        help_text="Per message, of an SMS per segment; parts of a unit count. 0: the channel's price at launch.",
    )  # fmt: skip
    budget_minor = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=10**15,
        help_text="Sending stops before `cost_minor` and the messages' cost pass it.",
    )  # fmt: skip
    utm_campaign = serializers.SlugField(allow_blank=True, required=False, max_length=50)
    audience = AudienceSerializer(required=False)
    offers = OfferSerializer(many=True, required=False, max_length=20)


class DeclineInput(VersionSerializer):
    reason = serializers.CharField(max_length=2000)


class WhoInput(StrictSerializer):
    """Exactly one name of the contact."""

    contact_id = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    user_id = serializers.CharField(required=False, max_length=300)
    email = serializers.CharField(required=False, max_length=320)
    anonymous_id = serializers.CharField(required=False, max_length=300)


class ConversionInput(WhoInput):
    value = serializers.DecimalField(max_digits=15, decimal_places=3, required=False, allow_null=True)
    currency = serializers.CharField(required=False, max_length=3, allow_blank=True)
    order_id = serializers.CharField(
        required=False, max_length=200, allow_blank=True, help_text="The same order again changes nothing."
    )
    offer_id = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=2**63 - 1)
    code = serializers.CharField(
        required=False, max_length=60, allow_blank=True, help_text="Checked against the contact's own."
    )
    happened_at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="For what is told later; the offer must have stood then."
    )


class TargetSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    campaign_id = serializers.IntegerField()
    contact_id = serializers.IntegerField()
    status = serializers.ChoiceField(choices=TargetStatus.choices)

    class Meta:
        model = Target
        fields = [
            "campaign_id", "contact_id", "status", "viewed_at", "converted_at",
            "conversion_value_minor", "conversion_currency",
        ]  # fmt: skip


class ValueSerializer(serializers.Serializer):  # type: ignore[type-arg]
    currency = serializers.CharField()
    value_minor = serializers.IntegerField()


class ReportSerializer(serializers.Serializer):  # type: ignore[type-arg]
    target_count = serializers.IntegerField()
    message_count = serializers.IntegerField()
    sent_count = serializers.IntegerField()
    refused_count = serializers.IntegerField()
    failed_count = serializers.IntegerField()
    uncertain_count = serializers.IntegerField()
    open_count = serializers.IntegerField(help_text="Messages opened by a person.")
    click_count = serializers.IntegerField(help_text="Messages clicked by a person.")
    unsubscribe_count = serializers.IntegerField()
    machine_open_count = serializers.IntegerField(help_text="Messages fetched by a proxy or scanner.")
    machine_click_count = serializers.IntegerField()
    bounce_count = serializers.IntegerField()
    complaint_count = serializers.IntegerField()
    view_count = serializers.IntegerField(help_text="Targets that saw the offer.")
    conversion_count = serializers.IntegerField()
    conversion_values = ValueSerializer(many=True)
    open_rate = serializers.FloatField(allow_null=True, help_text="Of messages sent, 0–1; null when none was.")
    click_rate = serializers.FloatField(allow_null=True)
    unsubscribe_rate = serializers.FloatField(allow_null=True)
    bounce_rate = serializers.FloatField(allow_null=True)
    view_rate = serializers.FloatField(allow_null=True, help_text="Of targets.")
    conversion_rate = serializers.FloatField(allow_null=True, help_text="Of targets.")
    is_simulated = serializers.BooleanField(help_text="Some engagement was drawn by the demo, not by people.")


class LiftEffectSerializer(serializers.Serializer):  # type: ignore[type-arg]
    value = serializers.FloatField(help_text="Treated less held out.")
    low = serializers.FloatField(help_text="The interval holds however often one looks (95 %).")
    high = serializers.FloatField()
    is_significant = serializers.BooleanField(help_text="No difference at all lies outside the interval.")


class LiftSerializer(serializers.Serializer):  # type: ignore[type-arg]
    treated_count = serializers.IntegerField()
    held_out_count = serializers.IntegerField()
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    currency = serializers.CharField()
    sentence = serializers.CharField()
    what_now = serializers.CharField()
    treated_rate = serializers.FloatField(allow_null=True, help_text="Who bought, 0–1.")
    held_out_rate = serializers.FloatField(allow_null=True)
    treated_each_minor = serializers.FloatField(allow_null=True, help_text="Spent per person.")
    held_out_each_minor = serializers.FloatField(allow_null=True)
    conversion = LiftEffectSerializer(allow_null=True, help_text="Of shares who bought.")
    money = LiftEffectSerializer(allow_null=True, help_text="Of minor units per person.")
    incremental_minor = serializers.IntegerField(allow_null=True, help_text="What it brought in all.")
    incremental_low_minor = serializers.IntegerField(allow_null=True)
    incremental_high_minor = serializers.IntegerField(allow_null=True)


class PreviewContactSerializer(serializers.Serializer):  # type: ignore[type-arg]
    id = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.CharField()


class AudiencePreviewSerializer(serializers.Serializer):  # type: ignore[type-arg]
    contact_count = serializers.IntegerField(help_text="Everybody the campaign addresses now.")
    reachable_count = serializers.IntegerField(help_text="… of whom policy lets a message through.")
    no_address_count = serializers.IntegerField(help_text="Without an address, number or device of its channel.")
    suppressed_count = serializers.IntegerField()
    no_consent_count = serializers.IntegerField()
    paused_count = serializers.IntegerField(help_text="They asked for a pause.")
    building_segments = serializers.ListField(child=serializers.CharField())
    sample = PreviewContactSerializer(many=True)


def draft(data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Validated input as the service takes it: fields, and its parts that are named: audience, offers, arms."""
    values = {name: value for name, value in data.items() if name not in {"audience", "offers", "arms", "version"}}
    audience = Audience(**data["audience"]) if "audience" in data else None
    offers = None
    if "offers" in data:
        offers = [OfferDraft(**offer | {"scope": tuple(offer["scope"])}) for offer in data["offers"]]
    arms = arm_drafts(data["arms"]) if "arms" in data else None
    parts = {"audience": audience, "offers": offers, "arms": arms}
    return values, {name: part for name, part in parts.items() if part is not None}


def taken(data: dict[str, Any]) -> Taken:
    names = ("value", "currency", "order_id", "offer_id", "code", "happened_at")
    return Taken(**{name: data[name] for name in names if data.get(name) is not None})


def who(data: dict[str, Any]) -> Who:
    return Who(**{name: data[name] for name in ("contact_id", "user_id", "email", "anonymous_id") if name in data})
