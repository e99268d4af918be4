from django.urls import path

from automations.views import desk

urlpatterns = [
    path("desk/", desk.my_desk, name="desk"),
    *(path(f"desk/<int:pk>/{name}/", desk.act(name), name=f"desk-{name}") for name in desk.ACTS),
]
