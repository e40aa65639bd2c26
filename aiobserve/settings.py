"""Settings, read from the environment alone. Everything has a default that works on one machine."""

import secrets

import environ
from django.core.exceptions import ImproperlyConfigured

from aiobserve.embedded.data_directory import data_directory

env = environ.Env()

DATA_DIR = data_directory(env.ENVIRON)
DEBUG = env.bool("AIOBSERVE_DEBUG", default=False)
ALLOWED_HOSTS = env.list("AIOBSERVE_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", "testserver"])
# Nothing signed has to outlive a restart of the demo; a site sets its own key.
SECRET_KEY = env.str("AIOBSERVE_SECRET_KEY", default="") or secrets.token_urlsafe(50)

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "aiobserve",
    "aiobserve.store",
    "aiobserve.emails",
    "dashboards",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "dashboards.security.ContentSecurityPolicyMiddleware",
]
ROOT_URLCONF = "aiobserve.urls"
WSGI_APPLICATION = "aiobserve.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]

# The embedded servers' addresses are put into the environment by the command line before Django starts.
DATABASE_URL = env.str("DATABASE_URL", default="") or "postgresql://127.0.0.1:5432/aiobserve"
if not DATABASE_URL.startswith(("postgresql://", "postgres://")):
    # The address may hold a password and is not repeated.
    raise ImproperlyConfigured(
        "DATABASE_URL is no address of a PostgreSQL; write it as postgresql://user:password@host:5432/name"
    )
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    "application_name": "aiobserve",
    "connect_timeout": 10,
}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

BROKER_URL = env.str("BROKER_URL", default="")

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
# Files are served from where they lie: nothing has to be collected before the first page.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

# The hot telemetry table has no primary key; Django wants one to be named.
SILENCED_SYSTEM_CHECKS = ["fields.W342"]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DEFAULT_FROM_EMAIL = env.str("AIOBSERVE_FROM_EMAIL", default="aiobserve@localhost")

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "EXCEPTION_HANDLER": "aiobserve.api.problems.problem_response",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "aiobserve",
    "DESCRIPTION": "Cost, energy and carbon of AI workloads, from one ledger.",
    "VERSION": "v1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": env.str("AIOBSERVE_LOG_LEVEL", default="WARNING")},
}
