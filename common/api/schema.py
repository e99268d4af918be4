"""What drf-spectacular needs to know: the error shape that every endpoint can answer."""

from __future__ import annotations

from rest_framework import serializers


class ErrorSerializer(serializers.Serializer):  # type: ignore[type-arg]
    code = serializers.CharField(help_text="For machines, e.g. `not_found`.")
    message = serializers.CharField(help_text="For people: what was wrong and what would be right.")
    details = serializers.DictField(help_text="Place → sentence.")
