from django.urls import path

from campaigns.auto import pages
from campaigns.views import calendar, codes, pictures, why

urlpatterns = [
    path("campaigns/automatic/", pages.automatic, name="automatic-campaigns"),
    path("campaigns/automatic/run/", pages.run_now, name="automatic-campaigns-run"),
    path("campaigns/automatic/waiting/", pages.waiting, name="automatic-campaigns-waiting"),
    path("campaigns/automatic/<int:pk>/", pages.cycle, name="automatic-campaigns-cycle"),
    path("campaigns/offers/<int:pk>/codes/", codes.offer_codes_page, name="offer-codes-page"),
    path("pictures/<str:file_name>", pictures.picture, name="picture"),
    path("campaigns/calendar/", calendar.calendar_page, name="campaign-calendar"),
    path("messages/why/", why.why_sent, name="why-sent"),
]
