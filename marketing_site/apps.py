from django.apps import AppConfig


class MarketingSiteConfig(AppConfig):
    name = "marketing_site"

    def ready(self) -> None:
        from marketing_site import checks, wiring  # noqa: F401 — models must be loaded first

        wiring.connect()
