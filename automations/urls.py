from django.urls import path

from automations.views import desk, doors, funnel, log, publishing, recipes, runs, simulations, troubles, walks

urlpatterns = [
    path("automations/recipes/", recipes.gallery, name="recipes"),
    path("automations/recipes/<slug:key>/", recipes.install, name="recipe-install"),
    path("desk/", desk.my_desk, name="desk"),
    path("webhooks/workflows/<str:token>/", doors.webhook, name="workflow-webhook"),
    path("forms/<str:token>/", doors.form, name="workflow-form"),
    *(path(f"desk/<int:pk>/{name}/", desk.act(name), name=f"desk-{name}") for name in desk.ACTS),
    path("automations/<int:pk>/versions/", publishing.versions_page, name="automation-versions"),
    path("automations/<int:pk>/publish/", publishing.publish, name="automation-publish"),
    path("automations/<int:pk>/funnel/", funnel.show, name="automation-funnel"),
    path("automations/<int:pk>/log/", log.log, name="automation-log"),
    path("automations/<int:pk>/simulations/", simulations.show, name="automation-simulations"),
    path("automations/<int:pk>/walk/", walks.walk, name="automation-walk"),
    path("automations/<int:pk>/walk/message/", walks.message, name="automation-walk-message"),
    path("automations/simulations/<int:pk>/progress/", simulations.progress, name="automation-simulation-progress"),
    path("automations/simulations/<int:pk>/cancel/", simulations.cancel, name="automation-simulation-cancel"),
    *(
        path(f"automations/runs/<int:pk>/{name}/", runs.act(name), name=f"automation-run-{name}")
        for name in runs.ACTS
    ),
    path("automations/troubles/", troubles.show, name="automation-troubles"),
    path("automations/troubles/act/", troubles.act, name="automation-troubles-act"),
    path("automations/troubles/tell-me/", troubles.tell_me, name="automation-alert-me"),
]
