"""The files that a browser is given: read once, never built, and allowed to ask nobody but us."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).parent / "static"
INDEX: Final = "index.html"

_MEDIA: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

HEADERS: Final = {
    # No request leaves the host: the browser itself sees to it.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent; a browser that shows the ``tag`` has it already."""

    content: bytes
    media: str
    tag: str


def files(root: Path = STATIC) -> dict[str, File]:
    """Read every file that may be asked for, by its name.

    >>> sorted(files())[0], files()["index.html"].media
    ('api.js', 'text/html; charset=utf-8')
    """
    return {
        path.relative_to(root).as_posix(): _file(path)
        for path in sorted(root.rglob("*"))
        if path.suffix in _MEDIA
    }


def _file(path: Path) -> File:
    content = path.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    return File(content, _MEDIA[path.suffix], tag)
