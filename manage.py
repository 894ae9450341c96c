#!/usr/bin/env python
"""Django's command line. A bad setting ends it with one sentence instead of a traceback."""

import os
import sys


def main() -> None:
    """Run the management command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hygiene.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"key-hygiene cannot start: {error}")


if __name__ == "__main__":
    main()
