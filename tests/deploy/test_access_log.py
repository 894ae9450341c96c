"""The access log of the containers: method, path and status, and no link that sets a password."""

from __future__ import annotations

import runpy
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

from gunicorn.config import Config  # type: ignore[import-untyped]  # gunicorn ships no types

CONFIG = Path(__file__).resolve().parents[2] / "deploy" / "gunicorn.conf.py"


def line(path: str) -> str:
    conf = runpy.run_path(str(CONFIG))
    log = conf["logger_class"](Config())
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "RAW_URI": path, "SERVER_PROTOCOL": "HTTP/1.1", "QUERY_STRING": "q=prod"}
    atoms = log.atoms(SimpleNamespace(status="200 OK", sent=7, headers=[]), SimpleNamespace(headers=[]), environ, timedelta(seconds=1))
    return str(conf["access_log_format"] % log.atoms_wrapper_class(atoms))


def test_a_line_says_the_path_and_no_query_string() -> None:
    assert line("/keys/") == '- "GET /keys/" 200 7 1000ms'


def test_a_link_that_sets_a_password_is_not_in_it() -> None:
    assert line("/auth/password/reset/key/3-dab8hs-f00d/") == '- "GET /auth/password/reset/key/3-[one-time]/" 200 7 1000ms'
