"""The tables of integrations: one step, in place of those in which they grew before the first release."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import common.clock
import common.tenancy


class Migration(migrations.Migration):
    replaces = [("integrations", "0001_initial")]

    initial = True

    dependencies = [
        ("segments", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Destination",
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
                ("name", models.CharField(max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("meta", "Meta Custom Audiences"),
                            ("google_ads", "Google Ads Customer Match"),
                            ("tiktok", "TikTok custom audiences"),
                            ("linkedin", "LinkedIn matched audiences"),
                            ("webhook", "Webhook"),
                        ],
                        max_length=30,
                    ),
                ),
                ("settings", models.JSONField(default=dict, help_text="What is no secret.")),
                ("sealed_secrets", models.TextField(blank=True, default="", editable=False)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "name"), name="one_destination_per_name")
                ],
            },
        ),
        migrations.CreateModel(
            name="AudienceSync",
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
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "Email"),
                            ("sms", "SMS"),
                            ("whatsapp", "WhatsApp"),
                            ("push", "Push"),
                            ("in_app", "In-app"),
                            ("slack", "Slack"),
                            ("webhook", "Webhook"),
                        ],
                        default="email",
                        help_text="Only who agreed to marketing on this channel, for all topics, is sent.",
                        max_length=20,
                    ),
                ),
                (
                    "audience_name",
                    models.CharField(help_text="How the audience is called at the platform.", max_length=120),
                ),
                (
                    "audience_id",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Its id there. Empty: it is made with the first push.",
                        max_length=200,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Active"), ("paused", "Paused"), ("ending", "Being taken away")],
                        default="active",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", help_text="Why it is paused.", max_length=300)),
                ("failures", models.PositiveSmallIntegerField(default=0, help_text="In a row.")),
                (
                    "run_at",
                    models.DateTimeField(default=common.clock.now, help_text="No request before this moment."),
                ),
                ("lease_token", models.UUIDField(editable=False, null=True)),
                ("lease_expires_at", models.DateTimeField(editable=False, null=True)),
                (
                    "planned_at",
                    models.DateTimeField(help_text="When the whole segment was last compared.", null=True),
                ),
                ("pushed_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="audience_syncs",
                        to="segments.segment",
                    ),
                ),
                (
                    "destination",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="syncs",
                        to="integrations.destination",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "status", "run_at"], name="syncs_due")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("destination", "segment"), name="one_sync_per_destination_and_segment"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Push",
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
                ("change", models.CharField(choices=[("add", "Add"), ("remove", "Remove")], max_length=6)),
                ("record_count", models.PositiveIntegerField()),
                ("refused_count", models.PositiveIntegerField(default=0)),
                ("status", models.CharField(choices=[("done", "Done"), ("failed", "Failed")], max_length=10)),
                ("error", models.TextField(blank=True, default="")),
                (
                    "seconds",
                    models.FloatField(
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1000000.0),
                        ]
                    ),
                ),
                ("happened_at", models.DateTimeField(default=common.clock.now)),
                (
                    "sync",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pushes",
                        to="integrations.audiencesync",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "pushes",
                "indexes": [models.Index(fields=["sync", "-id"], name="pushes_of_sync")],
            },
        ),
        migrations.CreateModel(
            name="SyncedContact",
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
                ("contact_id", models.BigIntegerField(null=True)),
                ("change", models.CharField(choices=[("add", "Add"), ("remove", "Remove")], max_length=6)),
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
                ("error", models.CharField(blank=True, default="", max_length=300)),
                ("fingerprint", models.CharField(max_length=32)),
                ("identifiers", models.JSONField(default=dict)),
                ("may_be_there", models.BooleanField(default=False)),
                ("pushed_at", models.DateTimeField(null=True)),
                (
                    "sync",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="contacts",
                        to="integrations.audiencesync",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status__in", ["pending", "claimed"])),
                        fields=["sync", "change", "id"],
                        name="changes_to_push",
                    ),
                    models.Index(fields=["organization_id", "contact_id"], name="synced_by_contact"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("contact_id__isnull", False)),
                        fields=("sync", "contact_id"),
                        name="one_row_per_contact_and_sync",
                    )
                ],
            },
        ),
    ]
