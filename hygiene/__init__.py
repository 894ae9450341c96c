"""Key Hygiene: finds the AWS access keys that should not exist, and removes them without breaking production."""

from hygiene.celery import app as celery_app

__all__ = ["celery_app"]
