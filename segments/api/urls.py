from django.urls import re_path
from rest_framework.routers import SimpleRouter

from segments.api.language import LanguageView
from segments.api.patterns import (
    PatternDraftView,
    PatternsView,
    SquareDraftView,
    SuggestionDraftView,
    SuggestionsView,
)
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
    re_path(r"^segments/patterns/?$", PatternsView.as_view(), name="segment-patterns"),
    re_path(r"^segments/patterns/square/draft/?$", SquareDraftView.as_view(), name="segment-square-draft"),
    re_path(r"^segments/patterns/(?P<key>[^/]{1,80})/draft/?$", PatternDraftView.as_view(), name="pattern-draft"),
    re_path(r"^segments/suggestions/?$", SuggestionsView.as_view(), name="segment-suggestions"),
    re_path(
        r"^segments/suggestions/(?P<key>[^/]{1,80})/draft/?$", SuggestionDraftView.as_view(), name="suggestion-draft"
    ),
    *router.urls,
]
