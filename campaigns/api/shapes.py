"""Input that names the version it changes."""

from __future__ import annotations

from rest_framework import serializers

from common.api.shapes import StrictSerializer


class VersionSerializer(StrictSerializer):
    """The version that was read: the change is refused when somebody else changed it meanwhile."""

    version = serializers.IntegerField(required=False, min_value=1, help_text="Refuse if it is another one by now.")
