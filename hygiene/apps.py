"""App configuration."""

from django.apps import AppConfig


class HygieneConfig(AppConfig):
    """The product: report, inventory, rules, findings, remediation, digest."""

    name = "hygiene"
    label = "hygiene"
    verbose_name = "Key Hygiene"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from hygiene import checks  # noqa: F401  # registering is the import's effect; apps load before models are ready
