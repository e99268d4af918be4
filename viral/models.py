"""Invitation programmes, who invited whom, and what it earned them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from audience.models import Contact
from common import clock
from common.tenancy import OrganizationScoped
from viral.domain.fraud import REASONS


class RewardKind(models.TextChoices):
    NONE = "none", "Nothing"
    POINTS = "points"
    CREDIT = "credit", "Store credit"
    COUPON = "coupon"
    CASH = "cash"


class Program(OrganizationScoped):
    """Refer a friend: who earns what when an invited friend does what."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100, help_text="Names the programme in campaign tags.")
    landing_url = models.CharField(
        max_length=500, help_text="Where share links lead, for example https://shop.example/friends"
    )
    link_base_url = models.CharField(
        max_length=500,
        blank=True,
        default="",
        help_text="Your own address in front of /r/CODE. Empty: this server's.",
    )
    inviter_reward_kind = models.CharField(max_length=10, choices=RewardKind, default=RewardKind.POINTS)
    inviter_reward_amount = models.BigIntegerField(default=0, help_text="Points, or money in minor units (pence).")
    invitee_reward_kind = models.CharField(
        max_length=10, choices=RewardKind, default=RewardKind.NONE, help_text="Nothing: only the inviter is rewarded."
    )
    invitee_reward_amount = models.BigIntegerField(default=0, help_text="Points, or money in minor units (pence).")
    currency = models.CharField(max_length=3, blank=True, default="", help_text="Empty: your organisation's.")
    sign_up_event_name = models.CharField(
        max_length=200,
        default="signed_up",
        help_text="Binds friends who came by a share link. Any event that carries a referral_code does so too.",
    )
    goal_event_name = models.CharField(
        max_length=200, default="order_completed", help_text="What an invited friend must do to qualify."
    )
    refund_event_name = models.CharField(
        max_length=200, blank=True, default="order_refunded", help_text="Takes the rewards of a refunded order back."
    )
    requires_approval = models.BooleanField(default=False, help_text="Rewards wait until a colleague approves them.")
    only_new_customers = models.BooleanField(
        default=True, help_text="A friend who did the qualifying event before the sign-up is no referral."
    )
    share_subject = models.CharField(max_length=200, default="Something for you")
    share_text = models.TextField(
        default="I like it here, and I think you will too: {link}", help_text="{link}: the link"
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "slug"], name="one_program_per_slug")]

    def __str__(self) -> str:
        return self.name


class ReferralCode(OrganizationScoped):
    """A contact's code in a programme. Codes are unique across organisations: a share link names no other thing."""

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="codes")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="referral_codes", db_constraint=False)
    code = models.CharField(max_length=40, unique=True, editable=False)
    is_current = models.BooleanField(
        default=True, db_default=True, help_text="Merged contacts keep their old codes; one is current."
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "contact"], condition=Q(is_current=True), name="one_current_code_per_contact"
            )
        ]

    def __str__(self) -> str:
        return self.code


class CodeVisit(OrganizationScoped):
    """A known contact came by a share link; its sign-up, whenever it arrives, belongs to that code."""

    code = models.ForeignKey(ReferralCode, on_delete=models.CASCADE, related_name="visits", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "contact"], name="one_visit_per_code_and_contact")]

    def __str__(self) -> str:
        return f"{self.contact_id} by {self.code_id}"


class ReferralStatus(models.TextChoices):
    INVITED = "invited"
    CLICKED = "clicked"
    SIGNED_UP = "signed_up"
    QUALIFIED = "qualified"
    REWARDED = "rewarded"
    REJECTED = "rejected"


class Referral(OrganizationScoped):
    """One invitation's life: invited → clicked → signed up → qualified → rewarded, or rejected with a reason."""

    program = models.ForeignKey(Program, on_delete=models.CASCADE, related_name="referrals")
    code = models.ForeignKey(ReferralCode, on_delete=models.CASCADE, related_name="referrals", db_index=False)
    inviter = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="referrals_made", db_constraint=False, db_index=False
    )
    invitee = models.ForeignKey(
        Contact,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="referrals_received",
        db_constraint=False,
        db_index=False,
    )
    status = models.CharField(max_length=10, choices=ReferralStatus, default=ReferralStatus.INVITED)
    reason = models.CharField(max_length=20, choices=list(REASONS.items()), blank=True, default="", db_default="")
    invited_email = models.CharField(max_length=320, blank=True, default="", db_default="")
    visitor_key = models.CharField(max_length=32, null=True, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    clicked_at = models.DateTimeField(null=True)
    signed_up_at = models.DateTimeField(null=True)
    qualified_at = models.DateTimeField(null=True)
    rewarded_at = models.DateTimeField(null=True)
    rejected_at = models.DateTimeField(null=True)
    sign_up_event_id = models.BigIntegerField(null=True, editable=False)
    goal_event_id = models.BigIntegerField(null=True, editable=False)
    order_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    value_minor = models.BigIntegerField(null=True, help_text="Worth of the event that qualified.")
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["program", "invitee"], condition=~Q(status="rejected"), name="one_referral_per_invitee"
            ),
            models.UniqueConstraint(fields=["code", "visitor_key"], name="one_click_per_visitor"),
            models.UniqueConstraint(
                fields=["code", "invited_email"], condition=~Q(invited_email=""), name="one_invitation_per_email"
            ),
        ]
        indexes = [
            models.Index(fields=["organization_id", "invitee"], name="referral_by_invitee"),
            models.Index(fields=["organization_id", "inviter"], name="referral_by_inviter"),
            models.Index(fields=["code", "-id"], condition=Q(invitee=None), name="referral_unbound"),
            models.Index(fields=["organization_id", "created_at"], name="referral_by_creation"),
            models.Index(fields=["organization_id", "qualified_at"], name="referral_by_qualification"),
        ]

    def __str__(self) -> str:
        return f"referral {self.pk}"


class RewardSide(models.TextChoices):
    INVITER = "inviter"
    INVITEE = "invitee"


class RewardStatus(models.TextChoices):
    PENDING = "pending"
    APPROVED = "approved"
    REVERSED = "reversed"


class Reward(OrganizationScoped):
    """A row of the ledger: what a side of a referral earned, once each, or what a workflow gave (`source_key`)."""

    referral = models.ForeignKey(
        Referral, null=True, blank=True, on_delete=models.CASCADE, related_name="rewards", db_index=False
    )
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="rewards", db_constraint=False)
    side = models.CharField(max_length=10, choices=RewardSide, blank=True, default="", db_default="")
    kind = models.CharField(max_length=10, choices=RewardKind)
    amount = models.BigIntegerField(help_text="Points, or money in minor units.")
    currency = models.CharField(max_length=3, blank=True, default="", help_text="Empty for points.")
    status = models.CharField(max_length=10, choices=RewardStatus, default=RewardStatus.PENDING)
    reason = models.CharField(max_length=200, blank=True, default="", db_default="")
    source_key = models.CharField(max_length=120, null=True, editable=False, help_text="What was promised, once.")
    created_at = models.DateTimeField(default=clock.now)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["referral", "side"], name="one_reward_per_side"),
            models.UniqueConstraint(fields=["organization_id", "source_key"], name="one_reward_per_source"),
        ]
        indexes = [models.Index(fields=["organization_id", "status", "-id"], name="rewards_by_status")]

    def __str__(self) -> str:
        return f"{self.amount} {self.kind} for {self.contact_id}"
