from django.urls import path

from campaigns.views import pictures

urlpatterns = [path("pictures/<str:file_name>", pictures.picture, name="picture")]
