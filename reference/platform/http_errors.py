"""Every error that an API's endpoint may raise, as a problem; and how the problems stand in the API's description."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from reference.platform.contained import ComponentError
from reference.platform.errors import Indefinite, PortError
from reference.platform.problems import MEDIA_TYPE, Problem
from reference.platform.request_context import request_id_of

KINDS = {400: "malformed", 404: "unknown", 405: "wrong-method", 413: "too-long"}

DETAILS = {404: "There is nothing at this path.", 405: "This path does not take this method."}

DESCRIPTIONS = {
    400: "The body cannot be read.",
    401: "A token is missing, or is nobody's.",
    403: "The token does not allow this.",
    404: "There is no such thing.",
    405: "Another method is needed.",
    409: "Somebody was there first.",
    410: "It has expired.",
    413: "The body is too long.",
    415: "The body is not JSON.",
    422: "Something in the request is not acceptable; `errors` says what.",
    429: "Too many requests; come again after `Retry-After` seconds.",
    500: "A component failed, or the service itself.",
    503: "A service that this needs is away, or too much is going on; repeat it after `Retry-After` seconds.",
}


def reply(status: int, content: Any, headers: dict[str, str] | None = None) -> Response:
    """An answer as JSON."""
    return Response(json.dumps(content).encode(), status, headers, "application/json")


def respond(request: Request, problem: Problem) -> Response:
    # The path from the scope: `request.url` would stumble over a strange Host header.
    body = problem.body(request.scope["path"], request_id_of(request.scope))
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Response(body, problem.status, headers, MEDIA_TYPE)


def invalid(field: str, message: str) -> Problem:
    """A part of the request is not as it must be."""
    return invalid_fields([{"field": field, "message": message}])


def invalid_fields(errors: list[dict[str, str]]) -> Problem:
    said = "; ".join(f"{error['field']}: {error['message']}" for error in errors[:3])
    return Problem(
        422, "invalid", f"Something in the request is not acceptable. {said}", extra={"errors": errors}
    )


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems with these statuses, for an operation's `responses`."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": DESCRIPTIONS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong, as RFC 9457 has it.",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "pattern": "^urn:workbench:problem:[a-z-]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def add_error_handlers(app: FastAPI) -> None:
    """Makes a problem of every exception that the endpoints of any case may raise."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return respond(request, error)

    @app.exception_handler(RequestValidationError)
    async def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        if not_json(request) and any(each["loc"][0] == "body" for each in error.errors()):
            return respond(
                request, Problem(415, "not-json", "Send the body as `Content-Type: application/json`.")
            )
        return respond(request, invalid_fields([told(each) for each in error.errors()]))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status, detail = error.status_code, DETAILS.get(error.status_code, str(error.detail))
        return respond(request, Problem(status, KINDS.get(status, "http"), detail, dict(error.headers or {})))

    @app.exception_handler(PortError)
    async def port(request: Request, error: Exception) -> Response:
        # What the driver said names hosts and ports: that is for our own log, under the same request id.
        request.scope["state"]["why"] = str(error)
        changed = "it may have been done" if isinstance(error, Indefinite) else "nothing was done"
        detail = f"A service that this needs is away; {changed}."
        return respond(request, Problem(503, "unavailable", detail, {"Retry-After": "1"}))

    @app.exception_handler(ComponentError)
    async def component(request: Request, error: Exception) -> Response:
        assert isinstance(error, ComponentError)
        request.scope["state"]["why"] = str(error)
        extra = {"component": error.slot, "error": error.error}
        return respond(request, Problem(500, "component", str(error), extra=extra))

    @app.exception_handler(Exception)
    async def mistake(request: Request, error: Exception) -> Response:
        # A mistake of ours. It is raised again behind this, and its traceback logged under the same request id.
        return respond(request, Problem(500, "mistake", "Something is wrong with this service itself."))


def not_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json"))


def told(error: dict[str, Any]) -> dict[str, str]:
    """One of pydantic's errors in a few words. Not the input: it may be long, or secret."""
    if error["type"] == "json_invalid":
        return {"field": "body", "message": f"not JSON: {error['ctx']['error']}"}
    field = ".".join(str(part) for part in error["loc"][1:]) or "body"
    return {"field": field, "message": error["msg"].removeprefix("Value error, ")}
