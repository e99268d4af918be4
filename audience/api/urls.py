from rest_framework.routers import SimpleRouter

from audience.api.contacts import ContactViewSet
from audience.api.predictions import PredictionDefinitionViewSet, PredictionViewSet

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("contacts", ContactViewSet, basename="contact")
router.register("predictions/definitions", PredictionDefinitionViewSet, basename="prediction-definition")
router.register("predictions", PredictionViewSet, basename="prediction")

urlpatterns = router.urls
