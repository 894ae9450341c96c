"""`python -m tests.bench [report] [polls] [pages] [troubles] [--full]`: all parts by default. Exit status 1 when a bar is missed."""

from __future__ import annotations

import argparse
import os
import sys

from tests.bench import database
from tests.bench.figures import Figures, machine

PARTS = ("report", "polls", "pages", "troubles")


def main() -> None:
    """Make a database, run the parts in it, drop it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[[], *PARTS], help="which; all by default")
    parser.add_argument("--full", action="store_true", help="pages over 10,000 accounts and a million keys, bar 400 ms")
    options = parser.parse_args()
    figures = Figures()
    print(f"Machine: {machine()}", flush=True)  # noqa: T201
    with database.temporary("key_hygiene_bench") as url:
        _prepare(url)
        _run(options.part or PARTS, figures, full=options.full)
    if figures.missed:
        sys.exit("Missed: " + "; ".join(figures.missed))


def _prepare(url: str) -> None:
    """The product on the database, with an environment that leads to no real AWS."""
    os.environ.update(
        DATABASE_URL=url,
        DJANGO_SETTINGS_MODULE="tests.settings",
        ALLOW_CUSTOM_AWS_ENDPOINT="1",
        AWS_CALLS_PER_SECOND="0",
        AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE",
        AWS_SECRET_ACCESS_KEY="not-a-secret-of-anybody",
        COUNTS_KEPT_SECONDS="30",
        LOG_LEVEL="ERROR",
    )
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("select sqlite_version()" if connection.vendor == "sqlite" else "show server_version")
        print(f"Database: {connection.display_name} {cursor.fetchone()[0]}", flush=True)  # noqa: T201
    connection.close()


def _run(parts: list[str] | tuple[str, ...], figures: Figures, *, full: bool) -> None:
    from tests.bench import big_report, many_accounts, pages, troubles

    if "report" in parts:
        big_report.run(figures)
    if "polls" in parts:
        many_accounts.run(figures)
    if "pages" in parts:
        pages.run(figures, accounts=10_000 if full else 1000, bar=400 if full else 150)
    if "troubles" in parts:
        troubles.run(figures)


main()
