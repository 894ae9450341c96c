"""Base images for compose-check: the official ones where they are, else stand-ins from Debian's own packages, made by debootstrap.

A stand-in has what the Dockerfile and docker-compose.yml rely on: `python`, a PostgreSQL entry point that reads POSTGRES_USER,
POSTGRES_DB and POSTGRES_PASSWORD, `redis-server`. The wheels that requirements-demo.txt locks are fetched by this machine's pip
with this machine's settings and laid into the stand-in, so that the build itself needs no network.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OFFICIAL = {"PYTHON_IMAGE": "python:3.11-slim-bookworm", "POSTGRES_IMAGE": "postgres:17", "REDIS_IMAGE": "redis:7"}
NAMES = {name: f"key-hygiene-stand-in/{image}" for name, image in OFFICIAL.items()}
DEBIAN = "key-hygiene-stand-in/debian:bookworm"
PACKAGES = "ca-certificates,python3,python3-venv,python3-pip,postgresql,redis-server"
PIP_CONF = "[global]\nno-index = true\nfind-links = /opt/wheelhouse\n"
POSTGRES_ENTRY = """#!/bin/sh
set -eu
PATH=$(echo /usr/lib/postgresql/*/bin):$PATH
export PGDATA=/var/lib/postgresql/data
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  given=$(mktemp)
  printf '%s' "$POSTGRES_PASSWORD" > "$given"
  initdb --username="$POSTGRES_USER" --pwfile="$given" --auth-host=scram-sha-256 --auth-local=trust --encoding=UTF8 >/dev/null
  rm "$given"
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  postgres --single -D "$PGDATA" postgres >/dev/null <<SQL
CREATE DATABASE "$POSTGRES_DB"
SQL
fi
exec postgres -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql
"""
DOCKERFILES = {
    "PYTHON_IMAGE": (
        f"FROM {DEBIAN}\nRUN ln -s /usr/bin/python3 /usr/local/bin/python\nCOPY wheelhouse /opt/wheelhouse\nCOPY pip.conf /etc/pip.conf\n"
    ),
    "POSTGRES_IMAGE": (
        f"FROM {DEBIAN}\nCOPY entry /usr/local/bin/entry\n"
        "RUN ln -s /usr/lib/postgresql/*/bin/* /usr/local/bin/ && chmod 755 /usr/local/bin/entry"
        " && install -d -o postgres -g postgres -m 0700 /var/lib/postgresql/data"
        " && install -d -o postgres -g postgres -m 3777 /var/run/postgresql\n"
        'VOLUME /var/lib/postgresql/data\nENTRYPOINT ["entry"]\nSTOPSIGNAL SIGINT\n'
    ),
    "REDIS_IMAGE": f"FROM {DEBIAN}\nRUN install -d -o redis -g redis -m 0700 /data\nVOLUME /data\n",
}


class CannotRun(Exception):
    """Something that the check needs is not on this machine; the words say what."""


def _call(*command: str, timeout: float = 900) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)  # noqa: S603
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise CannotRun(f"`{' '.join(command[:4])} …` ended with {done.returncode}:\n{tail}")
    return done.stdout


def _works(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603


@contextlib.contextmanager
def engine(say: Callable[[str], None]) -> Iterator[None]:
    """A running engine. Root on a machine where none runs: one is started, and ended afterwards."""
    if _works("docker", "info"):
        yield
        return
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        sys.exit("The container engine does not answer. Start it, or run as root where dockerd is installed.")
    with tempfile.TemporaryFile() as log:
        daemon = subprocess.Popen(["dockerd"], stdout=log, stderr=log, start_new_session=True)  # noqa: S607
        try:
            for _ in range(60):
                if _works("docker", "info"):
                    break
                time.sleep(0.5)
            else:
                log.seek(0)
                sys.exit("dockerd does not start:\n" + log.read().decode(errors="replace")[-2000:])
            say("ok      container engine started for this check")
            yield
        finally:
            daemon.terminate()
            daemon.wait(30)


def base_images(*, pull: bool) -> tuple[dict[str, str], str]:
    """Names for the variables of docker-compose.yml, and what they are in words. Official images if they are here or pulled."""
    if pull:
        for image in OFFICIAL.values():
            _call("docker", "pull", image)
    if all(_works("docker", "image", "inspect", image) for image in OFFICIAL.values()):
        return dict(OFFICIAL), "official: " + ", ".join(OFFICIAL.values())
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        raise CannotRun("The official images are not here. Use --pull with a registry, or run as root with debootstrap for stand-ins.")
    if not _works("docker", "image", "inspect", DEBIAN):
        _make_debian()
    with tempfile.TemporaryDirectory() as folder:
        for name, text in DOCKERFILES.items():
            _build(Path(folder) / name.lower(), name, text)
    return dict(NAMES), f"STAND-INS from Debian bookworm, not the official images: {_versions()}"


def _make_debian() -> None:
    mirrors = _call("apt-get", "indextargets", "--format", "$(REPO_URI)", "Codename: bookworm").split()
    if not mirrors:
        raise CannotRun("apt on this machine knows no mirror of Debian bookworm for the stand-ins.")
    with tempfile.TemporaryDirectory() as folder:
        root, archive = Path(folder) / "root", Path(folder) / "root.tar"
        _call("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(root), mirrors[0], timeout=1800)
        _call("tar", "--numeric-owner", "--exclude=./var/cache/apt/archives/*.deb", "-C", str(root), "-cf", str(archive), ".")
        _call("docker", "import", "--change", "ENV LANG=C.UTF-8", str(archive), DEBIAN)


def _build(folder: Path, name: str, text: str) -> None:
    folder.mkdir()
    (folder / "Dockerfile").write_text(text)
    (folder / "entry").write_text(POSTGRES_ENTRY)
    (folder / "pip.conf").write_text(PIP_CONF)
    if name == "PYTHON_IMAGE":
        shutil.copytree(_wheelhouse(), folder / "wheelhouse")
    _call("docker", "build", "--quiet", "--tag", NAMES[name], str(folder))


def _wheelhouse() -> Path:
    """The locked wheels, fetched once for each content of the lock file."""
    lock = ROOT / "requirements-demo.txt"
    folder = ROOT / "var" / "compose-check" / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        python = ROOT / ".venv/bin/python"
        words = ("-m", "pip", "download", "--quiet", "--require-hashes", "--only-binary=:all:", "--python-version", "3.11")
        _call(str(python if python.exists() else sys.executable), *words, "--requirement", str(lock), "--dest", str(part))
        part.rename(folder)
    return folder


def _versions() -> str:
    """What the stand-ins hold: Debian's PostgreSQL is older than the 17 that production runs."""
    ask = "python3 --version; /usr/lib/postgresql/*/bin/postgres --version; redis-server --version | cut -d' ' -f1-3"
    return "; ".join(_call("docker", "run", "--rm", DEBIAN, "sh", "-c", ask).split("\n")[:3])
