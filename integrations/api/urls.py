from rest_framework.routers import SimpleRouter

from integrations.api.views import AudienceSyncViewSet, DestinationViewSet

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("destinations", DestinationViewSet, basename="destination")
router.register("audience-syncs", AudienceSyncViewSet, basename="audience-sync")

urlpatterns = router.urls
