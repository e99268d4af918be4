"""JWT for members: obtain, refresh, revoke. A token speaks for one organisation."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer, TokenObtainSerializer
from rest_framework_simplejwt.views import TokenBlacklistView, TokenObtainPairView, TokenRefreshView

from accounts import selectors
from accounts.api.authentication import ORGANIZATION_CLAIM


class ObtainSerializer(TokenObtainPairSerializer):
    organization_id = serializers.IntegerField(required=False, help_text="Needed when you have several seats.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        wanted = attrs.pop("organization_id", None)
        # The parent checks the password; only then may a seat be looked up.
        TokenObtainSerializer.validate(self, attrs)
        seat = selectors.seat(self.user, wanted)
        if seat is None:
            raise serializers.ValidationError({"organization_id": "You have no seat in this organisation."})
        refresh = self.get_token(self.user)
        refresh[ORGANIZATION_CLAIM] = seat.organization_id
        return {"refresh": str(refresh), "access": str(refresh.access_token)}


class ObtainView(TokenObtainPairView):
    serializer_class = ObtainSerializer
    permission_classes = [AllowAny]


class RefreshView(TokenRefreshView):
    permission_classes = [AllowAny]


class RevokeView(TokenBlacklistView):
    """Takes a refresh token out of use; its access token lapses by itself within half an hour."""

    permission_classes = [AllowAny]
