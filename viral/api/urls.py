from django.urls import re_path
from rest_framework.routers import SimpleRouter

from viral.api import views

router = SimpleRouter()
router.trailing_slash = "/?"
router.register("viral/programs", views.ProgramViewSet, basename="viral-program")
router.register("viral/codes", views.CodeViewSet, basename="viral-code")
router.register("viral/referrals", views.ReferralViewSet, basename="viral-referral")
router.register("viral/rewards", views.RewardViewSet, basename="viral-reward")

urlpatterns = [
    re_path("^viral/coefficient/?$", views.CoefficientView.as_view(), name="viral-coefficient"),
    *router.urls,
]
