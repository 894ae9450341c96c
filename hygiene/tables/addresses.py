"""Addresses of rows. A page has hundreds of them, so each kind is resolved once in a process and then filled in."""

from __future__ import annotations

from functools import cache
from uuid import UUID

from django.urls import reverse

NOBODY, NOWHERE = UUID(int=0), "000000000000"


def address(url_name: str, argument: UUID | str = "") -> str:
    """The same as `reverse`, for an address without argument, with a UUID, or with an account's number."""
    if isinstance(argument, UUID):
        return _pattern(url_name, NOBODY).replace(str(NOBODY), str(argument))
    if len(argument) == len(NOWHERE) and argument.isdigit():
        return _pattern(url_name, NOWHERE).replace(NOWHERE, argument)
    return reverse(url_name, args=[argument]) if argument else _pattern(url_name)


@cache
def _pattern(url_name: str, *arguments: UUID | str) -> str:
    return reverse(url_name, args=arguments)
