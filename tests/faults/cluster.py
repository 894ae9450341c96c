"""A PostgreSQL server of the tests' own, which they stop at once and start again."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hygiene.supervisor import free_port

IDLE_IN_TRANSACTION = "3s"  # the product's own limit is a minute


def programs() -> Path | None:
    """The folder of initdb and pg_ctl, the newest of Debian's, or that of PATH; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@dataclass
class Cluster:
    """A server on a free port of loopback."""

    folder: Path
    port: int
    programs: Path

    @property
    def url(self) -> str:
        """For DATABASE_URL."""
        return f"postgres://hygiene@127.0.0.1:{self.port}/postgres"

    @property
    def impatient_url(self) -> str:
        """The same with a short patience for transactions in which nothing happens."""
        return f"{self.url}?options=-c%20idle_in_transaction_session_timeout%3D{IDLE_IN_TRANSACTION}"

    def start(self) -> None:
        """Serve; comes back when it answers."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-w", "-t", "60", "start")

    def stop(self) -> None:
        """At once, as when the machine loses its power: no connection is told, and it recovers at the next start."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def _run(self, program: str, *words: str) -> None:
        """As the user postgres where this process is root, which PostgreSQL refuses to be."""
        before = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
        subprocess.run([*before, str(self.programs / program), *words], check=True, stdout=subprocess.DEVNULL, timeout=90, cwd="/")

    def make(self) -> None:
        """A new cluster whose socket is in its own folder."""
        if os.getuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "-D", str(self.folder / "data"), "-U", "hygiene", "-A", "trust", "--no-sync", "-E", "UTF8")
        settings = f"port={self.port}\nunix_socket_directories='{self.folder}'\nlisten_addresses='127.0.0.1'\nshared_buffers=16MB\n"
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.write(settings)


@contextlib.contextmanager
def cluster(found: Path) -> Iterator[Cluster]:
    """A new one that serves; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="key-hygiene-postgres-"))
    made = Cluster(folder, free_port(), found)
    try:
        made.make()
        made.start()
        yield made
        made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
