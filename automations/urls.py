from django.urls import path

from automations.views import desk, recipes

urlpatterns = [
    path("automations/recipes/", recipes.gallery, name="recipes"),
    path("automations/recipes/<slug:key>/", recipes.install, name="recipe-install"),
    path("desk/", desk.my_desk, name="desk"),
    *(path(f"desk/<int:pk>/{name}/", desk.act(name), name=f"desk-{name}") for name in desk.ACTS),
]
