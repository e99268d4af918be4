from rest_framework.routers import SimpleRouter

from audience.api.contacts import ContactViewSet

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("contacts", ContactViewSet, basename="contact")

urlpatterns = router.urls
