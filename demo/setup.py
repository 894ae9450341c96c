"""`python -m demo.setup`: seeds the demo's database, in a process of its own after `migrate`."""

from __future__ import annotations

import argparse
import os
from datetime import datetime

import django

from demo.cast import organization
from demo.seed import seed


def main() -> None:
    """Seed once."""
    parser = argparse.ArgumentParser(description="Seed the demo.")
    parser.add_argument("--born", required=True)
    parser.add_argument("--password", required=True)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hygiene.settings")
    django.setup()
    seed(organization(datetime.fromisoformat(options.born)), password=options.password)


if __name__ == "__main__":
    main()
