from __future__ import annotations

from rest_framework import serializers

from delivery.models import Message


class MessageSerializer(serializers.ModelSerializer[Message]):
    class Meta:
        model = Message
        fields = [
            "id", "contact_id", "channel", "kind", "content_id", "topic_id", "source_type", "source_id", "address",
            "status", "reason", "attempts", "run_at", "created_at", "sent_at", "opened_at", "clicked_at",
            "unsubscribed_at", "idempotency_key",
        ]  # fmt: skip
        read_only_fields = fields
