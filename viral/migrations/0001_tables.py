"""The tables of viral: one step, in place of those in which they grew before the first release."""

import django.db.models.deletion
from django.db import migrations, models

import common.clock
import common.tenancy


class Migration(migrations.Migration):
    replaces = [("viral", "0001_initial"), ("viral", "0002_rewards_of_workflows")]

    initial = True

    dependencies = [
        ("audience", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Program",
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
                ("slug", models.SlugField(help_text="Names the programme in campaign tags.", max_length=100)),
                (
                    "landing_url",
                    models.CharField(
                        help_text="Where share links lead, for example https://shop.example/friends", max_length=500
                    ),
                ),
                (
                    "link_base_url",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Your own address in front of /r/CODE. Empty: this server's.",
                        max_length=500,
                    ),
                ),
                (
                    "inviter_reward_kind",
                    models.CharField(
                        choices=[
                            ("none", "Nothing"),
                            ("points", "Points"),
                            ("credit", "Store credit"),
                            ("coupon", "Coupon"),
                            ("cash", "Cash"),
                        ],
                        default="points",
                        max_length=10,
                    ),
                ),
                (
                    "inviter_reward_amount",
                    models.BigIntegerField(default=0, help_text="Points, or money in minor units (pence)."),
                ),
                (
                    "invitee_reward_kind",
                    models.CharField(
                        choices=[
                            ("none", "Nothing"),
                            ("points", "Points"),
                            ("credit", "Store credit"),
                            ("coupon", "Coupon"),
                            ("cash", "Cash"),
                        ],
                        default="none",
                        help_text="Nothing: only the inviter is rewarded.",
                        max_length=10,
                    ),
                ),
                (
                    "invitee_reward_amount",
                    models.BigIntegerField(default=0, help_text="Points, or money in minor units (pence)."),
                ),
                (
                    "currency",
                    models.CharField(blank=True, default="", help_text="Empty: your organisation's.", max_length=3),
                ),
                (
                    "sign_up_event_name",
                    models.CharField(
                        default="signed_up",
                        help_text="Binds friends who came by a share link. Any event that carries a referral_code does so too.",
                        max_length=200,
                    ),
                ),
                (
                    "goal_event_name",
                    models.CharField(
                        default="order_completed",
                        help_text="What an invited friend must do to qualify.",
                        max_length=200,
                    ),
                ),
                (
                    "refund_event_name",
                    models.CharField(
                        blank=True,
                        default="order_refunded",
                        help_text="Takes the rewards of a refunded order back.",
                        max_length=200,
                    ),
                ),
                (
                    "requires_approval",
                    models.BooleanField(default=False, help_text="Rewards wait until a colleague approves them."),
                ),
                (
                    "only_new_customers",
                    models.BooleanField(
                        default=True,
                        help_text="A friend who did the qualifying event before the sign-up is no referral.",
                    ),
                ),
                ("share_subject", models.CharField(default="Something for you", max_length=200)),
                (
                    "share_text",
                    models.TextField(
                        default="I like it here, and I think you will too: {link}", help_text="{link}: the link"
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(default=common.clock.now, editable=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization_id", "slug"), name="one_program_per_slug")
                ],
            },
        ),
        migrations.CreateModel(
            name="ReferralCode",
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
                ("code", models.CharField(editable=False, max_length=40, unique=True)),
                (
                    "is_current",
                    models.BooleanField(
                        db_default=True,
                        default=True,
                        help_text="Merged contacts keep their old codes; one is current.",
                    ),
                ),
                ("created_at", models.DateTimeField(default=common.clock.now, editable=False)),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="referral_codes",
                        to="audience.contact",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="codes", to="viral.program"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_current", True)),
                        fields=("program", "contact"),
                        name="one_current_code_per_contact",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Referral",
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
                            ("invited", "Invited"),
                            ("clicked", "Clicked"),
                            ("signed_up", "Signed Up"),
                            ("qualified", "Qualified"),
                            ("rewarded", "Rewarded"),
                            ("rejected", "Rejected"),
                        ],
                        default="invited",
                        max_length=10,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("same_contact", "Inviter and invitee are the same contact."),
                            ("same_email", "Inviter and invitee share an e-mail address."),
                            ("same_phone", "Inviter and invitee share a phone number."),
                            ("same_device", "The sign-up came from a device of the inviter."),
                            ("existing_customer", "The invitee was a customer before the sign-up."),
                            ("duplicate", "The invitee is one person with somebody who was invited before."),
                            ("refunded", "The order that qualified was refunded."),
                        ],
                        db_default="",
                        default="",
                        max_length=20,
                    ),
                ),
                ("invited_email", models.CharField(blank=True, db_default="", default="", max_length=320)),
                ("visitor_key", models.CharField(editable=False, max_length=32, null=True)),
                ("created_at", models.DateTimeField(default=common.clock.now, editable=False)),
                ("clicked_at", models.DateTimeField(null=True)),
                ("signed_up_at", models.DateTimeField(null=True)),
                ("qualified_at", models.DateTimeField(null=True)),
                ("rewarded_at", models.DateTimeField(null=True)),
                ("rejected_at", models.DateTimeField(null=True)),
                ("sign_up_event_id", models.BigIntegerField(editable=False, null=True)),
                ("goal_event_id", models.BigIntegerField(editable=False, null=True)),
                ("order_id", models.CharField(blank=True, db_default="", default="", max_length=200)),
                ("value_minor", models.BigIntegerField(help_text="Worth of the event that qualified.", null=True)),
                ("currency", models.CharField(blank=True, db_default="", default="", max_length=3)),
                (
                    "invitee",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="referrals_received",
                        to="audience.contact",
                    ),
                ),
                (
                    "inviter",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="referrals_made",
                        to="audience.contact",
                    ),
                ),
                (
                    "program",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="referrals", to="viral.program"
                    ),
                ),
                (
                    "code",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="referrals",
                        to="viral.referralcode",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization_id", "invitee"], name="referral_by_invitee"),
                    models.Index(fields=["organization_id", "inviter"], name="referral_by_inviter"),
                    models.Index(
                        condition=models.Q(("invitee", None)), fields=["code", "-id"], name="referral_unbound"
                    ),
                    models.Index(fields=["organization_id", "created_at"], name="referral_by_creation"),
                    models.Index(fields=["organization_id", "qualified_at"], name="referral_by_qualification"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "rejected"), _negated=True),
                        fields=("program", "invitee"),
                        name="one_referral_per_invitee",
                    ),
                    models.UniqueConstraint(fields=("code", "visitor_key"), name="one_click_per_visitor"),
                    models.UniqueConstraint(
                        condition=models.Q(("invited_email", ""), _negated=True),
                        fields=("code", "invited_email"),
                        name="one_invitation_per_email",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CodeVisit",
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
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
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
                    "code",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="visits",
                        to="viral.referralcode",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("code", "contact"), name="one_visit_per_code_and_contact")
                ],
            },
        ),
        migrations.CreateModel(
            name="Reward",
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
                    "side",
                    models.CharField(
                        blank=True,
                        choices=[("inviter", "Inviter"), ("invitee", "Invitee")],
                        db_default="",
                        default="",
                        max_length=10,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("none", "Nothing"),
                            ("points", "Points"),
                            ("credit", "Store credit"),
                            ("coupon", "Coupon"),
                            ("cash", "Cash"),
                        ],
                        max_length=10,
                    ),
                ),
                ("amount", models.BigIntegerField(help_text="Points, or money in minor units.")),
                ("currency", models.CharField(blank=True, default="", help_text="Empty for points.", max_length=3)),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "Pending"), ("approved", "Approved"), ("reversed", "Reversed")],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, db_default="", default="", max_length=200)),
                (
                    "source_key",
                    models.CharField(editable=False, help_text="What was promised, once.", max_length=120, null=True),
                ),
                ("created_at", models.DateTimeField(default=common.clock.now)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "contact",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rewards",
                        to="audience.contact",
                    ),
                ),
                (
                    "referral",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rewards",
                        to="viral.referral",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization_id", "status", "-id"], name="rewards_by_status")],
                "constraints": [
                    models.UniqueConstraint(fields=("referral", "side"), name="one_reward_per_side"),
                    models.UniqueConstraint(fields=("organization_id", "source_key"), name="one_reward_per_source"),
                ],
            },
        ),
    ]
