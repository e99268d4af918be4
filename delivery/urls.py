from django.urls import path

from delivery.views import hooks, leaving, mailbox, tracking

app_name = "delivery"
urlpatterns = [
    path("t/o/<str:token>.gif", tracking.open_pixel, name="open"),
    path("t/c/<str:token>", tracking.click, name="click"),
    path("u/<str:token>", leaving.unsubscribe, name="unsubscribe"),
    path("preferences/<str:token>", leaving.choose, name="preferences"),
    path("confirm/<str:token>", leaving.confirm, name="confirm"),
    path("webhooks/<str:token>/", hooks.receive, name="hook"),
    path("mailbox/", mailbox.index, name="mailbox"),
    path("mailbox/<int:mail_id>/", mailbox.read, name="mailbox-message"),
    path("mailbox/<int:mail_id>/source/", mailbox.source, name="mailbox-source"),
]
