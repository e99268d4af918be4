"""What was sent in the name of a template."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from campaigns.models import TemplateVersion
from delivery.models import Content

MOST = 500
SAME = ("name", "channel", "kind", "html", "text", "fields")


def contents_of(template_id: int) -> list[int]:
    """The contents of a template's versions, the latest first, those too that a workflow's step gave a subject of its
    own, which differ in it alone.

    Plan: the table of contents once, which holds what was ever published, beside the few of these versions.
    """
    versions = TemplateVersion.objects.filter(template=template_id).values("content_id")
    originals = Content.objects.filter(pk__in=versions, **{name: OuterRef(name) for name in SAME})
    return list(Content.objects.filter(Exists(originals)).order_by("-pk").values_list("pk", flat=True)[:MOST])
