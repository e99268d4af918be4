import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketing_site.settings")

application = get_wsgi_application()

from marketing_site import checks  # noqa: E402 — the settings are read by now

checks.refuse_bad_settings()
