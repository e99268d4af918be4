from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    name = "dashboards"

    def ready(self) -> None:
        from dashboards import boards, cards  # noqa: F401 — their tables belong to the catalogue
