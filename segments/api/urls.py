from rest_framework.routers import SimpleRouter

from segments.api.segments import SegmentViewSet

# Accepted with and without the slash at the end.
router = SimpleRouter()
router.trailing_slash = "/?"
router.register("segments", SegmentViewSet, basename="segment")

urlpatterns = router.urls
