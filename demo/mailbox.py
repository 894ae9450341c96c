"""`python -m demo.mailbox --smtp-port N --web-port M`: catches every mail of the demo and shows it in the browser."""

from __future__ import annotations

import argparse
import email
import email.policy
import sys
from email.message import EmailMessage
from html import escape
from typing import Any

from aiosmtpd.controller import Controller
from werkzeug.serving import make_server

POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; frame-ancestors 'self'"
STYLE = (
    ":root{color-scheme:light dark}body{font:14px/1.45 system-ui,sans-serif;margin:24px auto;max-width:760px;padding:0 12px}"
    "li{margin:10px 0}iframe{width:100%;height:900px;border:1px solid #808a99;border-radius:8px}pre{white-space:pre-wrap}"
)
Start = Any


class Mailbox:
    """SMTP on one side, pages on the other; mails live in memory."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        """Keep the mail."""
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        if isinstance(message, EmailMessage):
            self.mails.insert(0, message)
        return "250 Message accepted"

    def __call__(self, environ: dict[str, Any], start_response: Start) -> list[bytes]:
        """`/` the list, `/N` one mail, `/N/html` its HTML alone."""
        parts = [part for part in environ["PATH_INFO"].split("/") if part]
        known = bool(parts) and parts[0].isdigit() and 0 < int(parts[0]) <= len(self.mails)
        mail = self.mails[-int(parts[0])] if known else None
        if parts and mail is None:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"There is no such mail."]
        text = self._list() if mail is None else _html(mail) if len(parts) > 1 else _page(mail, parts[0])
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", POLICY)])
        return [text.encode()]

    def _list(self) -> str:
        total = len(self.mails)
        rows = "".join(
            f'<li><a href="/{total - place}">{escape(str(mail["Subject"]))}</a><br><small>to {escape(str(mail["To"]))}</small></li>'
            for place, mail in enumerate(self.mails)
        )
        return _document("Mails of the demo", f"<h1>Mails of the demo</h1><ul>{rows or '<li>No mail yet.</li>'}</ul>")


def _part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body(preferencelist=(kind,))
    return str(body.get_content()) if body is not None else ""


def _html(mail: EmailMessage) -> str:
    return _part(mail, "html")


def _page(mail: EmailMessage, number: str) -> str:
    frame = f'<iframe sandbox src="/{number}/html" title="HTML part"></iframe>'
    headers = "".join(f"<small>{name}: {escape(str(mail[name]))}</small><br>" for name in ("From", "To", "Date", "Message-ID"))
    subject = escape(str(mail["Subject"]))
    head = f'<p><a href="/">All mails</a></p><h1>{subject}</h1>{headers}'
    return _document(subject, f"{head}<h2>HTML</h2>{frame}<h2>Text</h2><pre>{escape(_part(mail, 'plain'))}</pre>")


def _document(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'


def main() -> None:
    """Serve both until the process ends."""
    parser = argparse.ArgumentParser(description="Mail catcher of the demo, on loopback.")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--web-port", type=int, required=True)
    options = parser.parse_args()
    mailbox = Mailbox()
    try:
        Controller(mailbox, hostname="127.0.0.1", port=options.smtp_port).start()
        server = make_server("127.0.0.1", options.web_port, mailbox, threaded=True)
    except OSError as error:
        sys.exit(f"The mail catcher cannot start: {error.strerror}.")
    server.serve_forever()


if __name__ == "__main__":
    main()
