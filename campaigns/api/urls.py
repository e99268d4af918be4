from rest_framework.routers import SimpleRouter

from campaigns.api.campaigns import CampaignViewSet
from campaigns.api.messages import MessageTemplateViewSet
from campaigns.api.pictures import PictureViewSet
from campaigns.api.snippets import SnippetViewSet
from campaigns.api.templates import EmailTemplateViewSet

# Client apps call `/campaigns?status=active` as well as `/campaigns/`.
router = SimpleRouter()
router.trailing_slash = "/?"
router.register("campaigns", CampaignViewSet, basename="campaign")
router.register("snippets", SnippetViewSet, basename="snippet")
router.register("email-templates", EmailTemplateViewSet, basename="email-template")
router.register("message-templates", MessageTemplateViewSet, basename="message-template")
router.register("pictures", PictureViewSet, basename="picture")

urlpatterns = router.urls
