"""The tables of delivery: one step, in place of those in which they grew before the first release."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import common.clock
import common.tenancy
import delivery.models.holdouts


class Migration(migrations.Migration):
    replaces = [
        ("delivery", "0001_initial"),
        ("delivery", "0002_claims"),
        ("delivery", "0003_deliverability"),
        ("delivery", "0004_channels"),
        ("delivery", "0005_policy"),
        ("delivery", "0006_channel_words"),
        ("delivery", "0007_content_languages"),
        ("delivery", "0008_provider_reports"),
        ("delivery", "0009_provider_probes"),
        ("delivery", "0010_visits"),
        ("delivery", "0011_needs_are_computed"),
        ("delivery", "0012_sync"),
        ("delivery", "0013_short_links"),
        ("delivery", "0014_handed_to"),
        ("delivery", "0015_mail_counts"),
    ]

    initial = True

    dependencies = [
        ("audience", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="QuietHours",
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
                ("quiet_from", models.TimeField(default="21:00")),
                (
                    "quiet_until",
                    models.TimeField(
                        default="08:00",
                        help_text="The same as from: with weekdays the whole day, without them never quiet.",
                    ),
                ),
                (
                    "weekdays",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(
                            choices=[
                                (0, "Monday"),
                                (1, "Tuesday"),
                                (2, "Wednesday"),
                                (3, "Thursday"),
                                (4, "Friday"),
                                (5, "Saturday"),
                                (6, "Sunday"),
                            ]
                        ),
                        blank=True,
                        db_default=[],
                        default=list,
                        help_text="On which it begins; none: every day.",
                        size=None,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "quiet hours",
            },
        ),
        migrations.CreateModel(
            name="Claim",
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
                ("token", models.UUIDField(unique=True)),
                (
                    "message_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                (
                    "flying_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        default=list,
                        help_text="Handed over, outcome not recorded.",
                        size=None,
                    ),
                ),
                ("flown_at", models.DateTimeField(null=True)),
                (
                    "account_id",
                    models.BigIntegerField(help_text="The account at a provider to which those went.", null=True),
                ),
                ("lease_expires_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "lease_expires_at"], name="claims_by_lease")],
            },
        ),
        migrations.CreateModel(
            name="ConfirmationLetter",
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
                    "locale",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text='E.g. "de" or "pt-BR"; empty: all the others.',
                        max_length=20,
                        verbose_name="language",
                    ),
                ),
                ("subject", models.CharField(max_length=300)),
                (
                    "html",
                    models.TextField(
                        help_text="{{ confirm_url }} is the link, {{ subscription }} what it is for.",
                        verbose_name="words",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "locale"), name="one_confirmation_per_locale")
                ],
            },
        ),
        migrations.CreateModel(
            name="Content",
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
                        max_length=10,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("marketing", "Marketing"),
                            ("transactional", "Transactional"),
                            ("notification", "Notification"),
                        ],
                        default="marketing",
                        max_length=15,
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("subject", models.TextField(blank=True, default="")),
                (
                    "preheader",
                    models.TextField(blank=True, default="", help_text="What inboxes show beside the subject."),
                ),
                ("html", models.TextField(blank=True, default="")),
                ("text", models.TextField(blank=True, default="")),
                (
                    "fields",
                    models.JSONField(
                        db_default={},
                        default=dict,
                        help_text="What a message of another channel than e-mail says (domain.channels).",
                    ),
                ),
                ("defaults", models.JSONField(default=dict, help_text="Values for variables a contact lacks.")),
                (
                    "variables",
                    models.JSONField(
                        db_default=[],
                        default=list,
                        help_text="Names that every message of this content brings along.",
                    ),
                ),
                (
                    "variants",
                    models.JSONField(
                        db_default={},
                        default=dict,
                        help_text='Other languages: {"de": {"subject", "preheader", "html", "text"}}.',
                    ),
                ),
                (
                    "segments",
                    models.JSONField(
                        db_default=[], default=list, help_text="Ids of the segments by which it decides what to show."
                    ),
                ),
                ("checksum", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "checksum"), name="one_content_per_checksum")
                ],
            },
        ),
        migrations.CreateModel(
            name="DeliveryPolicy",
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
                ("most_per_day", models.PositiveSmallIntegerField(default=2)),
                ("hours_between", models.PositiveSmallIntegerField(default=8)),
                ("quiet_from", models.TimeField(default="21:00", help_text="In the contact's own time zone.")),
                ("quiet_until", models.TimeField(default="08:00")),
                ("requires_consent", models.BooleanField(default=True)),
            ],
            options={
                "verbose_name_plural": "delivery policies",
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id",), name="one_policy_per_organization")
                ],
            },
        ),
        migrations.CreateModel(
            name="Hold",
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
                    "source_type",
                    models.CharField(
                        choices=[
                            ("campaign", "Campaign"),
                            ("automation", "Automation"),
                            ("api", "Api"),
                            ("test", "Test"),
                            ("confirmation", "Confirmation"),
                        ],
                        max_length=12,
                    ),
                ),
                ("source_id", models.BigIntegerField()),
                ("is_final", models.BooleanField(db_default=False, default=False, help_text="Cancelled.")),
                ("created_at", models.DateTimeField(default=common.clock.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "source_type", "source_id"), name="one_hold_per_source"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Holdout",
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
                    "source_type",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("campaign", "Campaign"),
                            ("automation", "Automation"),
                            ("api", "Api"),
                            ("test", "Test"),
                            ("confirmation", "Confirmation"),
                        ],
                        default="",
                        editable=False,
                        help_text="Empty: everything.",
                        max_length=12,
                    ),
                ),
                ("source_id", models.BigIntegerField(default=0, editable=False)),
                (
                    "percent",
                    models.DecimalField(
                        decimal_places=1,
                        max_digits=4,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(50),
                        ],
                    ),
                ),
                ("salt", models.CharField(default=delivery.models.holdouts.new_salt, editable=False, max_length=32)),
                ("starts_at", models.DateTimeField(default=common.clock.now)),
                (
                    "ends_at",
                    models.DateTimeField(blank=True, help_text="Empty: until it is switched off.", null=True),
                ),
                (
                    "renew_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="A new group is drawn after so many days; empty: the same group all along.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("source_type", ""), _negated=True),
                        fields=("organization_id", "source_type", "source_id"),
                        name="one_holdout_per_source",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MailboxDomain",
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
                ("name", models.CharField(max_length=253)),
                ("provider", models.CharField(max_length=20)),
                ("looked_up_at", models.DateTimeField(default=common.clock.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "name"), name="one_row_per_mailbox_domain")
                ],
            },
        ),
        migrations.CreateModel(
            name="MailboxMessage",
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
                ("sender", models.CharField(max_length=320)),
                ("recipient", models.CharField(max_length=320)),
                ("subject", models.TextField(blank=True, default="")),
                ("body", models.BinaryField(help_text="The whole message as it came over SMTP.")),
                ("size", models.PositiveIntegerField()),
                ("received_at", models.DateTimeField(default=common.clock.now)),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "-id"], name="mailbox_newest")],
            },
        ),
        migrations.CreateModel(
            name="MailCount",
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
                    "left_at",
                    models.DateTimeField(help_text="The quarter of an hour; every zone's day begins with one."),
                ),
                ("sender_id", models.BigIntegerField(null=True)),
                ("recipient_domain", models.CharField(max_length=320)),
                ("sent", models.IntegerField()),
                ("delivered", models.IntegerField()),
                ("deferred", models.IntegerField()),
                ("bounced", models.IntegerField()),
                ("complained", models.IntegerField()),
                ("opened", models.IntegerField()),
                ("clicked", models.IntegerField()),
                ("is_folded", models.BooleanField(db_default=False, default=False)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "left_at"], name="mail_counts_by_time"),
                    models.Index(
                        condition=models.Q(("is_folded", False)),
                        fields=["organization_id"],
                        name="mail_counts_to_fold",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Message",
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
                ("idempotency_key", models.CharField(max_length=200)),
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
                        max_length=10,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("marketing", "Marketing"),
                            ("transactional", "Transactional"),
                            ("notification", "Notification"),
                        ],
                        default="marketing",
                        max_length=15,
                    ),
                ),
                (
                    "source_type",
                    models.CharField(
                        choices=[
                            ("campaign", "Campaign"),
                            ("automation", "Automation"),
                            ("api", "Api"),
                            ("test", "Test"),
                            ("confirmation", "Confirmation"),
                        ],
                        max_length=12,
                    ),
                ),
                ("source_id", models.BigIntegerField(default=0)),
                ("utm_campaign", models.CharField(blank=True, db_default="", default="", max_length=100)),
                (
                    "priority",
                    models.PositiveSmallIntegerField(
                        choices=[(0, "Awaited by the contact"), (1, "Prompt"), (2, "Bulk")], db_default=1, default=1
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
                ("expires_at", models.DateTimeField(help_text="Not sent any more from then on.", null=True)),
                ("variables", models.JSONField(db_default={}, default=dict)),
                ("address", models.CharField(blank=True, db_default="", default="", max_length=320)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("held", "Held"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("refused", "Refused"),
                            ("failed", "Failed"),
                            ("uncertain", "Uncertain"),
                            ("cancelled", "Cancelled"),
                        ],
                        db_default="queued",
                        default="queued",
                        max_length=12,
                    ),
                ),
                ("reason", models.CharField(blank=True, db_default="", default="", max_length=300)),
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("run_at", models.DateTimeField(default=common.clock.now)),
                ("lease_token", models.UUIDField(editable=False, help_text="The claim that has it.", null=True)),
                (
                    "claimed_at",
                    models.DateTimeField(help_text="When policy let it go; caps count from here.", null=True),
                ),
                ("handed_at", models.DateTimeField(help_text="When it went to the provider.", null=True)),
                ("provider_message_id", models.CharField(blank=True, db_default="", default="", max_length=200)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                ("sent_at", models.DateTimeField(null=True)),
                ("opened_at", models.DateTimeField(help_text="First open by a person.", null=True)),
                ("clicked_at", models.DateTimeField(help_text="First click by a person.", null=True)),
                ("unsubscribed_at", models.DateTimeField(null=True)),
                (
                    "delivered_at",
                    models.DateTimeField(
                        help_text="Taken by the contact's mail server, says the provider.", null=True
                    ),
                ),
                ("bounced_at", models.DateTimeField(null=True)),
                ("complained_at", models.DateTimeField(null=True)),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="messages",
                        to="audience.contact",
                    ),
                ),
                (
                    "content",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="delivery.content",
                    ),
                ),
                (
                    "topic",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="audience.topic",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "queued")),
                        fields=["organization_id", "channel", "priority", "run_at", "id"],
                        name="queued_messages",
                    ),
                    models.Index(
                        condition=models.Q(("status", "uncertain")),
                        fields=["organization_id", "id"],
                        name="uncertain_messages",
                    ),
                    models.Index(
                        fields=["organization_id", "source_type", "source_id", "status"], name="messages_by_source"
                    ),
                    models.Index(fields=["organization_id", "contact", "-id"], name="messages_by_contact"),
                    models.Index(
                        condition=models.Q(
                            models.Q(("kind", "transactional"), _negated=True), ("claimed_at__isnull", False)
                        ),
                        fields=["organization_id", "contact", "claimed_at"],
                        name="messages_against_caps",
                    ),
                    models.Index(
                        condition=models.Q(("handed_at__isnull", False)),
                        fields=["organization_id", "handed_at"],
                        name="messages_handed_over",
                    ),
                    models.Index(
                        condition=models.Q(("status", "queued"), models.Q(("kind", "transactional"), _negated=True)),
                        fields=["organization_id", "contact"],
                        name="queued_by_contact",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "idempotency_key"), name="one_message_per_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
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
                ("happened_at", models.DateTimeField(default=common.clock.now)),
                ("outcome", models.CharField(max_length=20)),
                ("answer", models.TextField(blank=True, default="")),
                (
                    "device",
                    models.CharField(
                        blank=True, db_default="", default="", help_text="Of a push message.", max_length=40
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempt_log",
                        to="delivery.message",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Provider",
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
                ("kind", models.CharField(max_length=30)),
                ("name", models.CharField(max_length=100)),
                ("settings", models.JSONField(blank=True, default=dict)),
                ("sealed_secrets", models.TextField(blank=True, default="", editable=False)),
                (
                    "is_default",
                    models.BooleanField(
                        default=False, help_text="Used by messages of the channel whose sender names no other."
                    ),
                ),
                ("is_active", models.BooleanField(default=True, help_text="Switched off, its messages wait.")),
                ("paused_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("paused_reason", models.CharField(blank=True, default="", editable=False, max_length=300)),
                (
                    "paused_because",
                    models.CharField(
                        blank=True,
                        default="",
                        editable=False,
                        help_text="Empty when a person paused it.",
                        max_length=10,
                    ),
                ),
                (
                    "pause_count",
                    models.PositiveSmallIntegerField(
                        default=0, editable=False, help_text="How often in a row it was paused by itself."
                    ),
                ),
                (
                    "probe_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="When one message tries whether it works again.",
                        null=True,
                    ),
                ),
                (
                    "revision",
                    models.PositiveIntegerField(
                        default=1, editable=False, help_text="Counts changes of the settings."
                    ),
                ),
                ("created_at", models.DateTimeField(default=common.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=common.clock.now, editable=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True), models.Q(("channel", "push"), _negated=True)),
                        fields=("organization_id", "channel"),
                        name="one_default_provider_per_channel",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("channel", "push"), ("is_default", True)),
                        fields=("organization_id", "kind"),
                        name="one_default_push_provider_per_kind",
                    ),
                    models.UniqueConstraint(fields=("organization_id", "name"), name="one_provider_per_name"),
                ],
            },
        ),
        migrations.AddField(
            model_name="message",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                help_text="Whereto it was handed last; empty for EMAIL_URL, and for push, which has several at once.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="delivery.provider",
            ),
        ),
        migrations.CreateModel(
            name="ReputationCheck",
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
                ("due_at", models.DateTimeField(null=True)),
                ("looked_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="reputation_checks_due"
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("organization_id",), name="one_reputation_check")],
            },
        ),
        migrations.CreateModel(
            name="Sender",
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
                ("address", models.EmailField(max_length=254)),
                ("reply_to", models.EmailField(blank=True, default="", max_length=254)),
                ("is_default", models.BooleanField(default=False)),
                (
                    "provider",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: the default one for e-mail.",
                        limit_choices_to={"channel": "email"},
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="senders",
                        to="delivery.provider",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)),
                        fields=("organization_id",),
                        name="one_default_sender",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="message",
            name="sender",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to="delivery.sender",
            ),
        ),
        migrations.CreateModel(
            name="SendingDomain",
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
                ("name", models.CharField(max_length=253)),
                (
                    "tier",
                    models.PositiveSmallIntegerField(
                        help_text="Step of the warm-up; empty: no limit a day.", null=True
                    ),
                ),
                ("tier_since", models.DateTimeField(null=True)),
                ("tier_reason", models.CharField(blank=True, default="", max_length=400)),
                ("goal_per_day", models.PositiveIntegerField(default=0)),
                ("warmup_started_at", models.DateTimeField(null=True)),
                ("judged_on", models.DateField(help_text="The last day on which the warm-up was judged.", null=True)),
                ("signs", models.BooleanField(default=False, help_text="We sign its mail with our own DKIM key.")),
                (
                    "relay_selector",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The DKIM selector that the relay signs with.",
                        max_length=63,
                    ),
                ),
                ("report", models.JSONField(default=list)),
                ("report_status", models.CharField(blank=True, default="", max_length=10)),
                ("checked_at", models.DateTimeField(null=True)),
                ("broken", models.JSONField(default=list, help_text="Checks that passed before and fail now.")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "name"), name="one_row_per_sending_domain")
                ],
            },
        ),
        migrations.CreateModel(
            name="LaneDay",
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
                ("provider", models.CharField(blank=True, default="", max_length=20)),
                ("day", models.DateField()),
                ("used", models.PositiveIntegerField(db_default=0, default=0)),
                ("minute", models.DateTimeField(null=True)),
                ("minute_used", models.PositiveIntegerField(db_default=0, default=0)),
                (
                    "booked",
                    models.PositiveIntegerField(
                        db_default=0, default=0, help_text="Waiting mails with a place on this day."
                    ),
                ),
                ("booked_until", models.DateTimeField(null=True)),
                (
                    "domain",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lanes",
                        to="delivery.sendingdomain",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "domain", "provider", "day"), name="one_row_per_lane_and_day"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DkimKey",
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
                ("selector", models.CharField(max_length=63)),
                ("secret", models.TextField(editable=False)),
                ("public_key", models.TextField()),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                (
                    "verified_at",
                    models.DateTimeField(help_text="When the record in the zone was seen to match.", null=True),
                ),
                (
                    "domain",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="keys",
                        to="delivery.sendingdomain",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "domain"), name="one_dkim_key_per_domain")
                ],
            },
        ),
        migrations.CreateModel(
            name="SendingPause",
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
                    "scope",
                    models.CharField(choices=[("domain", "Sending domain"), ("campaign", "Campaign")], max_length=10),
                ),
                (
                    "target",
                    models.CharField(help_text="The domain's name, or the campaign's number.", max_length=253),
                ),
                ("measure", models.CharField(max_length=20)),
                ("sent", models.PositiveIntegerField()),
                ("bad", models.PositiveIntegerField()),
                ("reason", models.CharField(max_length=300)),
                ("paused_at", models.DateTimeField(default=common.clock.now)),
                ("resumed_at", models.DateTimeField(null=True)),
                ("resumed_by", models.CharField(blank=True, default="", max_length=200)),
                ("resumed_because", models.CharField(blank=True, default="", max_length=300)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("resumed_at__isnull", True)),
                        fields=("organization_id", "scope", "target"),
                        name="one_pause_per_target",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ShortLink",
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
                ("place", models.PositiveSmallIntegerField(help_text="Which address of the text, from 0.")),
                ("url", models.TextField()),
                ("utm_campaign", models.CharField(blank=True, db_default="", default="", max_length=200)),
                (
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="short_links",
                        to="delivery.message",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("message", "place"), name="one_link_per_place")],
            },
        ),
        migrations.CreateModel(
            name="SlowLane",
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
                ("provider", models.CharField(max_length=20)),
                ("reduction", models.PositiveSmallIntegerField()),
                ("reason", models.CharField(max_length=300)),
                ("since", models.DateTimeField(default=common.clock.now)),
                (
                    "domain",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="slow_lanes",
                        to="delivery.sendingdomain",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "domain", "provider"), name="one_slow_lane_per_provider"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SyncedItem",
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
                ("client_id", models.CharField(help_text="The client's own id of the item.", max_length=100)),
                (
                    "kind",
                    models.CharField(
                        choices=[("open", "Open"), ("click", "Click"), ("conversion", "Conversion")], max_length=12
                    ),
                ),
                ("message_id", models.BigIntegerField(null=True)),
                (
                    "happened_at",
                    models.DateTimeField(help_text="By the client's clock, set right by when it sent the queue."),
                ),
                ("order_id", models.CharField(blank=True, default="", max_length=200)),
                ("value_minor", models.BigIntegerField(null=True)),
                ("currency", models.CharField(blank=True, default="", max_length=3)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("applied", "Applied"),
                            ("repeated", "Repeated"),
                            ("merged", "Merged"),
                            ("conflict", "Conflict"),
                            ("refused", "Refused"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=300)),
                ("received_at", models.DateTimeField(default=common.clock.now)),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="audience.contact",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "contact", "client_id"), name="one_item_per_client_id"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Visit",
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
                ("kind", models.CharField(max_length=12)),
                ("message_id", models.BigIntegerField()),
                ("url", models.TextField(blank=True, default="")),
                ("user_agent", models.CharField(blank=True, default="", max_length=300)),
                (
                    "is_probe",
                    models.BooleanField(default=False, help_text="A HEAD request, or one that says it prefetches."),
                ),
                (
                    "is_browserlike",
                    models.BooleanField(
                        help_text="Whether it bore the headers of a browser that follows a link; empty without TLS.",
                        null=True,
                    ),
                ),
                ("happened_at", models.DateTimeField(default=common.clock.now)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "happened_at"], name="visits_by_time"),
                    models.Index(fields=["organization_id", "message_id"], name="visits_by_message"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CapRule",
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
                        choices=[("marketing", "Marketing"), ("notification", "Notification")],
                        default="marketing",
                        max_length=15,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("email", "Email"),
                            ("sms", "SMS"),
                            ("whatsapp", "WhatsApp"),
                            ("push", "Push"),
                            ("in_app", "In-app"),
                            ("slack", "Slack"),
                            ("webhook", "Webhook"),
                        ],
                        default="",
                        help_text="Empty: all together, but in-app, Slack and webhooks.",
                        max_length=10,
                    ),
                ),
                (
                    "most",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Messages per contact; empty: any number.",
                        null=True,
                        verbose_name="at most",
                    ),
                ),
                (
                    "per_hours",
                    models.PositiveSmallIntegerField(
                        default=24,
                        help_text="24 is a day, 168 a week.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(8784),
                        ],
                        verbose_name="in hours",
                    ),
                ),
                (
                    "hours_between",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="0: as close as they come.",
                        validators=[django.core.validators.MaxValueValidator(8784)],
                    ),
                ),
                (
                    "topic",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="Empty: all topics together.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="audience.topic",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "kind", "channel", "topic", "per_hours"),
                        name="one_cap_per_scope",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="InboxMessage",
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
                    "placement",
                    models.CharField(
                        choices=[("inbox", "Inbox entry"), ("banner", "Banner"), ("modal", "Modal")], max_length=10
                    ),
                ),
                ("title", models.TextField()),
                ("body", models.TextField(blank=True, default="")),
                ("button", models.TextField(blank=True, default="")),
                ("url", models.TextField(blank=True, default="")),
                ("image", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                ("expires_at", models.DateTimeField(null=True)),
                ("read_at", models.DateTimeField(null=True)),
                ("clicked_at", models.DateTimeField(null=True)),
                ("dismissed_at", models.DateTimeField(null=True)),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="inbox",
                        to="audience.contact",
                    ),
                ),
                (
                    "message",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="in_app",
                        to="delivery.message",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "contact", "-id"], name="inbox_of_contact")],
            },
        ),
        migrations.CreateModel(
            name="HeldOut",
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
                ("period", models.PositiveIntegerField(help_text="Which draw it was, from 0.")),
                (
                    "source_type",
                    models.CharField(
                        choices=[
                            ("campaign", "Campaign"),
                            ("automation", "Automation"),
                            ("api", "Api"),
                            ("test", "Test"),
                            ("confirmation", "Confirmation"),
                        ],
                        max_length=12,
                    ),
                ),
                ("source_id", models.BigIntegerField()),
                ("happened_at", models.DateTimeField(default=common.clock.now)),
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
                    "holdout",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="held_out",
                        to="delivery.holdout",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="delivery.message",
                    ),
                ),
            ],
            options={
                "verbose_name": "held-out message",
                "indexes": [
                    models.Index(
                        fields=["organization_id", "holdout", "period", "contact"], name="held_out_by_holdout"
                    ),
                    models.Index(fields=["organization_id", "contact"], name="held_out_by_contact"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "message"), name="held_out_once_per_message")
                ],
            },
        ),
        migrations.CreateModel(
            name="Farewell",
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
                    "reason",
                    models.CharField(
                        choices=[
                            ("too_often", "Too many messages"),
                            ("irrelevant", "Not interesting to me"),
                            ("never_asked", "I never asked for them"),
                            ("other", "Something else"),
                        ],
                        max_length=12,
                    ),
                ),
                ("words", models.CharField(blank=True, default="", max_length=500)),
                ("told_at", models.DateTimeField(default=common.clock.now)),
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
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="delivery.message",
                    ),
                ),
            ],
            options={
                "verbose_name": "reason for unsubscribing",
                "verbose_name_plural": "reasons for unsubscribing",
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "message"), name="one_farewell_per_message")
                ],
            },
        ),
        migrations.CreateModel(
            name="Engagement",
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
                            ("open", "Open"),
                            ("click", "Click"),
                            ("unsubscribe", "Unsubscribe"),
                            ("bounce", "Bounce"),
                            ("complaint", "Complaint"),
                        ],
                        max_length=12,
                    ),
                ),
                ("url", models.TextField(blank=True, default="")),
                ("is_machine", models.BooleanField(default=False)),
                (
                    "signal",
                    models.CharField(
                        blank=True, db_default="", default="", help_text="By what a machine was known.", max_length=12
                    ),
                ),
                ("is_simulated", models.BooleanField(default=False, help_text="Drawn by the demo, not by a person.")),
                ("user_agent", models.CharField(blank=True, default="", max_length=300)),
                ("happened_at", models.DateTimeField(default=common.clock.now)),
                (
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="engagements",
                        to="delivery.message",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "message", "kind"], name="engagement_by_message")
                ],
            },
        ),
        migrations.CreateModel(
            name="Preference",
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
                    "frequency",
                    models.CharField(
                        choices=[
                            ("any", "Whenever there is something to say"),
                            ("daily", "At most once a day"),
                            ("weekly", "At most once a week"),
                            ("monthly", "At most once a month"),
                        ],
                        db_default="any",
                        default="any",
                        max_length=10,
                    ),
                ),
                ("paused_until", models.DateTimeField(blank=True, null=True)),
                ("updated_at", models.DateTimeField(default=common.clock.now)),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="audience.contact",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "contact"), name="one_preference_per_contact")
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderCall",
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
                ("lease_token", models.UUIDField(editable=False, null=True)),
                ("lease_expires_at", models.DateTimeField(editable=False, null=True)),
                ("error", models.TextField(blank=True, db_default="", default="")),
                (
                    "kind",
                    models.CharField(
                        help_text="How to read it: the account's kind, or `bounce` for a mail.", max_length=30
                    ),
                ),
                ("content_type", models.CharField(blank=True, default="", max_length=200)),
                ("headers", models.JSONField(blank=True, default=dict)),
                ("body", models.BinaryField()),
                ("digest", models.CharField(editable=False, max_length=64)),
                ("received_at", models.DateTimeField(default=common.clock.now)),
                ("report_count", models.PositiveIntegerField(db_default=0, default=0)),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="calls",
                        to="delivery.provider",
                    ),
                ),
            ],
            options={
                "verbose_name": "provider's report",
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")),
                        fields=["organization_id", "run_at", "id"],
                        name="pending_calls",
                    ),
                    models.Index(fields=["organization_id", "received_at"], name="calls_by_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "digest"), name="one_call_per_digest")
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderReport",
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
                ("key", models.CharField(editable=False, max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("accepted", "accepted"),
                            ("deferred", "deferred"),
                            ("delivered", "delivered"),
                            ("bounced", "bounced"),
                            ("rejected", "rejected"),
                            ("complained", "complained"),
                            ("unsubscribed", "unsubscribed"),
                            ("opened", "opened"),
                            ("clicked", "clicked"),
                            ("other", "other"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "finding",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "nothing"),
                            ("dead", "dead"),
                            ("complained", "complained"),
                            ("unsubscribed", "unsubscribed"),
                        ],
                        default="",
                        max_length=12,
                    ),
                ),
                ("address", models.CharField(blank=True, default="", max_length=320)),
                ("provider_message_id", models.CharField(blank=True, default="", max_length=200)),
                ("url", models.TextField(blank=True, default="")),
                ("user_agent", models.CharField(blank=True, default="", max_length=300)),
                ("answer", models.TextField(blank=True, default="")),
                ("happened_at", models.DateTimeField()),
                ("received_at", models.DateTimeField(default=common.clock.now)),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="reports",
                        to="delivery.provider",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reports",
                        to="delivery.message",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "message"], name="reports_by_message"),
                    models.Index(fields=["organization_id", "received_at"], name="reports_by_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "key"), name="one_report_per_key")
                ],
            },
        ),
    ]
