"""The tables of experiments: one step, in place of those in which they grew before the first release."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import common.clock
import common.tenancy


class Migration(migrations.Migration):
    replaces = [("experiments", "0001_initial")]

    initial = True

    dependencies = [
        ("audience", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Arm",
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
                ("key", models.SlugField(max_length=60)),
                ("name", models.CharField(max_length=200)),
                (
                    "weight",
                    models.FloatField(
                        default=1.0,
                        help_text="Its part of the people: 1 and 1 are halves.",
                        validators=[django.core.validators.MinValueValidator(0)],
                    ),
                ),
                (
                    "is_control",
                    models.BooleanField(
                        default=False, help_text="What the others are compared with.", verbose_name="control"
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("payload", models.JSONField(blank=True, default=dict)),
            ],
            options={
                "ordering": ["experiment", "position"],
            },
        ),
        migrations.CreateModel(
            name="Experiment",
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
                (
                    "key",
                    models.SlugField(
                        help_text="How apps and their SDKs name it; it cannot change once it runs.", max_length=100
                    ),
                ),
                (
                    "hypothesis",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="What you change, what you expect of it, and why: one or two sentences.",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("running", "Running"),
                            ("stopped", "Stopped"),
                            ("archived", "Archived"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=10,
                    ),
                ),
                (
                    "unit",
                    models.CharField(
                        choices=[("contact", "Contact (mails, journeys)"), ("user", "User ID (apps and their SDKs)")],
                        default="contact",
                        max_length=10,
                        verbose_name="drawn by",
                    ),
                ),
                (
                    "seed",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="What the draw is mixed with; empty: the key.",
                        max_length=100,
                    ),
                ),
                (
                    "namespace",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Experiments with the same word share people out among them: nobody is in two of them.",
                        max_length=100,
                    ),
                ),
                (
                    "namespace_start",
                    models.FloatField(
                        default=0.0,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1),
                        ],
                        verbose_name="from",
                    ),
                ),
                (
                    "namespace_end",
                    models.FloatField(
                        default=1.0,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1),
                        ],
                        verbose_name="to",
                    ),
                ),
                (
                    "coverage",
                    models.FloatField(
                        default=1.0,
                        help_text="The share of everybody who takes part, from 0 to 1.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1),
                        ],
                    ),
                ),
                (
                    "allocation",
                    models.CharField(
                        choices=[("fixed", "Fixed shares"), ("bandit", "Bandit: more people to what works")],
                        default="fixed",
                        max_length=10,
                        verbose_name="shares",
                    ),
                ),
                ("metrics", models.JSONField(blank=True, default=list)),
                (
                    "listens_to",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200),
                        default=list,
                        editable=False,
                        help_text="Events that its metrics count.",
                        size=None,
                    ),
                ),
                ("winner_rule", models.JSONField(blank=True, default=dict)),
                (
                    "source_type",
                    models.CharField(
                        blank=True,
                        choices=[("", "On its own"), ("campaign", "Campaign"), ("automation", "Automation")],
                        db_default="",
                        default="",
                        editable=False,
                        max_length=12,
                    ),
                ),
                ("source_id", models.BigIntegerField(db_default=0, default=0, editable=False)),
                (
                    "epoch",
                    models.PositiveIntegerField(
                        db_default=0, default=0, editable=False, help_text="Counts changes of shares."
                    ),
                ),
                ("started_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("stopped_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "version",
                    models.PositiveIntegerField(
                        default=1, editable=False, help_text="Counts edits, to notice two at once."
                    ),
                ),
                ("created_at", models.DateTimeField(default=common.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=common.clock.now, editable=False)),
                (
                    "winner",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="experiments.arm",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "status", "-id"], name="experiment_by_status"),
                    models.Index(
                        condition=models.Q(("source_type", ""), _negated=True),
                        fields=["organization_id", "source_type", "source_id"],
                        name="experiment_by_source",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "key"), name="one_experiment_per_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="Assignment",
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
                    "propensity",
                    models.FloatField(help_text="The chance of this arm when it was drawn, of those who take part."),
                ),
                (
                    "epoch",
                    models.PositiveIntegerField(db_default=0, default=0, help_text="Which shares were in force."),
                ),
                ("assigned_at", models.DateTimeField(default=common.clock.now)),
                ("exposed_at", models.DateTimeField(help_text="When they first met the arm.", null=True)),
                (
                    "problem",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "None"),
                            ("disagrees", "The app showed another arm than was drawn"),
                            ("unverified", "Drawn by the app: the contact has no user ID"),
                            ("outside", "The app showed it to somebody who was not to take part"),
                            ("both", "Saw two arms (contacts that turned out to be one person)"),
                        ],
                        db_default="",
                        default="",
                        max_length=10,
                    ),
                ),
                (
                    "reported",
                    models.CharField(
                        blank=True, db_default="", default="", help_text="The arm an app told.", max_length=60
                    ),
                ),
                (
                    "arm",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="assignments",
                        to="experiments.arm",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="assignments",
                        to="audience.contact",
                    ),
                ),
                (
                    "experiment",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="assignments",
                        to="experiments.experiment",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "contact"], name="assignment_by_contact"),
                    models.Index(fields=["organization_id", "arm", "-id"], name="assignment_by_arm"),
                    models.Index(
                        condition=models.Q(("problem", ""), _negated=True),
                        fields=["organization_id", "experiment", "problem"],
                        name="assignment_problems",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("experiment", "contact"), name="one_arm_per_contact")
                ],
            },
        ),
        migrations.AddField(
            model_name="arm",
            name="experiment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="arms", to="experiments.experiment"
            ),
        ),
        migrations.CreateModel(
            name="Allotment",
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
                ("epoch", models.PositiveIntegerField()),
                ("shares", models.JSONField(help_text="Arm key → share; they add up to 1.")),
                ("reason", models.CharField(max_length=300)),
                ("decided_at", models.DateTimeField(default=common.clock.now)),
                (
                    "experiment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="allotments",
                        to="experiments.experiment",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("experiment", "epoch"), name="one_allotment_per_epoch")
                ],
            },
        ),
        migrations.CreateModel(
            name="MetricDaily",
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
                    "metric",
                    models.CharField(blank=True, help_text="The key of the metric; empty: people.", max_length=60),
                ),
                ("epoch", models.PositiveIntegerField(db_default=0, default=0)),
                ("day", models.DateField()),
                ("n", models.BigIntegerField(db_default=0, default=0)),
                ("y", models.DecimalField(db_default=0, decimal_places=6, default=0, max_digits=40)),
                ("yy", models.DecimalField(db_default=0, decimal_places=6, default=0, max_digits=40)),
                ("x", models.DecimalField(db_default=0, decimal_places=6, default=0, max_digits=40)),
                ("xx", models.DecimalField(db_default=0, decimal_places=6, default=0, max_digits=40)),
                ("xy", models.DecimalField(db_default=0, decimal_places=6, default=0, max_digits=40)),
                (
                    "arm",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sums",
                        to="experiments.arm",
                    ),
                ),
                (
                    "experiment",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sums",
                        to="experiments.experiment",
                    ),
                ),
            ],
            options={
                "verbose_name": "daily sum",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("experiment", "metric", "arm", "epoch", "day"), name="one_sum_per_day"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Outcome",
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
                ("epoch", models.PositiveIntegerField(default=0)),
                ("day", models.DateField()),
                ("figures", models.JSONField(default=dict, help_text="Metric → [y, x].")),
                (
                    "arm",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="experiments.arm",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="audience.contact",
                    ),
                ),
                (
                    "experiment",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="outcomes",
                        to="experiments.experiment",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("experiment", "contact"), name="one_outcome_per_contact")
                ],
            },
        ),
        migrations.CreateModel(
            name="Reserve",
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
                    "share",
                    models.FloatField(
                        default=0.0,
                        help_text="From 0 to 0.5 of everybody.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(0.5),
                        ],
                    ),
                ),
                ("salt", models.CharField(editable=False, max_length=40)),
                ("since", models.DateTimeField(default=common.clock.now, editable=False)),
            ],
            options={
                "verbose_name": "reserve",
                "constraints": [models.UniqueConstraint(fields=("organization_id",), name="one_reserve")],
            },
        ),
        migrations.CreateModel(
            name="Touched",
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
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="audience.contact",
                    ),
                ),
                (
                    "experiment",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="touched",
                        to="experiments.experiment",
                    ),
                ),
            ],
            options={
                "verbose_name": "person to count",
                "verbose_name_plural": "people to count",
                "constraints": [models.UniqueConstraint(fields=("experiment", "contact"), name="touched_once")],
            },
        ),
        migrations.AddConstraint(
            model_name="arm",
            constraint=models.UniqueConstraint(fields=("experiment", "key"), name="one_arm_per_key"),
        ),
        migrations.AddConstraint(
            model_name="arm",
            constraint=models.UniqueConstraint(fields=("experiment", "position"), name="one_arm_per_position"),
        ),
    ]
