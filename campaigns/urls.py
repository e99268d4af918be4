from django.urls import path

from campaigns.views import calendar, pictures, why

urlpatterns = [
    path("pictures/<str:file_name>", pictures.picture, name="picture"),
    path("campaigns/calendar/", calendar.calendar_page, name="campaign-calendar"),
    path("messages/why/", why.why_sent, name="why-sent"),
]
