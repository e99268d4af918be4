from django.urls import path

from delivery.views import deliverability, hooks, leaving, mailbox, tracking

app_name = "delivery"
urlpatterns = [
    path("deliverability/", deliverability.overview, name="deliverability"),
    path("deliverability/plan/", deliverability.plan, name="warmup-plan"),
    path("deliverability/plan/start/", deliverability.start, name="warmup-start"),
    path("deliverability/pauses/<int:pk>/resume/", deliverability.resume, name="pause-resume"),
    path("deliverability/domains/<int:pk>/", deliverability.domain, name="domain"),
    path("deliverability/domains/<int:pk>/change/", deliverability.change, name="domain-change"),
    path("t/o/<str:token>.gif", tracking.open_pixel, name="open"),
    path("t/c/<str:token>", tracking.click, name="click"),
    path("s/<str:token>", tracking.short, name="short"),
    path("t/n/<str:token>", tracking.trap, name="trap"),
    path("u/<str:token>", leaving.unsubscribe, name="unsubscribe"),
    path("preferences/<str:token>", leaving.choose, name="preferences"),
    path("confirm/<str:token>", leaving.confirm, name="confirm"),
    path("webhooks/<str:token>/", hooks.receive, name="hook"),
    path("mailbox/", mailbox.index, name="mailbox"),
    path("mailbox/<int:mail_id>/", mailbox.read, name="mailbox-message"),
    path("mailbox/<int:mail_id>/source/", mailbox.source, name="mailbox-source"),
]
