"""Settings of every environment, read from environment variables only (docs/deploy.md lists them).

GROUNDSWELL_MODE is `production` (the default), `trial` (what `manage.py up` sets when nothing else is
configured) or `test`. Code never asks for the mode; it only chooses defaults on this page.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path

from django.urls import reverse_lazy

from marketing_site import environment
from marketing_site.schedule import SCHEDULE
from marketing_site.unfold import UNFOLD  # noqa: F401 — read by django-unfold

BASE_DIR = Path(__file__).resolve().parent.parent
MODE = environment.text("GROUNDSWELL_MODE", "production")
IS_PRODUCTION = MODE == "production"
DEBUG = False

SECRET_KEY_IS_SET = bool(environment.text("SECRET_KEY"))
# Without one in production nothing starts (marketing_site.checks); until that is said, a throw-away key.
SECRET_KEY = environment.text("SECRET_KEY") or (secrets.token_urlsafe(50) if IS_PRODUCTION else "trial-" + "0" * 60)
# Older keys: what they signed or sealed is still read.
SECRET_KEY_FALLBACKS = environment.words("SECRET_KEY_FALLBACKS", "")
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", "" if IS_PRODUCTION else "*")
PUBLIC_URL = environment.text("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS", PUBLIC_URL)

# Rooms, bottom first; imports go the other way (pyproject.toml, importlinter).
ROOMS = [
    "common",
    "accounts",
    "audience",
    "segments",
    "experiments",
    "delivery",
    "campaigns",
    "automations",
    "attribution",
    "viral",
    "integrations",
    "dashboards",
]
INSTALLED_APPS = [
    "unfold",
    "marketing_site.apps.MarketingSiteConfig",
    *ROOMS,
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_filters",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "accounts.middleware.OrganizationMiddleware",
    "accounts.refusals.RefusalMiddleware",
]
ROOT_URLCONF = "marketing_site.urls"
WSGI_APPLICATION = "marketing_site.wsgi.application"
APPEND_SLASH = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# The app works as this role under row security; tables belong to the login role (common.tenancy).
APPLICATION_ROLE = "groundswell_app"
DATABASE_URL = environment.text("DATABASE_URL")
DATABASES = {"default": environment.database(DATABASE_URL or "postgresql:///groundswell")}
DATABASES["default"]["CONN_MAX_AGE"] = environment.integer("DATABASE_CONNECTION_SECONDS", 300)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"]["OPTIONS"]["assume_role"] = APPLICATION_ROLE

REDIS_URL_IS_SET = bool(environment.text("REDIS_URL"))
REDIS_URL = environment.text("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

# --- background work -------------------------------------------------------------------------------
# `river` carries what must be quick (ingest, notices, memberships, runs); `delivery` talks to the network.
QUEUES = ["river", "delivery", "default"]
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ACKS_LATE = False  # a lost doorbell is swept; a doorbell rung twice is harmless
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
}
CELERY_DB_REUSE_MAX = 1_000_000_000  # marketing_site/celery.py closes connections when they are old
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # KiB
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = SCHEDULE
CELERY_BEAT_SCHEDULER = "marketing_site.beat:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
# False in tests, which pump the river themselves instead of ringing a worker.
DOORBELL_ENABLED = MODE != "test"

# --- people and security ---------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.RoleBackend"]
LOGIN_URL = reverse_lazy("admin:login")
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
if MODE == "test":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SECURE_SSL_REDIRECT = environment.flag("HTTPS", IS_PRODUCTION)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if environment.flag("BEHIND_PROXY") else None
SECURE_HSTS_SECONDS = environment.integer("HSTS_SECONDS", 31_536_000 if SECURE_SSL_REDIRECT else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = bool(SECURE_HSTS_SECONDS)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"  # previews are srcdoc documents, which are not framed pages
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # Inline styles are written by Plotly and by preview documents; scripts stay external.
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "object-src": ["'none'"],
    },
}
# django-unfold runs Alpine, which evaluates expressions: `/admin/` pages get 'unsafe-eval' (accounts.middleware).

# --- API -------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.SecretKeyAuthentication",
        "accounts.api.authentication.MemberTokenAuthentication",
        "accounts.api.authentication.MemberSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api.permissions.RolePermission"],
    "DEFAULT_PAGINATION_CLASS": "common.api.pagination.CursorPages",
    "DEFAULT_FILTER_BACKENDS": ["common.api.filtering.SaidFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["common.api.throttling.CallerThrottle"],
    "DEFAULT_THROTTLE_RATES": {"caller": environment.text("API_RATE", "6000/min")},
    "EXCEPTION_HANDLER": "common.api.errors.handle",
    "DEFAULT_RENDERER_CLASSES": [
        "common.api.renderers.QuickJSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_PARSER_CLASSES": ["common.api.parsers.StrictJSONParser"],
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "DATETIME_FORMAT": "iso-8601",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Groundswell API",
    "DESCRIPTION": "Segments, campaigns, automations, attribution and referrals of one organisation.",
    "VERSION": "1",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # Words that several rooms use for fields of their own.
    "ENUM_NAME_OVERRIDES": {
        "CampaignStatus": "campaigns.models.CampaignStatus",
        "WorkflowFieldType": "automations.api.catalogue.FIELD_TYPES",
        "TargetStatus": "campaigns.models.TargetStatus",
        "CopyKind": "campaigns.models.CopyKind",
        "WhyState": "campaigns.api.why.JUDGED",
        "CopyState": "campaigns.api.copy.STATE_CHOICES",
        "OfferKind": "campaigns.models.OfferKind",
        "OfferCodes": "campaigns.models.CodeKind",
        "PresetKind": "campaigns.models.PresetKind",
        "ApprovalPolicy": "campaigns.models.ApprovalPolicy",
        "FindingOutcome": "campaigns.models.Outcome",
        "OfferScope": "campaigns.models.ScopeKind",
        "MessageKind": "delivery.models.MessageKind",
        "SegmentKind": "segments.models.SegmentKind",
        "ExperimentUnit": "experiments.models.Unit",
        "PredictionUnit": "audience.models.PredictionUnit",
        "TaskStatus": "automations.models.TaskStatus",
        "SimulationStatus": "automations.models.SimulationStatus",
        "TaskOutcome": "automations.models.Outcome",
        "TouchpointChannel": "attribution.models.CHANNELS",
        "TouchpointKind": "attribution.models.TouchpointKind",
        "JourneyStopKind": "attribution.api.serializers.STOP_KINDS",
        "RewardKind": "viral.models.RewardKind",
        "MessageChannel": "audience.models.MessageChannel",
        "SyncStatus": "integrations.models.SyncStatus",
        "SyncedContactStatus": "common.models.WorkStatus",
        "SyncChange": "integrations.models.Change",
    },
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=30),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "SIGNING_KEY": environment.text("JWT_SIGNING_KEY") or SECRET_KEY,
}

# --- calls to others -------------------------------------------------------------------------------
# Addresses that people type in (webhooks …) must be public ones. Hosts of the own network that may be called too:
PRIVATE_HOSTS_ALLOWED = [host.lower() for host in environment.words("PRIVATE_HOSTS_ALLOWED", "")]

# --- the copy assistant ------------------------------------------------------------------------------
# Any endpoint that speaks OpenAI's chat completions: its whole address, such as https://host/v1/chat/completions.
COPY_LLM_URL = environment.text("COPY_LLM_URL")
COPY_LLM_KEY = environment.text("COPY_LLM_KEY")
COPY_LLM_MODEL = environment.text("COPY_LLM_MODEL")
# With what is written without it, an answer takes at most two seconds.
COPY_LLM_TIMEOUT = min(1.5, max(0.1, environment.number("COPY_LLM_TIMEOUT", 1.3)))
COPY_LLM_CURRENCY = environment.text("COPY_LLM_CURRENCY", "USD").upper()
COPY_LLM_INPUT_PRICE = max(0.0, environment.number("COPY_LLM_INPUT_PRICE", 0.0))  # per 1 000 tokens
COPY_LLM_OUTPUT_PRICE = max(0.0, environment.number("COPY_LLM_OUTPUT_PRICE", 0.0))

# --- mail ------------------------------------------------------------------------------------------
# smtp://user:password@host:587?tls=starttls ; empty: the built-in mailbox that `manage.py up` starts.
EMAIL_URL = environment.text("EMAIL_URL")
MAILBOX_PORT = environment.integer("MAILBOX_PORT", 8025)
# After this long without a word from its worker, a message that was not handed over goes again by another one.
# Opens and clicks are judged when the other clicks of a scanner have come in, too.
VISIT_PATIENCE_SECONDS = 0 if MODE == "test" else 2
MESSAGE_LEASE_SECONDS = max(3, environment.integer("MESSAGE_LEASE_SECONDS", 180))
# Where a provider's API is when it is not the usual place, such as a stand-in: postmark=http://127.0.0.1:9000/,…
PROVIDER_API_URLS = environment.pairs("PROVIDER_API_URLS")
PROVIDER_TIMEOUT_SECONDS = max(1, environment.integer("PROVIDER_TIMEOUT_SECONDS", 20))
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", "hello@groundswell.example")
# Whom checks of DNS zones ask: empty for the machine's resolver, host:port, or "off" (trial and tests stay at home).
DNS_RESOLVER = environment.text("DNS_RESOLVER", "off" if MODE == "test" else "")
# The name with which our own sending server says hello, if there is one: its reverse DNS and SPF are checked.
OUTGOING_HOST = environment.text("OUTGOING_HOST").lower().rstrip(".")
# Mail of the house itself (invitations, forgotten passwords) goes through Django and the same server.
globals().update(environment.mail(EMAIL_URL or f"smtp://127.0.0.1:{MAILBOX_PORT}"))
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600

# --- campaigns -------------------------------------------------------------------------------------
# When campaigns look for their people and are tidied, in UTC: MARKETING_ANALYSIS_HOUR, CAMPAIGN_CLEANUP_HOUR and
# their _MINUTE (marketing_site/schedule.py). What ended so long ago leaves the daily lists:
CAMPAIGN_ARCHIVE_DAYS = max(1, environment.integer("CAMPAIGN_ARCHIVE_DAYS", 90))

# --- pages -----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
# Of the pages that messages lead to: locale/<language>/LC_MESSAGES. The admin speaks English.
LANGUAGES = [("en-gb", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["marketing_site.formats"]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = Path(environment.text("STATIC_ROOT") or BASE_DIR / ".groundswell" / "static")
if not IS_PRODUCTION:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # served from the sources; WhiteNoise wants the folder
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "marketing_site.static_files.ModuleStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
MEDIA_ROOT = Path(environment.text("MEDIA_ROOT") or BASE_DIR / ".groundswell" / "media")
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": environment.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "mail.log": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "django.request": {"level": "ERROR" if MODE == "test" else "WARNING"},
    },
}
