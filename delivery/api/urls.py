from rest_framework.routers import DefaultRouter

from delivery.api.views import MessageViewSet

router = DefaultRouter()
router.include_root_view = False
router.register("messages", MessageViewSet, basename="message")
urlpatterns = router.urls
