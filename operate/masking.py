"""Hiding secrets wherever settings are printed."""

from __future__ import annotations

import re
from typing import Any, Final

MASK: Final = "***"

_IN_URL: Final = re.compile(r"(?<=://)([^:/@\s]*):[^/\s]*@")
_IN_CONNECTION_STRING: Final = re.compile(
    r"(?i)((?:pwd|password|passwd|secret|token)\s*(?:=|%3d))(?:(?!;|&|%3b|\s).)+"
)


def masked(text: str) -> str:
    """Hide the passwords of URLs and of ODBC connection strings.

    >>> masked("postgresql://aos:s3cret@db/weather")
    'postgresql://aos:***@db/weather'
    >>> masked("mssql+pyodbc:///?odbc_connect=SERVER%3Daos%3BPWD%3Dhunter2%3BUID%3Dreader")
    'mssql+pyodbc:///?odbc_connect=SERVER%3Daos%3BPWD%3D***%3BUID%3Dreader'
    """
    hidden = _IN_URL.sub(rf"\1:{MASK}@", text)
    return _IN_CONNECTION_STRING.sub(rf"\1{MASK}", hidden)


def masked_document(document: Any) -> Any:
    """Hide the passwords in every text of a nested document."""
    if isinstance(document, dict):
        return {key: masked_document(value) for key, value in document.items()}
    if isinstance(document, list):
        return [masked_document(value) for value in document]
    return masked(document) if isinstance(document, str) else document
