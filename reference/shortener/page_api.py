"""The page at `/`: shorten, follow, see the clicks. Three static files, without any outside world."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException

from reference.platform.docs import static

FOLDER = Path(__file__).parent / "static"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

FILES = {"page.css": "text/css", "page.js": "text/javascript"}


def page_routes() -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def page() -> Response:
        return static(FOLDER, "page.html", "text/html", **{"Content-Security-Policy": POLICY})

    @routes.get("/static/{name}")
    async def page_file(name: str) -> Response:
        if name not in FILES:
            raise HTTPException(404)
        return static(FOLDER, name, FILES[name])

    return routes
