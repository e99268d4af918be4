"""The tables of campaigns: one step, in place of those in which they grew before the first release."""

from decimal import Decimal

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import common.clock
import common.tenancy


class Migration(migrations.Migration):
    replaces = [
        ("campaigns", "0001_initial"),
        ("campaigns", "0002_mail_pictures"),
        ("campaigns", "0003_policy"),
        ("campaigns", "0004_blocks"),
        ("campaigns", "0005_channel_fields"),
        ("campaigns", "0006_snippet_languages"),
        ("campaigns", "0007_timing_and_budget"),
        ("campaigns", "0008_campaign_forecasts"),
        ("campaigns", "0009_runs_and_moments"),
        ("campaigns", "0010_offers_and_auto"),
        ("campaigns", "0011_copy_assistant"),
        ("campaigns", "0012_arms"),
        ("campaigns", "0013_copy_tests"),
        ("campaigns", "0014_found_by_filter"),
    ]

    initial = True

    dependencies = [
        ("audience", "0001_tables"),
        ("delivery", "0001_tables"),
        ("experiments", "0001_tables"),
        ("segments", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="AutoPreset",
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
                            ("vip_rewards", "VIP rewards"),
                            ("loyalty_bonus", "Loyalty bonus"),
                            ("location_promo", "Location promo"),
                            ("re_engagement", "Re-engagement"),
                            ("welcome_bonus", "Welcome bonus"),
                            ("milestone_reward", "Milestone reward"),
                            ("category_focus", "Category focus"),
                        ],
                        editable=False,
                        max_length=20,
                    ),
                ),
                ("name", models.CharField(help_text="The campaign is called this and the day.", max_length=120)),
                (
                    "policy",
                    models.CharField(
                        choices=[("propose", "Propose it to us"), ("launch", "Launch by itself"), ("off", "Off")],
                        default="propose",
                        max_length=10,
                    ),
                ),
                (
                    "least_spent_minor",
                    models.BigIntegerField(
                        blank=True,
                        help_text="Spent at least, in minor units.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "least_transactions",
                    models.PositiveIntegerField(blank=True, help_text="This many or more.", null=True),
                ),
                (
                    "fewer_than_transactions",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Fewer than this many.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(2)],
                    ),
                ),
                (
                    "most_locations",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Bought in one to this many places.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "inactive_days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Bought nothing for so many days.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "growth_percent",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Spent more in each third of the window than in the one before, by this many percent; 0: any more.",
                        null=True,
                    ),
                ),
                (
                    "least_people",
                    models.PositiveIntegerField(
                        default=5,
                        help_text="Fewer people wait until there are so many.",
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "offer_kind",
                    models.CharField(
                        choices=[
                            ("discount", "Discount"),
                            ("cashback", "Cashback"),
                            ("points", "Points"),
                            ("bonus", "Bonus"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "offer_value",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=12,
                        validators=[django.core.validators.MinValueValidator(Decimal("0.01"))],
                    ),
                ),
                (
                    "offer_unit",
                    models.CharField(help_text="percent, points_per_unit, points or a currency code", max_length=20),
                ),
                (
                    "is_for_favourite",
                    models.BooleanField(
                        default=False,
                        help_text="Each person's offer names the category they buy most.",
                        verbose_name="for the favourite category",
                    ),
                ),
                (
                    "duration_days",
                    models.PositiveSmallIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(365),
                        ]
                    ),
                ),
                (
                    "holdout_percent",
                    models.DecimalField(
                        decimal_places=1,
                        default=Decimal("10"),
                        help_text="Drawn by chance and offered nothing, so that the effect can be measured in money.",
                        max_digits=4,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(50),
                        ],
                        verbose_name="held out, percent",
                    ),
                ),
                (
                    "cooldown_days",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="Nobody is in two campaigns of this preset at once; afterwards they rest for so many days.",
                        validators=[django.core.validators.MaxValueValidator(365)],
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("updated_at", models.DateTimeField(default=common.clock.now, editable=False)),
            ],
            options={
                "verbose_name": "automatic campaign",
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "kind"), name="one_preset_per_kind")
                ],
            },
        ),
        migrations.CreateModel(
            name="CopyRequest",
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
                            ("subject", "Subject and preheader"),
                            ("preheader", "Preheader"),
                            ("text", "Short text"),
                        ],
                        max_length=10,
                    ),
                ),
                ("language", models.CharField(max_length=20)),
                (
                    "state",
                    models.CharField(blank=True, default="", help_text="Where the readers stand.", max_length=12),
                ),
                ("asked_by", models.CharField(max_length=200)),
                ("asked_at", models.DateTimeField(default=common.clock.now)),
                ("own", models.TextField(blank=True, default="", help_text="The wording that stood there.")),
                ("source", models.CharField(help_text="“endpoint” or “offline”.", max_length=10)),
                (
                    "reason",
                    models.CharField(
                        blank=True, default="", help_text="Why the endpoint was not used.", max_length=300
                    ),
                ),
                ("model", models.CharField(blank=True, default="", max_length=200)),
                ("asked", models.JSONField(default=dict, help_text="What went to the endpoint.")),
                ("answer", models.TextField(blank=True, default="", help_text="What the endpoint said.")),
                ("variants", models.JSONField(default=list)),
                ("notes", models.JSONField(default=list, help_text="What a reader of them should know.")),
                ("input_tokens", models.PositiveIntegerField(default=0)),
                ("output_tokens", models.PositiveIntegerField(default=0)),
                ("cost_micro", models.BigIntegerField(default=0, help_text="Millionths of the endpoint's currency.")),
                ("duration_ms", models.PositiveIntegerField(default=0)),
                (
                    "chosen",
                    models.PositiveSmallIntegerField(help_text="Which of the variants was taken, from 0.", null=True),
                ),
                ("chosen_by", models.CharField(blank=True, default="", max_length=200)),
                ("chosen_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "copy request",
                "indexes": [models.Index(fields=["organization_id", "-asked_at"], name="copy_request_by_time")],
            },
        ),
        migrations.CreateModel(
            name="EmailTemplate",
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
                        db_default="email",
                        default="email",
                        editable=False,
                        max_length=10,
                    ),
                ),
                (
                    "fields",
                    models.JSONField(
                        blank=True,
                        db_default={},
                        default=dict,
                        help_text="What a message of another channel than e-mail says.",
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
                ("subject", models.CharField(blank=True, default="", max_length=300)),
                ("preheader", models.CharField(blank=True, default="", max_length=200)),
                (
                    "blocks",
                    models.JSONField(
                        blank=True,
                        help_text="The tree of domain/blocks; empty: the mail is written as HTML.",
                        null=True,
                    ),
                ),
                (
                    "html",
                    models.TextField(blank=True, default="", help_text="Jinja2, e.g. Hello {{ contact.name }}."),
                ),
                ("text", models.TextField(blank=True, default="", help_text="Empty: derived from the HTML.")),
                (
                    "text_basis",
                    models.CharField(
                        blank=True,
                        default="",
                        editable=False,
                        help_text="Checksum of what the own text was written for.",
                        max_length=64,
                    ),
                ),
                (
                    "locale",
                    models.CharField(
                        blank=True, default="", help_text="Language of these words, e.g. en.", max_length=20
                    ),
                ),
                (
                    "variants",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text='Other languages: {"de": {"subject", "preheader", "blocks" or "html", "text"}}.',
                    ),
                ),
                ("defaults", models.JSONField(blank=True, default=dict, help_text='{"name": "there"}')),
                (
                    "published_edit",
                    models.PositiveIntegerField(editable=False, help_text="The edit that is published.", null=True),
                ),
                ("is_archived", models.BooleanField(default=False)),
                (
                    "version",
                    models.PositiveIntegerField(
                        default=1, editable=False, help_text="Counts edits, to notice two at once."
                    ),
                ),
                ("created_at", models.DateTimeField(default=common.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=common.clock.now, editable=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "slug"), name="one_template_per_slug")
                ],
            },
        ),
        migrations.CreateModel(
            name="Snippet",
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
                ("blocks", models.JSONField(blank=True, default=list, help_text="A list of blocks.")),
                (
                    "variants",
                    models.JSONField(
                        blank=True, db_default={}, default=dict, help_text='Other languages: {"de": [blocks]}.'
                    ),
                ),
                (
                    "published_edit",
                    models.PositiveIntegerField(editable=False, help_text="The edit that is published.", null=True),
                ),
                (
                    "version",
                    models.PositiveIntegerField(
                        default=1, editable=False, help_text="Counts edits, to notice two at once."
                    ),
                ),
                ("created_at", models.DateTimeField(default=common.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=common.clock.now, editable=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "slug"), name="one_snippet_per_slug")
                ],
            },
        ),
        migrations.CreateModel(
            name="AnalysisCycle",
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
                ("day", models.DateField(help_text="The organisation's own date.")),
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
                ("rounds", models.PositiveIntegerField(default=0, help_text="How many times it was computed.")),
                ("run_at", models.DateTimeField(default=common.clock.now, help_text="When it was asked for.")),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True, default="")),
                ("summary", models.JSONField(default=dict, help_text="What was read: auto.findings.Read")),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")), fields=["organization_id"], name="cycles_to_run"
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("organization_id", "day"), name="one_cycle_per_day")],
            },
        ),
        migrations.CreateModel(
            name="Campaign",
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
                ("description", models.TextField(blank=True, default="")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("draft", "Draft"),
                            ("scheduled", "Scheduled"),
                            ("active", "Active"),
                            ("paused", "Paused"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                            ("archived", "Archived"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                (
                    "timing",
                    models.CharField(
                        choices=[
                            ("at", "Everybody at the same moment"),
                            ("local", "At a time by each contact's clock"),
                            ("best", "When each contact usually reads"),
                            ("recurring", "Again and again"),
                        ],
                        db_default="at",
                        default="at",
                        max_length=10,
                    ),
                ),
                (
                    "local_time",
                    models.TimeField(
                        blank=True,
                        help_text="By each contact's clock; for best times, that of contacts of whom nothing is known yet.",
                        null=True,
                        verbose_name="time of day",
                    ),
                ),
                (
                    "passed_zones",
                    models.CharField(
                        choices=[("tomorrow", "at that time tomorrow"), ("now", "at once")],
                        db_default="tomorrow",
                        default="tomorrow",
                        help_text="When contacts get it whose clock is past that time at the start.",
                        max_length=10,
                        verbose_name="where it has passed today",
                    ),
                ),
                (
                    "recurrence",
                    models.JSONField(
                        blank=True,
                        db_default={},
                        default=dict,
                        help_text="How often; read by campaigns.domain.recurrence.",
                    ),
                ),
                (
                    "messages_per_minute",
                    models.PositiveIntegerField(blank=True, help_text="Empty: as fast as possible.", null=True),
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
                        help_text="Messages that have not gone by then are not sent; until then they wait for room under the caps.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(8760),
                        ],
                        verbose_name="keeps for hours",
                    ),
                ),
                (
                    "test_percent",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Percent of the audience that get the arms first; the rest gets the winner. Empty: everybody.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(90),
                        ],
                        verbose_name="test on",
                    ),
                ),
                (
                    "test_hours",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="At the latest; sooner when the experiment's rule or a person names the winner.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(336),
                        ],
                        verbose_name="hours until the rest follows",
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
                    "cost_minor",
                    models.BigIntegerField(default=0, help_text="What the campaign costs, in minor units."),
                ),
                (
                    "message_cost_minor",
                    models.DecimalField(
                        db_default=Decimal("0"),
                        decimal_places=6,
                        default=Decimal("0"),
                        help_text="In minor units; parts of one are possible.",
                        max_digits=14,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="cost per message",
                    ),
                ),
                (
                    "budget_minor",
                    models.BigIntegerField(
                        blank=True,
                        help_text="In minor units. Sending stops before it is passed; raise it to go on.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="budget",
                    ),
                ),
                (
                    "utm_campaign",
                    models.SlugField(
                        blank=True,
                        default="",
                        help_text="Goes into every link; empty: the campaign's name.",
                        verbose_name="UTM campaign",
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        blank=True,
                        choices=[("", "By hand"), ("auto", "By the nightly analysis"), ("filter", "By a filter")],
                        db_default="",
                        default="",
                        editable=False,
                        max_length=10,
                    ),
                ),
                (
                    "version",
                    models.PositiveIntegerField(
                        default=1, editable=False, help_text="Counts edits, to notice two at once."
                    ),
                ),
                ("created_at", models.DateTimeField(default=common.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=common.clock.now, editable=False)),
                (
                    "experiment",
                    models.ForeignKey(
                        blank=True,
                        help_text="Its arms say what differs: the template, the offer or the time of day.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="campaigns",
                        to="experiments.experiment",
                    ),
                ),
                (
                    "preset",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="campaigns",
                        to="campaigns.autopreset",
                    ),
                ),
                (
                    "sender",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to="delivery.sender"
                    ),
                ),
                (
                    "topic",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to="audience.topic"
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="campaigns.emailtemplate",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "status", "-id"], name="campaign_by_status")],
            },
        ),
        migrations.CreateModel(
            name="CampaignForecast",
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
                ("reach", models.PositiveIntegerField()),
                (
                    "figures",
                    models.JSONField(
                        help_text="By metric: middle, low, high, lowest, highest. Money in minor units."
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("basis_count", models.PositiveIntegerField(help_text="Comparable campaigns it was made from.")),
                ("made_at", models.DateTimeField(default=common.clock.now)),
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="forecast", to="campaigns.campaign"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="CampaignRun",
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
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("run_at", models.DateTimeField(default=common.clock.now)),
                ("lease_token", models.UUIDField(editable=False, null=True)),
                ("lease_expires_at", models.DateTimeField(editable=False, null=True)),
                ("error", models.TextField(blank=True, db_default="", default="")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("held", "Held"),
                            ("done", "Done"),
                            ("cancelled", "Cancelled"),
                            ("failed", "Failed"),
                        ],
                        db_default="pending",
                        default="pending",
                        max_length=20,
                    ),
                ),
                (
                    "number",
                    models.PositiveIntegerField(
                        db_default=1, default=1, help_text="Which of a recurring campaign's sends."
                    ),
                ),
                ("planned_at", models.DateTimeField(help_text="When it was to begin.", null=True)),
                ("snapshot_at", models.DateTimeField(null=True)),
                ("target_count", models.PositiveIntegerField(default=0)),
                (
                    "queued_through_id",
                    models.BigIntegerField(default=0, help_text="Targets up to this id have their messages."),
                ),
                (
                    "queued_count",
                    models.PositiveIntegerField(db_default=0, default=0, help_text="Messages written so far."),
                ),
                (
                    "timed_by",
                    models.JSONField(
                        db_default={},
                        default=dict,
                        help_text="Targets by what their moment was chosen from (Target.timed_by).",
                    ),
                ),
                (
                    "test_through_id",
                    models.BigIntegerField(
                        db_default=0,
                        default=0,
                        help_text="Of a first test: targets up to this id are in it, the others wait.",
                    ),
                ),
                ("test_count", models.PositiveIntegerField(db_default=0, default=0)),
                ("test_ends_at", models.DateTimeField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "is_queued",
                    models.BooleanField(default=False, help_text="Every target has its message, or needs none."),
                ),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="runs", to="campaigns.campaign"
                    ),
                ),
                (
                    "content",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to="delivery.content"),
                ),
                (
                    "winner",
                    models.ForeignKey(
                        help_text="What those without an arm get.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="experiments.arm",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")), fields=["run_at"], name="campaign_runs_due"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "cancelled"), _negated=True),
                        fields=("campaign", "number"),
                        name="one_run_per_number",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CopyLearning",
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
                ("test_count", models.PositiveIntegerField(help_text="Own tests that went in.")),
                ("is_used", models.BooleanField(help_text="It foretold own tests better than the general ranker.")),
                ("weights", models.JSONField(help_text="As copy.own.Learnt keeps them.")),
                ("learned_at", models.DateTimeField(default=common.clock.now)),
            ],
            options={
                "verbose_name_plural": "copy learning",
                "constraints": [models.UniqueConstraint(fields=("organization_id",), name="one_copy_learning")],
            },
        ),
        migrations.CreateModel(
            name="CopySettings",
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
                    "uses_endpoint",
                    models.BooleanField(
                        default=False,
                        help_text="Sends the words of the message, never a contact's data, to the endpoint of this installation.",
                        verbose_name="ask the language model",
                    ),
                ),
                (
                    "monthly_cap_minor",
                    models.PositiveIntegerField(
                        default=1000,
                        help_text="In cents of the endpoint's currency. Beyond it lines are written without the endpoint.",
                        validators=[django.core.validators.MaxValueValidator(10000000)],
                        verbose_name="at most per month",
                    ),
                ),
                (
                    "is_formal",
                    models.BooleanField(
                        default=False, help_text="German: Sie instead of du.", verbose_name="formal address"
                    ),
                ),
                ("greets_by_name", models.BooleanField(default=True, verbose_name="may greet by name")),
                (
                    "avoided_words",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        help_text="Words that are in no proposal.",
                        size=None,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "copy settings",
                "constraints": [models.UniqueConstraint(fields=("organization_id",), name="one_copy_settings")],
            },
        ),
        migrations.CreateModel(
            name="CopySpend",
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
                ("month", models.DateField()),
                (
                    "spent_micro",
                    models.BigIntegerField(default=0, help_text="Millionths of the endpoint's currency."),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "month"), name="one_copy_spend_per_month")
                ],
            },
        ),
        migrations.CreateModel(
            name="CopyTest",
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
                ("variant", models.PositiveSmallIntegerField(help_text="Of the request, from 0.")),
                ("own_text", models.TextField()),
                ("assistant_text", models.TextField()),
                (
                    "exclusion",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Why it does not count, decided when it was made, before there was a result.",
                        max_length=300,
                    ),
                ),
                ("made_by", models.CharField(max_length=200)),
                ("made_at", models.DateTimeField(default=common.clock.now)),
                (
                    "assistant_arm",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="experiments.arm"
                    ),
                ),
                (
                    "experiment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="experiments.experiment"
                    ),
                ),
                (
                    "own_arm",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="experiments.arm"
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tests", to="campaigns.copyrequest"
                    ),
                ),
            ],
            options={
                "verbose_name": "copy test",
                "constraints": [
                    models.UniqueConstraint(fields=("request", "variant"), name="one_copy_test_per_line")
                ],
            },
        ),
        migrations.AddField(
            model_name="copyrequest",
            name="template",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="campaigns.emailtemplate",
            ),
        ),
        migrations.AddField(
            model_name="autopreset",
            name="template",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: shown in apps only.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="campaigns.emailtemplate",
            ),
        ),
        migrations.CreateModel(
            name="MessageTemplate",
            fields=[],
            options={
                "verbose_name": "message template",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("campaigns.emailtemplate",),
        ),
        migrations.CreateModel(
            name="MailPicture",
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
                    "alt",
                    models.CharField(
                        help_text="Read aloud, and shown where pictures are blocked.",
                        max_length=300,
                        verbose_name="says",
                    ),
                ),
                ("kind", models.CharField(max_length=4)),
                ("checksum", models.CharField(max_length=64)),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("byte_count", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField(default=common.clock.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "checksum"), name="one_picture_per_content")
                ],
            },
        ),
        migrations.CreateModel(
            name="Offer",
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
                            ("discount", "Discount"),
                            ("cashback", "Cashback"),
                            ("points", "Points"),
                            ("bonus", "Bonus"),
                        ],
                        max_length=10,
                    ),
                ),
                ("value", models.DecimalField(decimal_places=2, max_digits=12)),
                (
                    "unit",
                    models.CharField(
                        default="percent",
                        help_text="percent, points, points_per_unit or a currency code",
                        max_length=20,
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The code for everybody, or what generated ones begin with.",
                        max_length=60,
                    ),
                ),
                (
                    "codes",
                    models.CharField(
                        choices=[
                            ("shared", "One for everybody, or none"),
                            ("generated", "One per person, made here"),
                            ("listed", "One per person, from a list"),
                        ],
                        db_default="shared",
                        default="shared",
                        max_length=10,
                    ),
                ),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "valid_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="Ends so many days after a person became eligible, or at the fixed end if that comes first.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(730),
                        ],
                    ),
                ),
                (
                    "limit_per_contact",
                    models.PositiveIntegerField(
                        db_default=1,
                        default=1,
                        help_text="How often one person may take it.",
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "limit_total",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="How often it may be taken by all together.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                ("taken_count", models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                (
                    "minimum_spend_minor",
                    models.BigIntegerField(
                        blank=True,
                        help_text="The least an order must be worth, in minor units of the organisation's currency.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "scope_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Everything"),
                            ("category", "Categories"),
                            ("product", "Products"),
                            ("favourite", "Each person's favourite category"),
                        ],
                        db_default="",
                        default="",
                        max_length=10,
                    ),
                ),
                (
                    "scope",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200),
                        blank=True,
                        db_default=[],
                        default=list,
                        help_text="The names of the categories or products it is good for.",
                        size=None,
                    ),
                ),
                ("terms", models.TextField(blank=True, db_default="", default="", max_length=5000)),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="offers", to="campaigns.campaign"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ReadingHabit",
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
                ("learned_at", models.DateTimeField()),
                (
                    "hours",
                    django.contrib.postgres.fields.ArrayField(base_field=models.PositiveIntegerField(), size=None),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("organization_id",), name="one_reading_habit")],
            },
        ),
        migrations.CreateModel(
            name="ReadingHour",
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
                ("hour_of_week", models.PositiveSmallIntegerField()),
                ("count", models.PositiveIntegerField()),
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
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "contact", "hour_of_week"), name="one_reading_hour"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RunArm",
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
                    "arm",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="experiments.arm"
                    ),
                ),
                (
                    "content",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="delivery.content"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="arms", to="campaigns.campaignrun"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("run", "arm"), name="one_content_per_arm")],
            },
        ),
        migrations.CreateModel(
            name="SnippetVersion",
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
                ("blocks", models.JSONField()),
                ("variants", models.JSONField(db_default={}, default=dict)),
                ("author", models.CharField(blank=True, default="", max_length=200)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                (
                    "snippet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="campaigns.snippet"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("snippet", "number"), name="one_snippet_version_per_number")
                ],
            },
        ),
        migrations.AddField(
            model_name="snippet",
            name="published",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="campaigns.snippetversion",
            ),
        ),
        migrations.CreateModel(
            name="Target",
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
                            ("eligible", "Eligible"),
                            ("viewed", "Viewed"),
                            ("converted", "Converted"),
                            ("expired", "Expired"),
                        ],
                        db_default="eligible",
                        default="eligible",
                        max_length=10,
                    ),
                ),
                (
                    "occurrence",
                    models.PositiveIntegerField(db_default=0, default=0, help_text="0 for what goes out once."),
                ),
                (
                    "send_at",
                    models.DateTimeField(help_text="By the contact's own clock or habit; empty: in turn.", null=True),
                ),
                (
                    "timed_by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not chosen for the contact"),
                            ("own", "When the contact usually reads"),
                            ("organization", "When your contacts usually read"),
                            ("fallback", "Nothing is known yet"),
                        ],
                        db_default="",
                        default="",
                        max_length=12,
                    ),
                ),
                (
                    "is_held_out",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Drawn by chance: offered and sent nothing, so the effect shows.",
                    ),
                ),
                (
                    "favourite",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="The category that the offer is about.",
                        max_length=200,
                    ),
                ),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                ("viewed_at", models.DateTimeField(null=True)),
                ("converted_at", models.DateTimeField(null=True)),
                ("conversion_value_minor", models.BigIntegerField(null=True)),
                ("conversion_currency", models.CharField(blank=True, db_default="", default="", max_length=3)),
                (
                    "arm",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="experiments.arm",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="targets",
                        to="campaigns.campaign",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="targets",
                        to="audience.contact",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="targets",
                        to="campaigns.campaignrun",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "run", "id"], name="target_by_run"),
                    models.Index(
                        condition=models.Q(("status", "converted"), _negated=True),
                        fields=["organization_id", "contact"],
                        name="target_open",
                    ),
                    models.Index(
                        condition=models.Q(("arm__isnull", False)),
                        fields=["organization_id", "arm"],
                        name="target_by_arm",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("campaign", "contact", "occurrence"), name="one_target_per_contact"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Redemption",
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
                ("order_id", models.CharField(help_text="Empty for the report that named no order.", max_length=200)),
                ("value_minor", models.BigIntegerField(null=True)),
                ("currency", models.CharField(blank=True, default="", max_length=3)),
                ("taken_at", models.DateTimeField(default=common.clock.now)),
                (
                    "offer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="redemptions", to="campaigns.offer"
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="redemptions",
                        to="campaigns.target",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("target", "offer", "order_id"), name="one_redemption_per_order")
                ],
            },
        ),
        migrations.CreateModel(
            name="OfferCode",
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
                ("code", models.CharField(max_length=60)),
                ("given_at", models.DateTimeField(null=True)),
                (
                    "offer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="code_rows", to="campaigns.offer"
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="codes",
                        to="campaigns.target",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("target", None)), fields=["offer", "id"], name="codes_to_give")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "code"), name="one_row_per_code"),
                    models.UniqueConstraint(fields=("offer", "target"), name="one_code_per_target"),
                ],
            },
        ),
        migrations.CreateModel(
            name="TemplateNeed",
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
                    "segment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="template_needs",
                        to="segments.segment",
                    ),
                ),
                (
                    "snippet",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="template_needs",
                        to="campaigns.snippet",
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="needs",
                        to="campaigns.emailtemplate",
                    ),
                ),
            ],
            options={
                "verbose_name": "use in an e-mail template",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("segment__isnull", False)),
                        fields=("template", "segment"),
                        name="one_need_per_segment",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("snippet__isnull", False)),
                        fields=("template", "snippet"),
                        name="one_need_per_snippet",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("segment__isnull", True), ("snippet__isnull", True), _connector="XOR"),
                        name="a_need_is_one_thing",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TemplateVersion",
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
                (
                    "words",
                    models.JSONField(
                        db_default={}, default=dict, help_text="The draft as it was: to compare and to go back to."
                    ),
                ),
                (
                    "snippets",
                    models.JSONField(
                        db_default={}, default=dict, help_text="Slug → number of each snippet that went into it."
                    ),
                ),
                ("author", models.CharField(blank=True, default="", max_length=200)),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                (
                    "content",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="delivery.content"
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="campaigns.emailtemplate",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("template", "number"), name="one_template_version_per_number")
                ],
            },
        ),
        migrations.AddField(
            model_name="emailtemplate",
            name="published",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="campaigns.templateversion",
            ),
        ),
        migrations.CreateModel(
            name="AutoFinding",
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
                    "outcome",
                    models.CharField(
                        choices=[
                            ("made", "Campaign made"),
                            ("nobody", "Nobody found"),
                            ("waits", "Too few so far"),
                            ("missing", "Cannot be told"),
                        ],
                        max_length=10,
                    ),
                ),
                ("found_count", models.PositiveIntegerField(default=0, help_text="People who meet the conditions.")),
                (
                    "already_count",
                    models.PositiveIntegerField(
                        default=0, help_text="… of whom so many are in one already, or rest."
                    ),
                ),
                (
                    "held_out_count",
                    models.PositiveIntegerField(default=0, help_text="… of the others, drawn to be offered nothing."),
                ),
                (
                    "spent_minor",
                    models.BigIntegerField(default=0, help_text="What those who meet the conditions spent."),
                ),
                ("transaction_count", models.BigIntegerField(default=0)),
                ("currency", models.CharField(blank=True, default="", max_length=3)),
                ("sentence", models.TextField(help_text="The conditions as they were, in words.")),
                (
                    "reason",
                    models.TextField(
                        blank=True, default="", help_text="Why there is no campaign, or why it was declined."
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "cycle",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="findings",
                        to="campaigns.analysiscycle",
                    ),
                ),
                (
                    "preset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="findings",
                        to="campaigns.autopreset",
                    ),
                ),
                (
                    "campaign",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="finding",
                        to="campaigns.campaign",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("cycle", "preset"), name="one_finding_per_preset")],
            },
        ),
        migrations.CreateModel(
            name="CampaignAudience",
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
                ("is_excluded", models.BooleanField(default=False, verbose_name="leave out")),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="audience", to="campaigns.campaign"
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="campaign_audiences",
                        to="segments.segment",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "segment"), name="one_audience_per_segment")
                ],
            },
        ),
        migrations.CreateModel(
            name="CampaignOutcome",
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
                        max_length=10,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("marketing", "Marketing"),
                            ("transactional", "Transactional"),
                            ("notification", "Notification"),
                        ],
                        default="",
                        max_length=15,
                    ),
                ),
                ("has_offers", models.BooleanField(default=False)),
                ("target_count", models.PositiveIntegerField(default=0)),
                ("sent_count", models.PositiveIntegerField(default=0)),
                ("open_count", models.PositiveIntegerField(default=0)),
                ("click_count", models.PositiveIntegerField(default=0)),
                (
                    "conversion_count",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Offers taken; without an offer, people who bought within a week after their click.",
                    ),
                ),
                ("revenue_minor", models.BigIntegerField(default=0, help_text="… and what that brought.")),
                ("revenue_squares", models.FloatField(default=0, help_text="Sum of squared amounts.")),
                ("currency", models.CharField(max_length=3)),
                ("began_at", models.DateTimeField()),
                ("last_sent_at", models.DateTimeField(help_text="Of offers alone: when they were shown first.")),
                ("counted_at", models.DateTimeField()),
                ("is_final", models.BooleanField(default=False)),
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="outcome", to="campaigns.campaign"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["organization_id", "channel", "kind", "-last_sent_at"], name="outcomes_alike"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="copyrequest",
            index=models.Index(fields=["organization_id", "template", "-id"], name="copy_request_by_template"),
        ),
    ]
