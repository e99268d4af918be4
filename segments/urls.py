from django.urls import path

from segments.patterns import pages

app_name = "segments"

urlpatterns = [
    path("patterns/", pages.patterns, name="patterns"),
    path("suggestions/", pages.suggestions, name="suggestions"),
    path("patterns/square/", pages.square, name="square"),
    path("patterns/square/draft/", pages.square_draft, name="square-draft"),
    path("<slug:kind>/waiting/", pages.waiting, name="pattern-waiting"),
    path("<slug:kind>/compute/", pages.compute, name="pattern-compute"),
    path("<slug:kind>/people/<str:key>/", pages.people, name="pattern-people"),
    path("<slug:kind>/draft/<str:key>/", pages.draft, name="pattern-draft"),
]
