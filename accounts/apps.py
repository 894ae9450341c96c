"""App configuration."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """AWS accounts, the way to them, and the audit log."""

    name = "accounts"
    label = "accounts"
    verbose_name = "AWS accounts"
    default_auto_field = "django.db.models.BigAutoField"
