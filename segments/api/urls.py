from django.urls import re_path
from rest_framework.routers import SimpleRouter

from segments.api.language import LanguageView
from segments.api.preview import PreviewView, SuggestedValuesView
from segments.api.segments import SegmentViewSet

# Accepted with and without the slash at the end.
router = SimpleRouter()
router.trailing_slash = "/?"
router.register("segments", SegmentViewSet, basename="segment")

urlpatterns = [
    re_path(r"^segments/language/?$", LanguageView.as_view(), name="segment-language"),
    re_path(r"^segments/preview/?$", PreviewView.as_view(), name="segment-preview"),
    re_path(r"^segments/suggest-values/?$", SuggestedValuesView.as_view(), name="segment-suggest-values"),
    *router.urls,
]
