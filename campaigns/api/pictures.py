"""`/api/v1/pictures/`: the library of pictures that mails show."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.models import MailPicture
from campaigns.services import pictures
from common.api.views import ApiViewSet
from common.errors import Invalid


class PictureSerializer(serializers.ModelSerializer):  # type: ignore[type-arg]
    url = serializers.SerializerMethodField(help_text="Public and lasting: the file behind it never changes.")

    class Meta:
        model = MailPicture
        fields = ["id", "name", "alt", "url", "width", "height", "byte_count", "created_at"]

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, picture: MailPicture) -> str:
        return pictures.address(picture)


class PictureInput(serializers.Serializer):  # type: ignore[type-arg]
    file = serializers.FileField(help_text="PNG, JPEG, GIF or WebP, at most 4 MB.")
    alt = serializers.CharField(max_length=300, help_text="What the picture shows, for those who do not see it.")


class PictureViewSet(ApiViewSet):
    """Pictures for mails, served by us under a name made of their content."""

    resource = "campaigns"
    serializer_class = PictureSerializer
    parser_classes = (MultiPartParser,)
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> QuerySet[MailPicture]:
        return MailPicture.objects.all()

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request={"multipart/form-data": PictureInput}, responses={201: PictureSerializer})
    def create(self, request: Request) -> Response:
        """Add a picture; one that is there already keeps its address. Judged by its bytes, not by its name."""
        file = request.FILES.get("file")
        if file is None:
            raise Invalid("Send the picture as `file`.", details={"file": "A file is needed."})
        made = pictures.add_picture(file.read(), name=file.name or "", alt=str(request.data.get("alt", "")))
        return Response(self.get_serializer(made).data, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Out of the library; what shows it already goes on showing it."""
        pictures.delete_picture(self.get_object())
        return Response(status=204)
