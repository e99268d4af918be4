from django.urls import re_path
from rest_framework.routers import SimpleRouter

from attribution.api import views

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("attribution/conversions", views.ConversionViewSet, basename="attribution-conversion")
router.register("attribution/touchpoints", views.TouchpointViewSet, basename="attribution-touchpoint")
router.register("attribution/costs", views.CostViewSet, basename="attribution-cost")

urlpatterns = [
    re_path("^attribution/campaigns/?$", views.CampaignReturns.as_view(), name="attribution-campaigns"),
    re_path("^attribution/models/?$", views.Models.as_view(), name="attribution-models"),
    re_path(
        "^attribution/journeys/(?P<contact>[0-9]{1,18})/?$", views.Journeys.as_view(), name="attribution-journey"
    ),
    *router.urls,
]
