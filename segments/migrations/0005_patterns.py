import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import common.clock
import common.tenancy


class Migration(migrations.Migration):
    dependencies = [
        ("segments", "0004_lighter_rows"),
    ]

    operations = [
        migrations.CreateModel(
            name="Analysis",
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
                        choices=[("patterns", "Patterns"), ("suggestions", "Suggestions")], max_length=12
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("claimed", "Claimed"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("run_at", models.DateTimeField(default=common.clock.now, help_text="When it was asked for.")),
                ("computed_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True, default="")),
                (
                    "summary",
                    models.JSONField(
                        default=dict,
                        help_text="What the findings rest on: settings, counts, grid, and what is missing and why.",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "analyses",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")), fields=["organization_id"], name="analyses_to_run"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "kind"), name="one_analysis_per_kind")
                ],
            },
        ),
        migrations.CreateModel(
            name="PatternSettings",
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
                    "purchase_event",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The event that means a purchase, such as order_completed.",
                        max_length=200,
                    ),
                ),
                (
                    "money_property",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Its property with the amount of money, such as total.",
                        max_length=200,
                    ),
                ),
                (
                    "lines_property",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Its property with the list of things bought, such as lines; empty when the event is one thing.",
                        max_length=200,
                    ),
                ),
                (
                    "product_property",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The product's name: in each line, or on the event itself.",
                        max_length=200,
                    ),
                ),
                (
                    "category_property",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The category: in each line, or on the event itself.",
                        max_length=200,
                    ),
                ),
                (
                    "location_field",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The field of a contact that says where, such as city.",
                        max_length=120,
                    ),
                ),
                (
                    "goal_event",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="What suggestions compare people by: who did it and who did not. Empty: the purchase.",
                        max_length=200,
                    ),
                ),
                (
                    "window_days",
                    models.PositiveSmallIntegerField(
                        default=90,
                        help_text="How many days back the patterns look, 7 to 365.",
                        validators=[
                            django.core.validators.MinValueValidator(7),
                            django.core.validators.MaxValueValidator(365),
                        ],
                    ),
                ),
                (
                    "top_percent",
                    models.PositiveSmallIntegerField(
                        default=10,
                        help_text="How many of a hundred buyers count as high spenders or frequent shoppers, 1 to 50.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(50),
                        ],
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "pattern settings",
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id",), name="one_pattern_settings_per_organization")
                ],
            },
        ),
        migrations.CreateModel(
            name="Finding",
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
                    "key",
                    models.CharField(help_text="Stays the same from one computation to the next.", max_length=80),
                ),
                ("group", models.CharField(max_length=40)),
                ("title", models.CharField(max_length=200)),
                ("reason", models.TextField(help_text="Where the threshold comes from, in words.")),
                (
                    "rule",
                    models.JSONField(
                        help_text="Null where no rule can say it: the draft is then a list of today's people.",
                        null=True,
                    ),
                ),
                ("size", models.BigIntegerField()),
                ("position", models.PositiveSmallIntegerField()),
                ("evidence", models.JSONField(default=dict, help_text="The figures behind it.")),
                (
                    "analysis",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="findings", to="segments.analysis"
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        help_text="The draft made of it.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="segments.segment",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("analysis", "key"), name="one_finding_per_key")],
            },
        ),
    ]
