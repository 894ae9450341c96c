"""Settings, all from the environment (docs/settings.md lists them). `.env` in the project's root is read; the environment wins.

Every secret can also be given as NAME_FILE. A bad value raises ImproperlyConfigured with a sentence that names the setting.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hygiene import environment
from hygiene.domain import owners
from hygiene.domain.profiles import PROFILES
from hygiene.environment import env

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"
environment.read_env_file(BASE_DIR / ".env")

# --- the usual -------------------------------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env.secret_key("SECRET_KEY", debug=DEBUG)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", default="localhost,127.0.0.1,[::1]")
SITE_ROOT = env.url("SITE_ROOT", default="http://127.0.0.1:8000").rstrip("/")
IS_HTTPS = SITE_ROOT.startswith("https://")
CSRF_TRUSTED_ORIGINS = [SITE_ROOT]
ROOT_URLCONF = "hygiene.urls"
WSGI_APPLICATION = "hygiene.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
USE_I18N = False

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "django_tables2",
    "django_htmx",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_structlog",
    "accounts",
    "hygiene",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "hygiene.middleware.SignInAgainMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "hygiene.middleware.PreferencesMiddleware",
    "hygiene.middleware.NoNulMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "hygiene.context.shell",
            ],
        },
    }
]
TEMPLATES.append(
    {  # plain text, where nothing is escaped: `services.mailing` asks for it by its name
        "NAME": "text",
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates" / "emails"],
        "OPTIONS": {"autoescape": False},
    }
)
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- data ------------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.database("DATABASE_URL", default_path=VAR_DIR / "hygiene.sqlite3")}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "hygiene_cache"}}
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG

# --- security --------------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_TLS_PROXY", default=False) else None
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz/", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
SESSION_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_HTTPONLY = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- sign-in ---------------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["hygiene.sign_in.RolesBackend"]
CSRF_FAILURE_VIEW = "hygiene.views.errors.csrf_failure"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "start"
ACCOUNT_LOGOUT_REDIRECT_URL = "/auth/login/"
ACCOUNT_ADAPTER = "hygiene.sign_in.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "hygiene.sign_in.SocialAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_SESSION_REMEMBER = False
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = False
MFA_TOTP_ISSUER = "Key Hygiene"
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_PROVIDERS = env.openid_connect()

# --- tasks -----------------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.broker("CELERY_BROKER_URL", fallback_dir=VAR_DIR / "broker")
CELERY_FALLBACK_DIR = VAR_DIR / "broker"

# --- AWS (workers only; credentials come from the SDK's ordinary chain and are never read here) ------------------------
env.url("AWS_ENDPOINT_URL", default="")  # the SDK reads the variable itself; a bad one stops the start here
ALLOW_CUSTOM_AWS_ENDPOINT = env.flag("ALLOW_CUSTOM_AWS_ENDPOINT", default=False)
AWS_CALLS_PER_SECOND = env.number("AWS_CALLS_PER_SECOND", default=5.0, least=0.0, most=1000.0)
WORKER_ARN = env.principal("WORKER_ARN")
AWS_SOURCE_IDENTITY = env.flag("AWS_SOURCE_IDENTITY", default=True)

# --- the product -------------------------------------------------------------------------------------------------------
COUNTS_KEPT_SECONDS = env.number("COUNTS_KEPT_SECONDS", default=30.0, least=0.0, most=300.0)
POLL_INTERVAL_HOURS = env.number("POLL_INTERVAL_HOURS", default=4.0, least=0.05, most=24.0)
POLICY_PROFILE = env.choice("POLICY_PROFILE", default="default", allowed=tuple(PROFILES))
REMEDIATION_ENABLED = env.flag("REMEDIATION_ENABLED", default=False)
EVIDENCE_REGIONS = env.words("EVIDENCE_REGIONS", default="us-east-1,us-west-2,eu-west-1")
DETAILS_INTERVAL_HOURS = env.number("DETAILS_INTERVAL_HOURS", default=24.0, least=1.0, most=720.0)
OWNER_SOURCES = env.words_of("OWNER_SOURCES", default="tags,key-description,mapping", allowed=owners.SOURCES)
OWNER_TAGS = env.words("OWNER_TAGS", default="owner,owner-email,contact")
USER_CLASS_TAG = env.text("USER_CLASS_TAG", default="hygiene-class")
DIGEST_SCHEDULE = env.digest_slot("DIGEST_SCHEDULE", default="mon 08:00 UTC")
AUDIT_RETENTION_DAYS = env.days("AUDIT_RETENTION_DAYS", default=0, least=365, most=36_500)
DEMO = env.flag("DEMO", default=False)

# --- mail and logs -----------------------------------------------------------------------------------------------------
for _name, _value in env.mail("EMAIL_URL").items():
    globals()[_name] = _value
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", default="Key Hygiene <key-hygiene@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
DJANGO_STRUCTLOG_CELERY_ENABLED = True
METRICS_TOKEN = env.text("METRICS_TOKEN")
LOG_FORMAT = env.choice("LOG_FORMAT", default="console", allowed=("console", "json"))
LOGGING = environment.logging(LOG_FORMAT, env.choice("LOG_LEVEL", default="INFO", allowed=("DEBUG", "INFO", "WARNING", "ERROR")))
environment.configure_structlog()
