"""Health of one container, for the engine: `web` (the process answers) or a heartbeat's name such as `worker:poll` or `beat`.

Light on purpose: it runs every few seconds in each container, so it loads neither Django nor Celery.
"""

from __future__ import annotations

import os
import sys
import urllib.request
from pathlib import Path

OLDEST_SECONDS = 90
HEARTBEAT = "SELECT extract(epoch FROM now() - beaten_at) FROM hygiene_heartbeat WHERE name = %s"


def setting(name: str) -> str:
    """The content of the file that NAME_FILE names, else the environment's value: in the order of the settings."""
    path = os.environ.get(f"{name}_FILE")
    return Path(path).read_text().strip() if path else os.environ.get(name, "")


def web() -> str:
    """Nothing when the web process answers under a name that it accepts, else what is wrong."""
    host = (setting("ALLOWED_HOSTS") or "localhost").split(",")[0].strip().lstrip(".").replace("*", "localhost")
    request = urllib.request.Request("http://127.0.0.1:8000/healthz/live", headers={"Host": host})  # our own process
    with urllib.request.urlopen(request, timeout=4) as answer:  # noqa: S310  # the same
        return "" if answer.status == 200 else f"status {answer.status}"


def heartbeat(name: str) -> str:
    """Nothing when `name` showed within 90 s, by the database's clock, that it works; else what is wrong."""
    import psycopg

    with psycopg.connect(setting("DATABASE_URL"), connect_timeout=4) as connection:
        row = connection.execute(HEARTBEAT, [name]).fetchone()
    if row is None:
        return f"{name} has never been seen"
    return "" if row[0] <= OLDEST_SECONDS else f"{name} has been silent for {row[0]:.0f} s"


def main() -> int:
    """Exit status for the engine; the words are kept in `docker inspect`."""
    name = sys.argv[1] if len(sys.argv) > 1 else "web"
    try:
        problem = web() if name == "web" else heartbeat(name)
    except Exception as error:  # noqa: BLE001, RUF100  # whatever it is, the container is not healthy
        problem = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no words'}"
    print(problem or "ok")  # noqa: T201  # for `docker inspect`
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
