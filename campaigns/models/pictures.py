"""Pictures that mails show."""

from __future__ import annotations

from django.db import models

from common import clock
from common.tenancy import OrganizationScoped


class MailPicture(OrganizationScoped):
    """A picture in the organisation's library; its file is named by what it holds and never changes."""

    name = models.CharField(max_length=200)
    alt = models.CharField("says", max_length=300, help_text="Read aloud, and shown where pictures are blocked.")
    kind = models.CharField(max_length=4)
    checksum = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    byte_count = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization_id", "checksum"], name="one_picture_per_content")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def file_name(self) -> str:
        """Also the last part of its address."""
        return f"{self.checksum}.{self.kind}"
