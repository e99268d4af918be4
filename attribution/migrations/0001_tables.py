"""The tables of attribution: one step, in place of those in which they grew before the first release."""

import django.db.models.deletion
from django.db import migrations, models

import common.clock
import common.tenancy


class Migration(migrations.Migration):
    replaces = [("attribution", "0001_initial"), ("attribution", "0002_message_channels")]

    initial = True

    dependencies = [
        ("audience", "0001_tables"),
        ("campaigns", "0001_tables"),
        ("delivery", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Goal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "organization_id",
                    models.BigIntegerField(
                        db_default=common.tenancy.CurrentOrganization(),
                        default=common.tenancy.current,
                        editable=False,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "event_name",
                    models.CharField(help_text='"Order Completed" and order_completed are the same.', max_length=200),
                ),
                (
                    "where",
                    models.JSONField(
                        blank=True,
                        help_text='Only events with these properties: [{"property": "plan", "operator": "equals", "value": "pro"}]',
                        null=True,
                    ),
                ),
                (
                    "refund_event_name",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="An event that takes money back; negative values do so too.",
                        max_length=200,
                    ),
                ),
                (
                    "look_back_days",
                    models.PositiveSmallIntegerField(
                        default=30, help_text="How long before a conversion a touchpoint may still be credited."
                    ),
                ),
                (
                    "counts_as_revenue",
                    models.BooleanField(
                        default=False,
                        help_text="Its value is part of revenue and ROI. Two goals on the same event would count twice.",
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                (
                    "is_scanned",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        editable=False,
                        help_text="The events of before it existed are counted.",
                    ),
                ),
                ("created_at", models.DateTimeField(default=common.clock.now, editable=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "name"), name="one_goal_per_name")
                ],
            },
        ),
        migrations.CreateModel(
            name="Conversion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "organization_id",
                    models.BigIntegerField(
                        db_default=common.tenancy.CurrentOrganization(),
                        default=common.tenancy.current,
                        editable=False,
                    ),
                ),
                ("event_id", models.BigIntegerField(editable=False)),
                ("value_minor", models.BigIntegerField(default=0, help_text="As ordered, in minor units.")),
                ("refunded_minor", models.BigIntegerField(db_default=0, default=0)),
                ("currency", models.CharField(max_length=3)),
                ("order_id", models.CharField(blank=True, db_default="", default="", max_length=200)),
                ("happened_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("claimed", "Claimed"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        db_default="pending",
                        default="pending",
                        max_length=10,
                    ),
                ),
                (
                    "run_at",
                    models.DateTimeField(
                        default=common.clock.now, help_text="Since when its credits are to be drawn."
                    ),
                ),
                ("credited_at", models.DateTimeField(null=True)),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="conversions",
                        to="audience.contact",
                    ),
                ),
                (
                    "goal",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="conversions",
                        to="attribution.goal",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "contact", "happened_at"], name="conversion_by_contact"),
                    models.Index(fields=["organization_id", "happened_at"], name="conversion_by_time"),
                    models.Index(
                        condition=models.Q(("status", "pending")),
                        fields=["organization_id", "id"],
                        name="pending_conversions",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "goal", "event_id"), name="one_conversion_per_event"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "organization_id",
                    models.BigIntegerField(
                        db_default=common.tenancy.CurrentOrganization(),
                        default=common.tenancy.current,
                        editable=False,
                    ),
                ),
                ("event_id", models.BigIntegerField()),
                ("value_minor", models.BigIntegerField(help_text="Empty: the whole order.", null=True)),
                ("currency", models.CharField(max_length=3)),
                ("order_id", models.CharField(blank=True, db_default="", default="", max_length=200)),
                ("happened_at", models.DateTimeField()),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="audience.contact",
                    ),
                ),
                (
                    "goal",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refunds",
                        to="attribution.goal",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "contact"], name="refund_by_contact")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "goal", "event_id"), name="one_refund_per_event"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Touchpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "organization_id",
                    models.BigIntegerField(
                        db_default=common.tenancy.CurrentOrganization(),
                        default=common.tenancy.current,
                        editable=False,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("click", "Click in a message"),
                            ("visit", "Visit"),
                            ("referral", "Invitation"),
                            ("offline", "Offline"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("sms", "SMS"),
                            ("whatsapp", "WhatsApp"),
                            ("push", "Push"),
                            ("in_app", "In-app"),
                            ("paid_search", "Paid search"),
                            ("organic_search", "Organic search"),
                            ("paid_social", "Paid social"),
                            ("social", "Social"),
                            ("display", "Display"),
                            ("affiliate", "Affiliates"),
                            ("referral", "Friends' invitations"),
                            ("website", "Other websites"),
                            ("offline", "Offline"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                ("source", models.CharField(blank=True, db_default="", default="", max_length=200)),
                ("medium", models.CharField(blank=True, db_default="", default="", max_length=200)),
                ("campaign_name", models.CharField(blank=True, db_default="", default="", max_length=200)),
                ("event_id", models.BigIntegerField(blank=True, editable=False, null=True)),
                ("happened_at", models.DateTimeField(default=common.clock.now)),
                (
                    "campaign",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="touchpoints",
                        to="campaigns.campaign",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="touchpoints",
                        to="audience.contact",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="delivery.message",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "contact", "happened_at"], name="touchpoint_path"),
                    models.Index(
                        fields=["organization_id", "campaign", "happened_at"], name="touchpoint_by_campaign"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "event_id"), name="one_touchpoint_per_event")
                ],
            },
        ),
        migrations.CreateModel(
            name="Credit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "organization_id",
                    models.BigIntegerField(
                        db_default=common.tenancy.CurrentOrganization(),
                        default=common.tenancy.current,
                        editable=False,
                    ),
                ),
                (
                    "model",
                    models.CharField(
                        choices=[
                            ("first", "First touch"),
                            ("last", "Last touch"),
                            ("linear", "Linear"),
                            ("time_decay", "Time decay"),
                            ("position", "Position"),
                        ],
                        max_length=20,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("share", models.FloatField(help_text="Its part of the conversion itself, 0 to 1.")),
                (
                    "conversion",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="credits",
                        to="attribution.conversion",
                    ),
                ),
                (
                    "touchpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="credits",
                        to="attribution.touchpoint",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("conversion", "model", "touchpoint"), name="one_credit_per_touchpoint"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Cost",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "organization_id",
                    models.BigIntegerField(
                        db_default=common.tenancy.CurrentOrganization(),
                        default=common.tenancy.current,
                        editable=False,
                    ),
                ),
                ("day", models.DateField()),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("email", "E-mail"),
                            ("sms", "SMS"),
                            ("whatsapp", "WhatsApp"),
                            ("push", "Push"),
                            ("in_app", "In-app"),
                            ("paid_search", "Paid search"),
                            ("organic_search", "Organic search"),
                            ("paid_social", "Paid social"),
                            ("social", "Social"),
                            ("display", "Display"),
                            ("affiliate", "Affiliates"),
                            ("referral", "Friends' invitations"),
                            ("website", "Other websites"),
                            ("offline", "Offline"),
                            ("other", "Other"),
                        ],
                        default="",
                        max_length=20,
                    ),
                ),
                ("amount_minor", models.BigIntegerField(help_text="In minor units, e.g. pence.")),
                ("currency", models.CharField(max_length=3)),
                ("note", models.CharField(blank=True, default="", max_length=200)),
                ("created_at", models.DateTimeField(default=common.clock.now, editable=False)),
                (
                    "campaign",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="costs",
                        to="campaigns.campaign",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "day", "campaign", "channel", "currency"),
                        name="one_cost_per_day",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(condition=models.Q(("amount_minor__gte", 0)), name="cost_is_not_negative"),
                ],
            },
        ),
    ]
