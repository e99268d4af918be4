from django.urls import path

from dashboards import contact_views, views
from dashboards.boards import BOARDS
from dashboards.campaign import views as campaign

app_name = "dashboards"

urlpatterns = [
    path("", views.home, name="home"),
    path("live/", views.live, name="live"),
    path("contacts/<int:pk>/", contact_views.contact_page, name="contact"),
    path("campaigns/<int:pk>/report/", campaign.report_page, name="campaign"),
    path("campaigns/<int:pk>/people.csv", campaign.people_csv, name="campaign-people"),
    path("health/", views.health_page, name="health"),
    *(path(f"dashboards/{name}/", views.board, {"name": name}, name=name) for name in BOARDS),
]
