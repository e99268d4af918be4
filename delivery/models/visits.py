"""Requests to tracking addresses, as they came in."""

from __future__ import annotations

from django.db import models

from common import clock
from common.tenancy import OrganizationScoped


class Visit(OrganizationScoped):
    """One fetch of a pixel or a link, kept until it is judged; then it is `Engagement` and this row is gone."""

    kind = models.CharField(max_length=12)
    message_id = models.BigIntegerField()
    url = models.TextField(blank=True, default="")
    place = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="As the how manieth link to its address it stands in the mail; 0: not told.",
    )
    user_agent = models.CharField(max_length=300, blank=True, default="")
    is_probe = models.BooleanField(default=False, help_text="A HEAD request, or one that says it prefetches.")
    is_browserlike = models.BooleanField(
        null=True, help_text="Whether it bore the headers of a browser that follows a link; empty without TLS."
    )
    happened_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["organization_id", "happened_at"], name="visits_by_time"),
            models.Index(fields=["organization_id", "message_id"], name="visits_by_message"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"
