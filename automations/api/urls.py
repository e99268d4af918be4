from django.urls import re_path
from rest_framework.routers import SimpleRouter

from automations.api.automations import AutomationViewSet
from automations.api.catalogue import CatalogView
from automations.api.flows import FlowViewSet
from automations.api.recipes import RecipesView
from automations.api.tasks import ScheduledTaskViewSet, TaskViewSet
from campaigns.api.templates import EmailTemplateViewSet

# Accepted with and without the slash at the end.
router = SimpleRouter()
router.trailing_slash = "/?"
router.register("automations/email-templates", EmailTemplateViewSet, basename="automation-email-template")
router.register("automations/scheduled-tasks", ScheduledTaskViewSet, basename="scheduled-task")
router.register("automations", AutomationViewSet, basename="automation")
router.register("automations", FlowViewSet, basename="automation-flow")
router.register("tasks", TaskViewSet, basename="task")

urlpatterns = [
    re_path("^automations/catalog/?$", CatalogView.as_view(), name="automation-catalog"),
    re_path("^automations/recipes/?$", RecipesView.as_view(), name="automation-recipes"),
    *router.urls,
]
