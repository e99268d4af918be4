from django.urls import re_path
from rest_framework.routers import SimpleRouter

from experiments.api import views

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("experiments", views.ExperimentViewSet, basename="experiment")

# Before the router: `reserve` would be an experiment's key.
urlpatterns = [
    re_path("^experiments/reserve/?$", views.ReserveView.as_view(), name="experiment-reserve"),
    *router.urls,
]
