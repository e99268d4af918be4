"""The tables of audience: one step, in place of those in which they grew before the first release."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import common.clock
import common.tenancy


class Migration(migrations.Migration):
    replaces = [
        ("audience", "0001_initial"),
        ("audience", "0003_predictions"),
        ("audience", "0004_channels"),
        ("audience", "0005_policy"),
    ]

    initial = True

    dependencies = [
        ("accounts", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "id", "happened_at", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("id", models.BigIntegerField(editable=False)),
                ("organization_id", models.BigIntegerField(editable=False)),
                ("message_key", models.UUIDField()),
                ("happened_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("properties", models.JSONField()),
                ("context", models.JSONField()),
                ("value_minor", models.BigIntegerField(null=True)),
                ("currency", models.CharField(max_length=3, null=True)),
            ],
            options={
                "db_table": "audience_event",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="EventKey",
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
                        "organization_id",
                        "message_key",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("message_key", models.UUIDField()),
            ],
            options={
                "db_table": "audience_eventkey",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Import",
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
                ("kind", models.CharField(choices=[("contacts", "Contacts"), ("events", "Events")], max_length=10)),
                ("file_name", models.CharField(max_length=300)),
                ("file_hash", models.CharField(max_length=64)),
                ("mapping", models.JSONField(default=dict)),
                ("position", models.BigIntegerField(default=0, help_text="Rows taken so far.")),
                ("accepted_count", models.BigIntegerField(default=0)),
                ("rejected_count", models.BigIntegerField(default=0)),
                ("started_at", models.DateTimeField(default=common.clock.now)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AttributeDefinition",
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
                    "type",
                    models.CharField(
                        choices=[
                            ("text", "Text"),
                            ("number", "Number"),
                            ("boolean", "Boolean"),
                            ("date", "Date"),
                            ("list", "List"),
                            ("object", "Object"),
                        ],
                        max_length=10,
                    ),
                ),
                ("description", models.CharField(blank=True, default="", max_length=300)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "name"), name="one_attribute_per_name")
                ],
            },
        ),
        migrations.CreateModel(
            name="Contact",
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
                ("name", models.CharField(blank=True, db_default="", default="", max_length=300)),
                ("email", models.CharField(blank=True, db_default="", default="", max_length=320)),
                ("phone", models.CharField(blank=True, db_default="", default="", max_length=40)),
                (
                    "user_id",
                    models.CharField(
                        blank=True, db_default="", default="", help_text="The client's own id.", max_length=300
                    ),
                ),
                ("status", models.CharField(db_default="new", default="new", max_length=40)),
                (
                    "priority",
                    models.CharField(
                        choices=[("low", "Low"), ("medium", "Medium"), ("high", "High"), ("urgent", "Urgent")],
                        db_default="medium",
                        default="medium",
                        max_length=10,
                    ),
                ),
                ("source", models.CharField(blank=True, db_default="", default="", max_length=100)),
                (
                    "value_minor",
                    models.BigIntegerField(db_default=0, default=0, help_text="Value estimate in minor units."),
                ),
                ("currency", models.CharField(blank=True, db_default="", default="", max_length=3)),
                ("city", models.CharField(blank=True, db_default="", default="", max_length=100)),
                ("region", models.CharField(blank=True, db_default="", default="", max_length=100)),
                ("country", models.CharField(blank=True, db_default="", default="", max_length=60)),
                ("timezone", models.CharField(blank=True, db_default="", default="", max_length=64)),
                ("locale", models.CharField(blank=True, db_default="", default="", max_length=20)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        db_default=[],
                        default=list,
                        size=None,
                    ),
                ),
                ("attributes", models.JSONField(blank=True, db_default={}, default=dict)),
                ("first_seen_at", models.DateTimeField(default=common.clock.now)),
                ("last_seen_at", models.DateTimeField(default=common.clock.now)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                ("updated_at", models.DateTimeField(default=common.clock.now)),
                ("traits_at", models.DateTimeField(editable=False, null=True)),
                ("trait_times", models.JSONField(db_default={}, default=dict, editable=False)),
                (
                    "assignee",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.member",
                    ),
                ),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="audience.contact",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "email"], name="contact_by_email"),
                    models.Index(
                        condition=models.Q(("merged_into", None)),
                        fields=["organization_id", "-id"],
                        name="contact_living",
                    ),
                    django.contrib.postgres.indexes.GinIndex(fields=["tags"], name="contact_by_tag"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactPrediction",
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
                ("name", models.CharField(max_length=60)),
                ("value", models.DecimalField(decimal_places=6, max_digits=24)),
                (
                    "band",
                    models.CharField(choices=[("low", "Low"), ("medium", "Medium"), ("high", "High")], max_length=6),
                ),
                ("made_at", models.DateTimeField()),
                ("valid_until", models.DateTimeField()),
                ("model_version", models.CharField(blank=True, db_default="", default="", max_length=100)),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="predictions",
                        to="audience.contact",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "name", "contact"), name="one_prediction_per_contact"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("valid_until__gt", models.F("made_at"))), name="prediction_holds_a_while"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Device",
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
                    models.CharField(choices=[("web_push", "Browser"), ("fcm", "Phone or tablet")], max_length=10),
                ),
                (
                    "token",
                    models.CharField(
                        help_text="The endpoint of a browser, the registration token of an app.", max_length=1000
                    ),
                ),
                ("keys", models.JSONField(default=dict, help_text="Of a browser: p256dh and auth.")),
                (
                    "platform",
                    models.CharField(
                        blank=True, default="", help_text="As the device told: iOS, Chrome …", max_length=60
                    ),
                ),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                ("last_seen_at", models.DateTimeField(default=common.clock.now)),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="devices",
                        to="audience.contact",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "contact"], name="device_by_contact")],
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "kind", "token"), name="one_device_per_token")
                ],
            },
        ),
        migrations.CreateModel(
            name="EventDefinition",
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
                ("properties", models.JSONField(blank=True, default=dict)),
                ("description", models.CharField(blank=True, default="", max_length=300)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "name"), name="one_definition_per_event")
                ],
            },
        ),
        migrations.CreateModel(
            name="Identity",
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
                            ("user_id", "User Id"),
                            ("email", "Email"),
                            ("phone", "Phone"),
                            ("device_id", "Device Id"),
                            ("anonymous_id", "Anonymous Id"),
                        ],
                        max_length=20,
                    ),
                ),
                ("value", models.CharField(max_length=320)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identities",
                        to="audience.contact",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "identities",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "kind", "value"), name="one_contact_per_identity"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="IngestBatch",
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
                    "protocol",
                    models.CharField(
                        choices=[("segment", "Segment"), ("posthog", "Posthog"), ("internal", "Internal")],
                        max_length=10,
                    ),
                ),
                ("body", models.BinaryField()),
                ("received_at", models.DateTimeField(default=common.clock.now)),
                ("event_count", models.PositiveIntegerField(default=0)),
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
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("run_at", models.DateTimeField(default=common.clock.now)),
                ("processed_at", models.DateTimeField(null=True)),
                ("error", models.TextField(db_default="", default="")),
            ],
            options={
                "verbose_name_plural": "ingest batches",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")),
                        fields=["organization_id", "id"],
                        name="pending_batches",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Merge",
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
                ("reason", models.CharField(max_length=300)),
                ("event_count", models.PositiveIntegerField(default=0)),
                ("snapshot", models.JSONField(default=dict, help_text="The merged contact as it was.")),
                ("happened_at", models.DateTimeField(default=common.clock.now)),
                (
                    "merged",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="merges_away",
                        to="audience.contact",
                    ),
                ),
                (
                    "survivor",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="merges_in",
                        to="audience.contact",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="OptInSettings",
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
                    "is_double",
                    models.BooleanField(
                        default=False,
                        help_text="A new yes to e-mail counts after a click in a confirmation mail.",
                        verbose_name="ask for a click",
                    ),
                ),
                (
                    "expire_days",
                    models.PositiveSmallIntegerField(
                        default=7,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(90),
                        ],
                        verbose_name="link works for days",
                    ),
                ),
                (
                    "most_mails",
                    models.PositiveSmallIntegerField(
                        default=3,
                        help_text="How often the link is sent to one address within a day.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(10),
                        ],
                        verbose_name="mails at most",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "opt-in settings",
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id",), name="one_opt_in_per_organization")
                ],
            },
        ),
        migrations.CreateModel(
            name="PredictionDefinition",
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
                    "name",
                    models.CharField(
                        help_text="As rules and the API write it, such as churn_14d. It cannot be changed later.",
                        max_length=60,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z][a-z0-9_]{0,59}$", "Use small letters, digits and _, beginning with a letter."
                            )
                        ],
                    ),
                ),
                (
                    "label",
                    models.CharField(help_text="In a reader's words, such as Churn risk in 14 days.", max_length=120),
                ),
                (
                    "unit",
                    models.CharField(
                        choices=[
                            ("score", "Score from 0 to 1"),
                            ("amount", "Amount of money in minor units"),
                            ("number", "Number"),
                        ],
                        default="score",
                        max_length=10,
                    ),
                ),
                (
                    "medium_from",
                    models.DecimalField(
                        decimal_places=6,
                        default="0.33",
                        help_text="From this value on the band is medium.",
                        max_digits=24,
                    ),
                ),
                (
                    "high_from",
                    models.DecimalField(
                        decimal_places=6,
                        default="0.66",
                        help_text="From this value on the band is high.",
                        max_digits=24,
                    ),
                ),
                (
                    "valid_days",
                    models.PositiveSmallIntegerField(
                        default=14,
                        help_text="So many days after it was made a prediction is stale and no rule counts it, 1 to 730.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(730),
                        ],
                    ),
                ),
                ("description", models.CharField(blank=True, default="", max_length=300)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "name"), name="one_prediction_per_name")
                ],
            },
        ),
        migrations.CreateModel(
            name="RejectedEvent",
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
                    "protocol",
                    models.CharField(
                        choices=[("segment", "Segment"), ("posthog", "Posthog"), ("internal", "Internal")],
                        max_length=10,
                    ),
                ),
                ("code", models.CharField(max_length=60)),
                ("reason", models.TextField()),
                ("body", models.JSONField()),
                ("received_at", models.DateTimeField(default=common.clock.now)),
                ("replayed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="audience.ingestbatch",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Suppression",
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
                        max_length=10,
                    ),
                ),
                ("address", models.CharField(max_length=320)),
                ("reason", models.CharField(max_length=100)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "channel", "address"), name="one_suppression_per_address"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Topic",
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
                ("slug", models.SlugField()),
                (
                    "description",
                    models.CharField(blank=True, help_text="What people get, as they read it.", max_length=300),
                ),
                (
                    "opt_in",
                    models.CharField(
                        choices=[
                            ("usual", "As the organisation does"),
                            ("single", "At once"),
                            ("double", "After a click in a confirmation mail"),
                        ],
                        db_default="usual",
                        default="usual",
                        max_length=10,
                        verbose_name="subscribes",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "slug"), name="one_topic_per_slug")
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsentRequest",
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
                        max_length=10,
                    ),
                ),
                ("how", models.CharField(max_length=100)),
                ("wording", models.TextField(blank=True, default="")),
                ("proof", models.JSONField(default=dict)),
                ("address", models.CharField(help_text="Where the link went.", max_length=320)),
                ("mail_count", models.PositiveSmallIntegerField(default=0)),
                ("mailed_at", models.DateTimeField(null=True)),
                ("requested_at", models.DateTimeField(default=common.clock.now)),
                ("expires_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(null=True)),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="audience.contact",
                    ),
                ),
                (
                    "topic",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to="audience.topic"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("confirmed_at", None)),
                        fields=("organization_id", "contact", "channel", "topic"),
                        name="one_open_consent_request",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Consent",
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
                        max_length=10,
                    ),
                ),
                (
                    "state",
                    models.CharField(choices=[("granted", "Granted"), ("withdrawn", "Withdrawn")], max_length=10),
                ),
                ("how", models.CharField(help_text="Form, import, unsubscribe link, one-click …", max_length=100)),
                (
                    "wording",
                    models.TextField(blank=True, default="", help_text="What the person agreed to, word for word."),
                ),
                ("proof", models.JSONField(blank=True, default=dict)),
                ("happened_at", models.DateTimeField(default=common.clock.now)),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to="audience.contact",
                    ),
                ),
                (
                    "topic",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: all topics.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="audience.topic",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["organization_id", "contact", "channel", "-happened_at"], name="consent_latest"
                    )
                ],
            },
        ),
    ]
