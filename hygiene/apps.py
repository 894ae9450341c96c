"""App configuration."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class HygieneConfig(AppConfig):
    """The product: report, inventory, rules, findings, remediation, digest."""

    name = "hygiene"
    label = "hygiene"
    verbose_name = "Key Hygiene"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks, and how times are read from PostgreSQL."""
        from hygiene import checks  # noqa: F401  # registering is the import's effect; apps load before models are ready
        from hygiene.database import read_times_fast

        connection_created.connect(read_times_fast, dispatch_uid="read_times_fast")
