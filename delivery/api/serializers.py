from __future__ import annotations

from rest_framework import serializers

from delivery.models import Message


class MessageSerializer(serializers.ModelSerializer[Message]):
    class Meta:
        model = Message
        fields = [
            "id", "contact_id", "channel", "kind", "content_id", "topic_id", "source_type", "source_id", "address",
            "status", "reason", "attempts", "run_at", "created_at", "sent_at", "opened_at", "clicked_at",
            "unsubscribed_at", "delivered_at", "bounced_at", "complained_at", "provider_message_id",
            "idempotency_key", "account_id",
        ]  # fmt: skip
        read_only_fields = fields


class ResolutionSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """What became of uncertain messages, as a person found out."""

    message_ids = serializers.ListField(child=serializers.IntegerField(min_value=1), min_length=1, max_length=1000)
    decision = serializers.ChoiceField(choices=["sent", "send_again"])


class ResolvedSerializer(serializers.Serializer):  # type: ignore[type-arg]
    resolved = serializers.IntegerField(help_text="So many were uncertain and are decided now.")
    left = serializers.IntegerField(
        help_text="So many were in another state, or are not there; they stay as they are."
    )
