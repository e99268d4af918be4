"""The tables of segments: one step, in place of those in which they grew before the first release."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import common.clock
import common.tenancy


class Migration(migrations.Migration):
    replaces = [
        ("segments", "0001_initial"),
        ("segments", "0002_live_updates"),
        ("segments", "0003_membership_history"),
        ("segments", "0004_lighter_rows"),
        ("segments", "0005_patterns"),
        ("segments", "0006_segment_references"),
        ("segments", "0007_self_audit"),
        ("segments", "0008_build_progress"),
        ("segments", "0009_membership_outlives_contact"),
        ("segments", "0010_checks_by_segment"),
        ("segments", "0011_build_requests"),
        ("segments", "0012_segment_figures"),
    ]

    initial = True

    dependencies = [
        ("audience", "0001_tables"),
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
            name="Segment",
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
                ("name", models.CharField(max_length=200)),
                ("slug", models.SlugField(max_length=100)),
                ("description", models.TextField(blank=True, default="")),
                (
                    "kind",
                    models.CharField(
                        choices=[("static", "Static"), ("dynamic", "Dynamic")], default="dynamic", max_length=10
                    ),
                ),
                ("rule", models.JSONField(blank=True, help_text="The rule of the current version.", null=True)),
                ("version_number", models.PositiveIntegerField(default=0)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, default=list, size=None
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("building", "Building"), ("ready", "Ready"), ("failed", "Failed")],
                        default="ready",
                        max_length=10,
                    ),
                ),
                ("error", models.TextField(blank=True, default="", help_text="Why the last build failed.")),
                ("member_count", models.BigIntegerField(default=0)),
                ("built_at", models.DateTimeField(blank=True, null=True)),
                (
                    "asked_count",
                    models.PositiveIntegerField(
                        default=0,
                        editable=False,
                        help_text="Counts what a build under way may not have seen: it is done again.",
                    ),
                ),
                (
                    "built_version",
                    models.PositiveIntegerField(default=0, help_text="The version whose members stand here."),
                ),
                (
                    "build_seconds",
                    models.FloatField(blank=True, help_text="How long the last build took.", null=True),
                ),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                ("updated_at", models.DateTimeField(default=common.clock.now)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "building")),
                        fields=["organization_id"],
                        name="segments_to_build",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "slug"), name="one_segment_per_slug")
                ],
            },
        ),
        migrations.CreateModel(
            name="SegmentFigures",
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
                ("buyer_count", models.PositiveIntegerField()),
                ("transaction_count", models.BigIntegerField()),
                ("spent_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("window_days", models.PositiveSmallIntegerField()),
                ("counted_at", models.DateTimeField()),
                (
                    "segment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="figures", to="segments.segment"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SelfAudit",
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
                ("ran_at", models.DateTimeField(default=common.clock.now)),
                ("segment_count", models.PositiveIntegerField(default=0)),
                ("contact_count", models.PositiveIntegerField(default=0)),
                ("difference_count", models.PositiveIntegerField(default=0)),
                (
                    "differences",
                    models.JSONField(default=list, help_text="The first of the wrong pairs: segment and contact."),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "-ran_at"], name="self_audits_by_time")],
            },
        ),
        migrations.CreateModel(
            name="Recheck",
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
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="audience.contact",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="segments.segment",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "segment"], name="rechecks_by_segment")],
            },
        ),
        migrations.CreateModel(
            name="Membership",
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
                ("entered_at", models.DateTimeField(default=common.clock.now)),
                ("left_at", models.DateTimeField(null=True)),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="memberships",
                        to="audience.contact",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="segments.segment",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "contact", "segment"], name="membership_by_contact"),
                    models.Index(fields=["segment", "entered_at"], name="memberships_entered"),
                    models.Index(
                        condition=models.Q(("left_at__isnull", False)),
                        fields=["segment", "left_at"],
                        name="memberships_left",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("left_at", None)),
                        fields=("segment", "contact"),
                        name="one_open_membership",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FlipCheck",
            fields=[
                (
                    "organization_id",
                    models.BigIntegerField(
                        db_default=common.tenancy.CurrentOrganization(),
                        default=common.tenancy.current,
                        editable=False,
                    ),
                ),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "segment_id", "contact_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("flips_at", models.DateTimeField()),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="audience.contact",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="segments.segment",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["segment", "flips_at"], name="flips_due")],
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
        migrations.CreateModel(
            name="SegmentDependency",
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
                    "field",
                    models.CharField(
                        blank=True, default="", help_text="`city` or `attributes.plan`.", max_length=120
                    ),
                ),
                (
                    "definition",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="audience.eventdefinition",
                    ),
                ),
                (
                    "needed",
                    models.ForeignKey(
                        help_text="A segment it refers to.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="dependants",
                        to="segments.segment",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dependencies",
                        to="segments.segment",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "segment dependencies",
                "indexes": [
                    models.Index(fields=["organization_id", "definition"], name="segments_by_event"),
                    models.Index(fields=["organization_id", "field"], name="segments_by_field"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SegmentVersion",
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
                ("number", models.PositiveIntegerField()),
                ("rule", models.JSONField()),
                ("author", models.CharField(blank=True, default="", max_length=200)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="segments.segment"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("segment", "number"), name="one_version_per_number")],
            },
        ),
    ]
