"""The tables of automations: one step, in place of those in which they grew before the first release."""

from decimal import Decimal

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import common.clock
import common.tenancy


class Migration(migrations.Migration):
    replaces = [
        ("automations", "0001_initial"),
        ("automations", "0002_weight"),
        ("automations", "0003_count_tables"),
        ("automations", "0005_desk"),
        ("automations", "0006_engine_semantics"),
        ("automations", "0007_turns_by_the_clock"),
        ("automations", "0008_versions_and_alerts"),
        ("automations", "0009_simulations"),
        ("automations", "0010_scheduled_tries"),
    ]

    initial = True

    dependencies = [
        ("accounts", "0001_tables"),
        ("audience", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Automation",
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
                    "is_active",
                    models.BooleanField(default=False, help_text="Off: nobody enters, and those inside are held."),
                ),
                (
                    "run_immediately",
                    models.BooleanField(
                        default=True,
                        help_text="People start at once; otherwise with the next sweep (within a second or two).",
                    ),
                ),
                ("trigger_type", models.CharField(max_length=40)),
                ("trigger_configuration", models.JSONField(blank=True, default=dict)),
                (
                    "trigger_key",
                    models.CharField(
                        editable=False, help_text='What starts it, e.g. "event:signup".', max_length=300
                    ),
                ),
                (
                    "weight",
                    models.PositiveSmallIntegerField(
                        choices=[(10, "Low"), (20, "Normal"), (30, "High"), (40, "Highest")],
                        db_default=20,
                        default=20,
                        help_text="When caps leave room for one message, the more important one goes.",
                        verbose_name="importance",
                    ),
                ),
                (
                    "shelf_hours",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="What has not gone by then is not sent; until then it waits for room under the caps.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(8760),
                        ],
                        verbose_name="messages keep for hours",
                    ),
                ),
                (
                    "holdout_percent",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=1,
                        default=Decimal("0"),
                        help_text="Drawn by chance and sent nothing, so that the effect can be measured.",
                        max_digits=4,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(50),
                        ],
                        verbose_name="held out, percent",
                    ),
                ),
                (
                    "entry_rule",
                    models.CharField(
                        choices=[
                            ("once", "Once ever"),
                            ("again", "Again after they have left"),
                            ("after_days", "Again some days after they have left"),
                            ("concurrent", "Once at a time for each value of a key"),
                        ],
                        default="once",
                        max_length=10,
                    ),
                ),
                (
                    "entry_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="For after_days: how long they have been out.",
                        null=True,
                        verbose_name="days outside",
                    ),
                ),
                (
                    "entry_key",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text='For concurrent: where its value stands, such as "event.properties.order_id".',
                        max_length=300,
                    ),
                ),
                ("draft", models.JSONField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(default=common.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=common.clock.now, editable=False)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_active", True)),
                        fields=["organization_id", "trigger_key"],
                        name="listening_automations",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "slug"), name="one_automation_per_slug")
                ],
            },
        ),
        migrations.CreateModel(
            name="AutomationVersion",
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
                ("document", models.JSONField()),
                ("first_step_id", models.CharField(blank=True, default="", max_length=60)),
                ("author", models.CharField(blank=True, default="", max_length=200)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                (
                    "closed_at",
                    models.DateTimeField(help_text="Drained: people inside finish it, and it is closing.", null=True),
                ),
                (
                    "automation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="automations.automation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("automation", "number"), name="one_automation_version_per_number")
                ],
            },
        ),
        migrations.CreateModel(
            name="AutomationRun",
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
                ("entry_key", models.CharField(help_text='"once", or what caused this entry.', max_length=300)),
                (
                    "inside_key",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="One run inside for each: of entry_key.",
                        max_length=300,
                    ),
                ),
                (
                    "depth",
                    models.PositiveSmallIntegerField(
                        db_default=0, default=0, help_text="How many runs caused each other before this one."
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("held", "Held"),
                            ("completed", "Completed"),
                            ("exited", "Exited"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        db_default="running",
                        default="running",
                        max_length=10,
                    ),
                ),
                (
                    "step_id",
                    models.CharField(
                        blank=True, db_default="", default="", help_text="Empty: at the end.", max_length=60
                    ),
                ),
                (
                    "weight",
                    models.PositiveSmallIntegerField(
                        choices=[(10, "Low"), (20, "Normal"), (30, "High"), (40, "Highest")],
                        db_default=20,
                        default=20,
                    ),
                ),
                ("run_at", models.DateTimeField(default=common.clock.now)),
                ("waiting_since", models.DateTimeField(help_text="Set while the step itself waits.", null=True)),
                (
                    "waits_until",
                    models.DateTimeField(help_text="When its wait is over; `run_at` may look earlier.", null=True),
                ),
                (
                    "wakes_on",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=300),
                        db_default=[],
                        default=list,
                        help_text="What ends its wait early.",
                        size=None,
                    ),
                ),
                (
                    "laps",
                    models.JSONField(
                        db_default={},
                        default=dict,
                        help_text='Turns of each repeating step; "" counts all that ever began.',
                    ),
                ),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(db_default=0, default=0, help_text="Failed tries of this step."),
                ),
                (
                    "step_count",
                    models.PositiveIntegerField(db_default=0, default=0, help_text="Step records so far."),
                ),
                ("facts", models.JSONField(db_default={}, default=dict, help_text="What started it.")),
                ("error", models.TextField(blank=True, db_default="", default="")),
                (
                    "exit_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "—"),
                            ("goal", "Reached the goal"),
                            ("exit_rule", "Met the exit rule"),
                            ("step", "An exit step"),
                            ("drained", "Taken out by another version"),
                            ("error", "A step failed"),
                        ],
                        db_default="",
                        default="",
                        max_length=10,
                    ),
                ),
                ("entered_at", models.DateTimeField(default=common.clock.now)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "automation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="automations.automation",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="audience.contact",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="runs",
                        to="automations.automationversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "run",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "running")),
                        fields=["organization_id", "weight", "run_at", "id"],
                        name="running_runs",
                    ),
                    models.Index(
                        fields=["organization_id", "automation", "status", "-id"], name="runs_by_automation"
                    ),
                    models.Index(fields=["organization_id", "contact", "-id"], name="runs_by_contact"),
                    models.Index(
                        condition=models.Q(("status", "failed")),
                        fields=["organization_id", "automation", "step_id"],
                        name="failed_runs",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("automation", "contact", "entry_key"), name="one_run_per_entry"),
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["running", "held", "failed"])),
                        fields=("automation", "contact", "inside_key"),
                        name="one_run_inside",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AutomationAction",
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
                ("step_id", models.CharField(max_length=60)),
                ("path", models.CharField(help_text='Place in the tree, e.g. "2.then.0".', max_length=200)),
                ("action_type", models.CharField(max_length=40)),
                ("action_order", models.PositiveIntegerField(help_text="Among the steps of the same list.")),
                ("is_active", models.BooleanField(default=True)),
                ("configuration", models.JSONField(default=dict)),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="actions",
                        to="automations.automationversion",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "action_type"], name="actions_by_type")],
                "constraints": [models.UniqueConstraint(fields=("version", "step_id"), name="one_action_per_step")],
            },
        ),
        migrations.AddField(
            model_name="automation",
            name="current_version",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="automations.automationversion",
            ),
        ),
        migrations.CreateModel(
            name="AutomationWatch",
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
                ("step_id", models.CharField(blank=True, default="", max_length=60)),
                (
                    "key",
                    models.CharField(
                        help_text='"event:order_completed", "attribute:status" or "segment:3".', max_length=300
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="watches",
                        to="automations.automationversion",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "key"], name="watches_by_key")],
                "constraints": [
                    models.UniqueConstraint(fields=("version", "step_id", "key"), name="one_watch_per_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="Notification",
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
                ("message", models.TextField()),
                ("source_key", models.CharField(editable=False, max_length=200, null=True)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                ("read_at", models.DateTimeField(null=True)),
                (
                    "automation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="automations.automation",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="audience.contact",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to="accounts.member",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "member", "-id"], name="notifications_by_member"),
                    models.Index(fields=["organization_id", "contact"], name="notifications_by_contact"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "source_key"), name="one_notification_per_source"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Rotation",
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
                ("step_id", models.CharField(max_length=60)),
                ("position", models.BigIntegerField(db_default=0, default=0)),
                (
                    "automation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="automations.automation"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("automation", "step_id"), name="one_rotation_per_step")
                ],
            },
        ),
        migrations.CreateModel(
            name="RunCount",
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
                ("status", models.CharField(max_length=10)),
                ("step_id", models.CharField(max_length=60)),
                ("people", models.IntegerField()),
                ("is_folded", models.BooleanField(db_default=False, default=False)),
                (
                    "automation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="automations.automation",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="automations.automationversion",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["automation", "version"], name="run_counts_by_automation"),
                    models.Index(
                        condition=models.Q(("is_folded", False)),
                        fields=["organization_id"],
                        name="run_counts_to_fold",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ScheduledTask",
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
                    "task_type",
                    models.CharField(help_text="What to do; automations/services/kinds lists them.", max_length=40),
                ),
                ("payload", models.JSONField(blank=True, default=dict)),
                (
                    "schedule_type",
                    models.CharField(
                        choices=[
                            ("once", "Once, at a time"),
                            ("delayed", "Once, after a delay"),
                            ("recurring", "Again and again"),
                        ],
                        default="once",
                        max_length=10,
                    ),
                ),
                (
                    "cron",
                    models.CharField(
                        blank=True, default="", help_text='For recurring: "0 9 * * mon".', max_length=100
                    ),
                ),
                (
                    "timezone",
                    models.CharField(blank=True, default="", help_text="Empty: the organisation's.", max_length=64),
                ),
                (
                    "priority",
                    models.SmallIntegerField(default=0, help_text="Higher goes first among those that are due."),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("retry_scheduled", "Retry Scheduled"),
                        ],
                        default="pending",
                        max_length=20,
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("run_at", models.DateTimeField(default=common.clock.now)),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        default=0, editable=False, help_text="Failed tries of this turn."
                    ),
                ),
                ("most_retries", models.PositiveSmallIntegerField(default=3)),
                (
                    "turn_count",
                    models.PositiveIntegerField(default=0, editable=False, help_text="Turns finished so far."),
                ),
                ("result", models.JSONField(blank=True, default=dict, editable=False)),
                ("error", models.TextField(blank=True, default="", editable=False)),
                ("last_run_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("completed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(default=common.clock.now, editable=False)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_active", True), ("status__in", ["pending", "retry_scheduled"])),
                        fields=["organization_id", "run_at"],
                        name="scheduled_tasks_waiting",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ScheduledTry",
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
                ("tried_at", models.DateTimeField(default=common.clock.now)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("retry_scheduled", "Retry Scheduled"),
                        ],
                        max_length=20,
                    ),
                ),
                ("result", models.JSONField(db_default={}, default=dict)),
                ("error", models.TextField(blank=True, db_default="", default="")),
                (
                    "task",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tries",
                        to="automations.scheduledtask",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["task", "-id"], name="tries_by_task")],
            },
        ),
        migrations.CreateModel(
            name="Simulation",
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
                ("document", models.JSONField()),
                (
                    "days",
                    models.PositiveSmallIntegerField(
                        default=30,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(366),
                        ],
                    ),
                ),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("run_at", models.DateTimeField(default=common.clock.now)),
                ("done_count", models.PositiveBigIntegerField(default=0)),
                ("whole_count", models.PositiveBigIntegerField(null=True)),
                ("result", models.JSONField(null=True)),
                ("error", models.TextField(blank=True, default="")),
                ("author", models.CharField(blank=True, default="", max_length=200)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "automation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="simulations",
                        to="automations.automation",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="automations.automationversion",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["pending", "running"])),
                        fields=["organization_id", "run_at"],
                        name="simulations_to_run",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StepCount",
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
                ("step_id", models.CharField(max_length=60)),
                ("outcome", models.CharField(max_length=10)),
                ("way", models.CharField(help_text="The branch it took, or why it did nothing.", max_length=100)),
                ("day", models.DateField(help_text="In the organisation's zone.")),
                ("slot", models.SmallIntegerField()),
                ("times", models.IntegerField()),
                ("is_folded", models.BooleanField(db_default=False, default=False)),
                (
                    "automation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="automations.automation",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="automations.automationversion",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["automation", "version", "day"], name="step_counts_by_automation"),
                    models.Index(
                        condition=models.Q(("is_folded", False)),
                        fields=["organization_id"],
                        name="step_counts_to_fold",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StepRun",
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
                ("seconds", models.PositiveIntegerField(db_default=0, default=0, help_text="After the entry.")),
                ("number", models.PositiveIntegerField(help_text="1, 2, 3 … within the run.")),
                ("step_id", models.CharField(max_length=60)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("done", "Done"),
                            ("waited", "Waited"),
                            ("branched", "Branched"),
                            ("skipped", "Skipped"),
                            ("exited", "Exited"),
                            ("goal", "Goal"),
                            ("failed", "Failed"),
                            ("moved", "Moved"),
                        ],
                        max_length=10,
                    ),
                ),
                ("detail", models.JSONField(db_default={}, default=dict)),
                ("error", models.TextField(blank=True, db_default="", default="")),
                ("happened_at", models.DateTimeField(default=common.clock.now)),
                (
                    "automation",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="automations.automation",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="step_runs",
                        to="automations.automationrun",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="automations.automationversion",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["automation", "happened_at", "id"], name="step_runs_by_automation"),
                    models.Index(
                        condition=models.Q(("outcome", "failed")),
                        fields=["automation", "happened_at", "id"],
                        name="step_runs_failed",
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("run", "number"), name="one_step_run_per_number")],
            },
        ),
        migrations.CreateModel(
            name="Task",
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
                ("title", models.CharField(max_length=300)),
                ("description", models.TextField(blank=True, default="")),
                ("task_type", models.CharField(default="follow_up", max_length=60)),
                (
                    "priority",
                    models.CharField(
                        choices=[("low", "Low"), ("medium", "Medium"), ("high", "High"), ("urgent", "Urgent")],
                        default="medium",
                        max_length=10,
                    ),
                ),
                ("due_date", models.DateField(blank=True, null=True)),
                ("snoozed_until", models.DateField(blank=True, help_text="Out of sight until this day.", null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("done", "Done"), ("cancelled", "Cancelled")],
                        db_default="open",
                        default="open",
                        max_length=10,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("done", "Done"),
                            ("reached", "Reached them"),
                            ("no_answer", "No answer"),
                            ("not_interested", "Not interested"),
                        ],
                        db_default="",
                        default="",
                        max_length=20,
                    ),
                ),
                (
                    "source_key",
                    models.CharField(editable=False, help_text="automation:<run>:<step>", max_length=200, null=True),
                ),
                ("created_at", models.DateTimeField(default=common.clock.now, editable=False)),
                ("done_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "assignee",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="tasks",
                        to="accounts.member",
                    ),
                ),
                (
                    "automation",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="tasks",
                        to="automations.automation",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tasks",
                        to="audience.contact",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["organization_id", "assignee", "status", "due_date"], name="tasks_by_assignee"
                    ),
                    models.Index(fields=["organization_id", "status", "due_date"], name="tasks_by_day"),
                    models.Index(fields=["organization_id", "contact"], name="tasks_by_contact"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "source_key"), name="one_task_per_source")
                ],
            },
        ),
        migrations.CreateModel(
            name="TaskNote",
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
                ("author", models.CharField(max_length=200)),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                (
                    "task",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notes", to="automations.task"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="TriggerTurn",
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
                ("trigger", models.JSONField(help_text="The trigger that the moments below are of.")),
                ("turn_at", models.DateTimeField(help_text="The turn that comes; a late one keeps its moment.")),
                ("run_at", models.DateTimeField(help_text="When it is tried: the same, later after a failure.")),
                (
                    "looked_at",
                    models.DateTimeField(
                        default=common.clock.now, help_text="Moments until then have had their turn."
                    ),
                ),
                (
                    "automation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="turn", to="automations.automation"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "run_at"], name="turns_by_time")],
            },
        ),
        migrations.CreateModel(
            name="WatchSettings",
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
                    "failing_percent",
                    models.DecimalField(
                        decimal_places=1,
                        default=Decimal("5"),
                        help_text="Of a day's step tries that failed for good.",
                        max_digits=4,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(100),
                        ],
                    ),
                ),
                (
                    "stuck_seconds",
                    models.PositiveIntegerField(
                        default=300,
                        help_text="Due, and not moved for so long.",
                        validators=[django.core.validators.MinValueValidator(10)],
                    ),
                ),
                (
                    "silent_days",
                    models.PositiveSmallIntegerField(
                        default=7,
                        help_text="Nobody entered for so many days, though people did in the same span before.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(365),
                        ],
                    ),
                ),
                (
                    "keep_days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Left empty they are kept for ever. Counts, funnels and versions outlive them.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="keep step records for days",
                    ),
                ),
            ],
            options={
                "verbose_name": "alert settings",
                "verbose_name_plural": "alert settings",
                "constraints": [models.UniqueConstraint(fields=("organization_id",), name="one_watch_settings")],
            },
        ),
        migrations.CreateModel(
            name="AlertReader",
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
                ("by_mail", models.BooleanField(default=True, verbose_name="also by mail")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.member"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("member",), name="one_alert_reader_per_member")],
            },
        ),
        migrations.CreateModel(
            name="Alert",
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
                            ("failing", "Fails often"),
                            ("stuck", "Stuck"),
                            ("looping", "Loop guard struck"),
                            ("silent", "Nobody enters any more"),
                        ],
                        max_length=10,
                    ),
                ),
                ("sentence", models.CharField(max_length=300)),
                ("opened_at", models.DateTimeField(default=common.clock.now)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "automation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="alerts",
                        to="automations.automation",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "-opened_at"], name="alerts_by_time")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)),
                        fields=("automation", "kind"),
                        name="one_open_alert_per_kind",
                    )
                ],
            },
        ),
    ]
