from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from campaigns.api.analytics import AnalyticsView
from campaigns.api.auto import CycleViewSet, ManualView, PresetViewSet
from campaigns.api.calendar import CalendarView
from campaigns.api.campaigns import CampaignViewSet
from campaigns.api.copy import CopySuccessView, CopySuggestionViewSet
from campaigns.api.messages import MessageTemplateViewSet
from campaigns.api.offers import OfferCodesView, OfferReportsView
from campaigns.api.pictures import PictureViewSet
from campaigns.api.snippets import SnippetViewSet
from campaigns.api.templates import EmailTemplateViewSet
from campaigns.api.why import WhyView

# Client apps call `/campaigns?status=active` as well as `/campaigns/`.
router = SimpleRouter()
router.trailing_slash = "/?"
router.register("campaigns", CampaignViewSet, basename="campaign")
router.register("analysis", CycleViewSet, basename="analysis")
router.register("auto-presets", PresetViewSet, basename="auto-preset")
router.register("snippets", SnippetViewSet, basename="snippet")
router.register("email-templates", EmailTemplateViewSet, basename="email-template")
router.register("message-templates", MessageTemplateViewSet, basename="message-template")
router.register("copy/suggestions", CopySuggestionViewSet, basename="copy-suggestion")
router.register("pictures", PictureViewSet, basename="picture")

# Before delivery's own `messages/<id>/`: the answer needs the campaigns and segments that stand above it.
urlpatterns = [
    path("copy/success/", CopySuccessView.as_view(), name="copy-success"),
    path("messages/why/", WhyView.as_view(), name="message-why"),
    re_path(r"^campaigns/calendar/?$", CalendarView.as_view(), name="campaign-calendar-api"),
    re_path(r"^campaigns/manual/?$", ManualView.as_view(), name="campaign-manual"),
    re_path(
        r"^campaigns/(?P<pk>[0-9]{1,18})/offers/(?P<offer>[0-9]{1,18})/codes/?$",
        OfferCodesView.as_view(),
        name="offer-codes",
    ),
    re_path(r"^analytics/?$", AnalyticsView.as_view(), name="campaign-analytics"),
    re_path(r"^offer-reports/?$", OfferReportsView.as_view(), name="offer-reports"),
    *router.urls,
]
