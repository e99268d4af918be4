"""Where the short links in texts lead."""

from __future__ import annotations

from django.db import models

from common.tenancy import OrganizationScoped
from delivery.models.messages import Message


class ShortLink(OrganizationScoped):
    """One address in one text message. It goes with the message."""

    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="short_links", db_constraint=False, db_index=False
    )
    place = models.PositiveSmallIntegerField(help_text="Which address of the text, from 0.")
    url = models.TextField()
    utm_campaign = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "place"], name="one_link_per_place")]

    def __str__(self) -> str:
        return self.url
