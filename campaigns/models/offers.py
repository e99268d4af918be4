"""What a campaign offers, the codes it gives out, and who took it."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from campaigns.models.campaigns import Campaign
from campaigns.models.targets import Target
from common import clock
from common.tenancy import OrganizationScoped


class OfferKind(models.TextChoices):
    DISCOUNT = "discount"
    CASHBACK = "cashback"
    POINTS = "points"
    BONUS = "bonus"


class CodeKind(models.TextChoices):
    SHARED = "shared", "One for everybody, or none"
    GENERATED = "generated", "One per person, made here"
    LISTED = "listed", "One per person, from a list"


class ScopeKind(models.TextChoices):
    EVERYTHING = "", "Everything"
    CATEGORY = "category", "Categories"
    PRODUCT = "product", "Products"
    FAVOURITE = "favourite", "Each person's favourite category"


class Offer(OrganizationScoped):
    """What a campaign offers to its targets in client apps."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="offers")
    kind = models.CharField(max_length=10, choices=OfferKind)
    value = models.DecimalField(max_digits=12, decimal_places=2)
    unit = models.CharField(
        max_length=20, default="percent", help_text="percent, points, points_per_unit or a currency code"
    )
    code = models.CharField(
        max_length=60, blank=True, default="", help_text="The code for everybody, or what generated ones begin with."
    )
    codes = models.CharField(max_length=10, choices=CodeKind, default=CodeKind.SHARED, db_default="shared")
    starts_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    valid_days = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(730)],
        help_text="Ends so many days after a person became eligible, or at the fixed end if that comes first.",
    )  # fmt: skip
    limit_per_contact = models.PositiveIntegerField(
        default=1, db_default=1, validators=[MinValueValidator(1)], help_text="How often one person may take it."
    )
    limit_total = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="How often it may be taken by all together.",
    )
    taken_count = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    minimum_spend_minor = models.BigIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)],
        help_text="The least an order must be worth, in minor units of the organisation's currency.",
    )  # fmt: skip
    scope_kind = models.CharField(max_length=10, choices=ScopeKind, blank=True, default="", db_default="")
    scope = ArrayField(
        models.CharField(max_length=200), blank=True, default=list, db_default=[],
        help_text="The names of the categories or products it is good for.",
    )  # fmt: skip
    terms = models.TextField(blank=True, default="", db_default="", max_length=5000)

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit} {self.kind}"


class OfferCode(OrganizationScoped):
    """A code of an offer that is good for one person."""

    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="code_rows")
    code = models.CharField(max_length=60)
    target = models.ForeignKey(
        Target, null=True, on_delete=models.SET_NULL, related_name="codes", db_constraint=False
    )
    given_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "code"], name="one_row_per_code"),
            models.UniqueConstraint(fields=["offer", "target"], name="one_code_per_target"),
        ]
        indexes = [models.Index(fields=["offer", "id"], condition=Q(target=None), name="codes_to_give")]

    def __str__(self) -> str:
        return self.code


class Redemption(OrganizationScoped):
    """An offer that was taken: once for each order, as often as its limits allow."""

    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="redemptions")
    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="redemptions", db_constraint=False)
    order_id = models.CharField(max_length=200, help_text="Empty for the report that named no order.")
    value_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    taken_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["target", "offer", "order_id"], name="one_redemption_per_order")
        ]

    def __str__(self) -> str:
        return f"{self.offer_id} by {self.target_id}"
