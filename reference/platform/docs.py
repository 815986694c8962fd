"""`/docs`: the API's description as a page, without any outside world; and `/openapi.json`, which it is made from."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException

from reference.platform.http_errors import PROBLEM_SCHEMA, reply

FOLDER = Path(__file__).parent / "static"

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Swagger UI sets styles from its script, hence 'unsafe-inline' for these."""

FILES = {
    "swagger-ui.css": ("swagger-ui/swagger-ui.css", "text/css"),
    "swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js", "text/javascript"),
    "docs.js": ("docs.js", "text/javascript"),
}


def static(folder: Path, file: str, media_type: str, **headers: str) -> Response:
    """A file that comes with the program. A browser may keep it for an hour."""
    content = (folder / file).read_bytes()
    more = {"Cache-Control": "max-age=3600", "X-Content-Type-Options": "nosniff", **headers}
    return Response(content, headers=more, media_type=media_type)


def docs_routes(app: FastAPI) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    description: dict[str, Any] = {}

    @routes.get("/openapi.json")
    async def openapi() -> Response:
        if not description:  # made once, when somebody asks
            description.update(describe(app))
        return reply(200, description)

    @routes.get("/docs")
    async def docs() -> Response:
        return static(FOLDER, "docs.html", "text/html", **{"Content-Security-Policy": PAGE_POLICY})

    @routes.get("/docs/{name}")
    async def docs_file(name: str) -> Response:
        if name not in FILES:
            raise HTTPException(404)
        return static(FOLDER, *FILES[name])

    return routes


def describe(app: FastAPI) -> dict[str, Any]:
    """What FastAPI knows of the routes, and the shape that all problems have."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of one id for the GET and the HEAD of a path: mended below
        description = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            servers=[{"url": "."}],
        )
    for path in description["paths"].values():
        for method, operation in path.items():
            operation["operationId"] = f"{operation['summary'].lower().replace(' ', '_')}_{method}"
    schemas = description.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM_SCHEMA
    for left_over in (
        "HTTPValidationError",
        "ValidationError",
    ):  # FastAPI's own form of what is a Problem here
        schemas.pop(left_over, None)
    return description
