"""WSGI entry point of the web process. AWS credentials of its environment and of `.env` are dropped: the web process never calls AWS."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from hygiene.environment import AWS_CREDENTIALS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hygiene.settings")
try:
    application = get_wsgi_application()
except ImproperlyConfigured as error:
    sys.exit(f"key-hygiene cannot start: {error}")
for _name in AWS_CREDENTIALS:  # after the settings, which read `.env`
    os.environ.pop(_name, None)
