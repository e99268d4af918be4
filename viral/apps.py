from django.apps import AppConfig


class ViralConfig(AppConfig):
    name = "viral"
