"""The OpenAPI document as a page, made here: nothing of it comes from another host."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any, Final

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

PATH: Final = "/docs"
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "summary{cursor:pointer;padding:.3rem 0}code{font-size:.95em}"
    "b{display:inline-block;width:4.5rem}"
    "table{border-collapse:collapse;margin:.3rem 0 1rem 1rem}td,th{padding:.15rem .8rem .15rem 0;"
    "text-align:left;vertical-align:top}@media(prefers-color-scheme:dark)"
    "{body{background:#16191d;color:#dde3ea}a{color:#8ab8ff}}"
)


def add_reference(app: FastAPI) -> None:
    """Serve the page."""

    @app.get(PATH, include_in_schema=False)
    def reference() -> HTMLResponse:
        return HTMLResponse(page(app.openapi()))


def page(document: dict[str, Any]) -> str:
    """Draw an OpenAPI document, its operations by their tags."""
    title = escape(f"{document['info']['title']} API {document['info']['version']}")
    told = escape(document["info"].get("summary", ""))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style><h1>{title}</h1><p>{told} "
        '<a href="/openapi.json">openapi.json</a></p>'
        f"{''.join(_sections(document))}</html>"
    )


def _sections(document: dict[str, Any]) -> Iterator[str]:
    found: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["other"])[0]
            found.setdefault(tag, []).append(_operation(path, method, operation))
    for tag, operations in found.items():
        yield f"<h2>{escape(tag.capitalize())}</h2>{''.join(operations)}"


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    rows = "".join(map(_parameter, operation.get("parameters", [])))
    table = f"<table><tr><th>parameter<th>in<th>what{rows}</table>" if rows else ""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    wants = f"<p>Body: <code>{escape(_shape(body['schema']))}</code></p>" if body else ""
    told = escape(" ".join(operation.get("description", "").split()))
    head = f"<b>{method.upper()}</b><code>{escape(path)}</code>"
    return f"<details><summary>{head}</summary><p>{told}</p>{table}{wants}</details>"


def _parameter(one: dict[str, Any]) -> str:
    told = one.get("description") or one.get("schema", {}).get("description", "")
    must = " (required)" if one.get("required") else ""
    return f"<tr><td><code>{escape(one['name'])}</code><td>{one['in']}<td>{escape(told)}{must}"


def _shape(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", schema.get("type", ""))).rpartition("/")[2]
