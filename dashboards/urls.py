from django.urls import path

from dashboards import views
from dashboards.boards import BOARDS

app_name = "dashboards"

urlpatterns = [
    path("", views.home, name="home"),
    path("live/", views.live, name="live"),
    path("health/", views.health_page, name="health"),
    *(path(f"dashboards/{name}/", views.board, {"name": name}, name=name) for name in BOARDS),
]
