#!/usr/bin/env python
"""Django's command line. A bad setting, or a database that is away, ends it with one sentence instead of a traceback."""

import os
import sys
from urllib.parse import quote


def main() -> None:
    """Run the management command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hygiene.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import InterfaceError, OperationalError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"key-hygiene cannot start: {error}")
    except (OperationalError, InterfaceError) as error:
        if _shows_tracebacks():
            raise
        sys.exit(_of_database(error))


def _shows_tracebacks() -> bool:
    from django.conf import settings

    return settings.DEBUG or "--traceback" in sys.argv


def _of_database(error: Exception) -> str:
    """What the driver said, in one line and without the password, and what to do."""
    from django.db import DatabaseError, connection

    said = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(". ")
    if password := str(connection.settings_dict.get("PASSWORD") or ""):
        said = said.replace(password, "***").replace(quote(password, safe=""), "***")
    try:
        connection.ensure_connection()
    except DatabaseError:
        return f"The database cannot be reached: {said}. Check DATABASE_URL and that it runs."
    return f"The database failed: {said}. Check that `manage.py migrate` was run, and try again."


if __name__ == "__main__":
    main()
