"""What models expect of contacts: any model, ours or an outside one, writes here; segments read it."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from audience.domain.predictions import NAME_PATTERN
from common import clock
from common.tenancy import OrganizationScoped


class PredictionUnit(models.TextChoices):
    """What the value of a prediction is."""

    SCORE = "score", "Score from 0 to 1"
    AMOUNT = "amount", "Amount of money in minor units"
    NUMBER = "number", "Number"


class Band(models.TextChoices):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class PredictionDefinition(OrganizationScoped):
    """A prediction by name: what its value is, where its bands begin, how long it holds."""

    name = models.CharField(
        max_length=60,
        validators=[RegexValidator(NAME_PATTERN, "Use small letters, digits and _, beginning with a letter.")],
        help_text="As rules and the API write it, such as churn_14d. It cannot be changed later.",
    )
    label = models.CharField(max_length=120, help_text="In a reader's words, such as Churn risk in 14 days.")
    unit = models.CharField(max_length=10, choices=PredictionUnit, default=PredictionUnit.SCORE)
    medium_from = models.DecimalField(
        max_digits=24, decimal_places=6, default="0.33", help_text="From this value on the band is medium."
    )
    high_from = models.DecimalField(
        max_digits=24, decimal_places=6, default="0.66", help_text="From this value on the band is high."
    )
    valid_days = models.PositiveSmallIntegerField(
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(730)],
        help_text="So many days after it was made a prediction is stale and no rule counts it, 1 to 730.",
    )
    description = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization_id", "name"], name="one_prediction_per_name")]

    def __str__(self) -> str:
        return self.label


class ContactPrediction(OrganizationScoped):
    """The prediction that counts for a contact: the one made last under this name."""

    contact = models.ForeignKey(
        "audience.Contact", on_delete=models.CASCADE, related_name="predictions", db_constraint=False
    )
    name = models.CharField(max_length=60)
    value = models.DecimalField(max_digits=24, decimal_places=6)
    band = models.CharField(max_length=6, choices=Band)
    made_at = models.DateTimeField()
    valid_until = models.DateTimeField()
    model_version = models.CharField(max_length=100, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            # Begins with the name: rules ask for everybody under one name, or for one contact under it.
            models.UniqueConstraint(fields=["organization_id", "name", "contact"], name="one_prediction_per_contact"),
            models.CheckConstraint(condition=Q(valid_until__gt=models.F("made_at")), name="prediction_holds_a_while"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.contact_id}"

    @property
    def is_stale(self) -> bool:
        """Whether it lapsed: rules do not count it any more."""
        return self.valid_until <= clock.now()
