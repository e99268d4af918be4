"""The tables of common: one step, in place of those in which they grew before the first release."""

import django.db.models.deletion
from django.db import migrations, models

import common.clock
import common.tenancy


class Migration(migrations.Migration):
    replaces = [("common", "0001_initial"), ("common", "0002_cause_depth")]

    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="OutboxNotice",
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
                ("kind", models.CharField(max_length=60)),
                ("payload", models.JSONField()),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                (
                    "depth",
                    models.PositiveSmallIntegerField(
                        db_default=0, default=0, help_text="How many doings of our own led to it, one by the other."
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="IdempotentAnswer",
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
                ("key", models.CharField(max_length=200)),
                ("caller", models.CharField(max_length=100)),
                ("request_hash", models.CharField(max_length=64)),
                ("status_code", models.PositiveSmallIntegerField(null=True)),
                ("body", models.JSONField(null=True)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "caller", "key"), name="one_answer_per_idempotency_key"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="NoticeDelivery",
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
                ("subscriber", models.CharField(max_length=100)),
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
                        max_length=20,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("run_at", models.DateTimeField(default=common.clock.now)),
                ("error", models.TextField(db_default="", default="")),
                (
                    "notice",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="common.outboxnotice",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")),
                        fields=["organization_id", "subscriber", "id"],
                        name="pending_deliveries",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("notice", "subscriber"), name="one_delivery_per_subscriber")
                ],
            },
        ),
    ]
