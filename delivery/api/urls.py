from django.urls import path, re_path
from rest_framework.routers import DefaultRouter

from delivery.api import deliverability
from delivery.api.inbox import ContactTokensView, DevicesView, InboxViewSet, PushKeyView
from delivery.api.sync import SyncView
from delivery.api.views import MessageViewSet

router = DefaultRouter()
router.include_root_view = False
router.register("inbox", InboxViewSet, basename="inbox")
router.register("messages", MessageViewSet, basename="message")
urlpatterns = [
    *router.urls,
    path("contact-tokens/", ContactTokensView.as_view(), name="contact-tokens"),
    path("devices/", DevicesView.as_view(), name="devices"),
    path("sync/", SyncView.as_view(), name="sync"),
    path("push-key/", PushKeyView.as_view(), name="push-key"),
    re_path("^deliverability/providers/?$", deliverability.Providers.as_view(), name="deliverability-providers"),
    re_path("^deliverability/domains/?$", deliverability.Domains.as_view(), name="deliverability-domains"),
    re_path("^deliverability/pauses/?$", deliverability.Pauses.as_view(), name="deliverability-pauses"),
    re_path("^deliverability/plan/?$", deliverability.Plan.as_view(), name="deliverability-plan"),
]
