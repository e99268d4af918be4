from django.urls import path

from segments.models import AnalysisKind
from segments.patterns import pages

app_name = "segments"

urlpatterns = [
    path("patterns/", pages.patterns, name="patterns"),
    path("suggestions/", pages.suggestions, name="suggestions"),
    path("patterns/square/", pages.square, name="square"),
    path("patterns/square/draft/", pages.square_draft, name="square-draft"),
    path("findings/<int:pk>/people/", pages.people, name="finding-people"),
    path("findings/<int:pk>/draft/", pages.draft, name="finding-draft"),
    *(path(f"{kind}/waiting/", pages.waiting, {"kind": kind}, name=f"{kind}-waiting") for kind in AnalysisKind),
    *(path(f"{kind}/compute/", pages.compute, {"kind": kind}, name=f"{kind}-compute") for kind in AnalysisKind),
]
