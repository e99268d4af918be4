from django.urls import path

from campaigns.views import pictures, why

urlpatterns = [
    path("pictures/<str:file_name>", pictures.picture, name="picture"),
    path("messages/why/", why.why_sent, name="why-sent"),
]
