from django.urls import path

from delivery.views import mailbox, tracking

app_name = "delivery"
urlpatterns = [
    path("t/o/<str:token>.gif", tracking.open_pixel, name="open"),
    path("t/c/<str:token>", tracking.click, name="click"),
    path("u/<str:token>", tracking.unsubscribe, name="unsubscribe"),
    path("mailbox/", mailbox.index, name="mailbox"),
    path("mailbox/<int:mail_id>/", mailbox.read, name="mailbox-message"),
    path("mailbox/<int:mail_id>/source/", mailbox.source, name="mailbox-source"),
]
