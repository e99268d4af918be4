from django.urls import path

from viral import views

app_name = "viral"

urlpatterns = [path("r/<str:code>", views.follow, name="follow"), path("r/<str:code>/", views.follow)]
