"""Every error as one answer: `{"error": {"code", "message", "details"}}` with the status that fits.

`code` is for programs and never changes, `message` is for people and says what to do next, `details` hold the facts (or null).
"""

from __future__ import annotations

import http
import math
import re
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from nbflow.core import errors as core
from nbflow.core.errors import NbflowError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import FastAPI
    from starlette.requests import HTTPConnection, Request
    from starlette.types import Scope

_STATUS: dict[type[NbflowError], int] = {
    # a class that is not listed has its nearest base's status
    core.DefinitionError: 422,
    core.DocumentError: 422,
    core.UnknownNodeTypeError: 422,
    core.CheckError: 422,
    core.ParameterError: 422,
    core.WorkflowError: 422,
    core.UnknownWorkflowError: 404,
    core.UnknownVersionError: 404,
    core.WebhookClashError: 409,
    core.VersionConflictError: 409,
    core.CredentialError: 422,
    core.UnknownCredentialError: 404,
    core.AccountError: 422,
    core.UnknownAccountError: 404,
    core.AccountConflictError: 409,
    core.ForbiddenError: 403,
    core.ForeignOriginError: 403,
    core.SignInError: 401,
    core.InactiveUserError: 403,
    core.NotAdmittedError: 403,
    core.TooManyAttemptsError: 429,
    core.IdentityProviderError: 503,
    core.QueueFullError: 503,
    core.RetryError: 409,
    core.WorkerError: 503,
    core.StoreError: 503,
    core.QueryError: 500,
    core.UnknownExecutionError: 404,
}

_PLACE_OF_ID = re.compile(r"/(?:workflows|executions(?:/workflow)?)/(?![0-9a-fA-F-]{36}(?:/|$))([^/]+)(?:/|$)")  # with something else there

_CODES: dict[type[BaseException], str] = {  # where the name of the class alone says too little
    core.DefinitionError: "invalid_definition",
    core.DocumentError: "invalid_document",
    core.CheckError: "flow_has_problems",
    core.ParameterError: "invalid_parameter",
    core.WorkflowError: "invalid_workflow",
    core.CredentialError: "invalid_credential",
    core.AccountError: "invalid_account",
    core.RetryError: "not_repeatable",
    core.WorkerError: "worker_failed",
    core.StoreError: "store_unavailable",
}


class ApiError(NbflowError):
    """A request that is refused. `code` in snake case; `details` JSON-able; `headers` go with the answer."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Mapping[str, Any] | Sequence[Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.details = details
        self.headers = dict(headers or {})
        super().__init__(message)


class ErrorFacts(BaseModel):
    """What went wrong."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(description="For programs: in snake case, never changes.", examples=["unknown_workflow"])
    message: str = Field(description="For people: what is wrong and what to do.", examples=["there is no workflow '0199...' here"])
    details: Any = Field(default=None, description="The facts behind the message, or null.")


class ErrorAnswer(BaseModel):
    """The body of every answer with a status of 400 or more."""

    model_config = ConfigDict(extra="forbid")

    error: ErrorFacts


def body(code: str, message: str, details: Any = None) -> dict[str, Any]:
    """The one shape."""
    return {"error": {"code": code, "message": message, "details": details}}


def answer(status: int, code: str, message: str, details: Any = None, *, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The one shape as a response, for ASGI code that raises nothing."""
    return JSONResponse(body(code, message, details), status_code=status, headers=dict(headers or {}))


def answer_to(error: BaseException, scope: Scope) -> JSONResponse:
    """The response that any exception deserves. What is not foreseen is a 500 that tells nothing but the request's id."""
    if isinstance(error, ApiError):
        return answer(error.status, error.code, str(error), error.details, headers=error.headers)
    if isinstance(error, RequestValidationError):
        return _invalid(error, scope)
    if isinstance(error, HTTPException):
        return _of_http(error, scope)
    status = status_of(error)
    if status == http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return unexpected(scope)
    return answer(status, code_of(type(error)), str(error), details_of(error), headers=_headers(error, status))


def unexpected(scope: Scope) -> JSONResponse:
    """A fault of the server itself; its log has the rest under the same id."""
    id_ = (scope.get("state") or {}).get("request_id", "")
    message = f"the server failed on this request; its log says why under the request id {id_}"
    return answer(500, "internal", message, {"request_id": id_})


def status_of(error: BaseException) -> int:
    """The status of an error of nbflow's tree; 500 for all others."""
    return next((_STATUS[base] for base in type(error).__mro__ if base in _STATUS), 500)


def _headers(error: BaseException, status: int) -> dict[str, str]:
    if status == http.HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    if status in {http.HTTPStatus.SERVICE_UNAVAILABLE, http.HTTPStatus.TOO_MANY_REQUESTS}:
        return {"Retry-After": str(max(1, math.ceil(getattr(error, "retry_after", 1) or 1)))}
    return {}


def code_of(kind: type[BaseException]) -> str:
    """`UnknownWorkflowError` is `unknown_workflow`."""
    return _CODES.get(kind) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__.removesuffix("Error")).lower()


def details_of(error: BaseException) -> Any:
    """The facts that the error carries."""
    if isinstance(error, core.CheckError):
        return {"problems": [{"code": item.code, "node": item.node, "field": item.field, "message": item.message} for item in error.problems]}
    if isinstance(error, core.ParameterError):
        return {"parameter": error.field}
    if isinstance(error, core.WebhookClashError):
        return {"path": error.path, "method": error.method}
    if isinstance(error, core.VersionConflictError):
        return {"expected": error.expected, "found": error.found}
    if isinstance(error, core.ForbiddenError):
        return {"permission": error.permission}
    if isinstance(error, core.UnknownNodeTypeError):
        return {"type": error.type, "suggestions": list(error.suggestions)}
    return None


def _invalid(error: RequestValidationError, scope: Scope) -> JSONResponse:
    """422; 400 for a body that is no JSON, 415 for one that does not say it is."""
    found = error.errors()
    if found[0]["loc"] == ("body",) and isinstance(error.body, bytes):  # FastAPI leaves a body alone that is not declared as JSON
        given = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"content-type"), "none")
        return answer(415, "unsupported_media_type", f"the body must be JSON, with Content-Type: application/json (it is {given})")
    if any(item["type"] == "json_invalid" for item in found):
        reason = found[0].get("ctx", {}).get("error", "not JSON")
        position = found[0]["loc"][-1]
        return answer(400, "malformed_json", f"the body is not JSON: {reason} at character {position}", {"position": position})
    fields = [{"field": ".".join(map(str, item["loc"])), "message": item["msg"], "type": item["type"]} for item in found]
    some = "; ".join(f"{item['field']}: {item['message']}" for item in fields[:3])
    more = f" (and {len(fields) - 3} more)" if len(fields) > 3 else ""  # noqa: PLR2004 -- as many as a line takes
    return answer(422, "invalid_request", f"{some}{more}", {"fields": fields})


def _of_http(error: HTTPException, scope: Scope) -> JSONResponse:
    status = http.HTTPStatus(error.status_code)
    method, path = scope.get("method", ""), scope.get("path", "")
    message = error.detail
    if status == http.HTTPStatus.NOT_FOUND and message == status.phrase:
        wrong = _PLACE_OF_ID.search(path)
        message = f"'{wrong[1]}' in {path} is no id; ids are UUIDs" if wrong else f"nothing is served at {path}; /docs lists all routes"
    elif status == http.HTTPStatus.METHOD_NOT_ALLOWED:
        message = f"{path} does not take {method}; it takes {(error.headers or {}).get('Allow', 'other methods')}"
    code = "body_too_large" if status == http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE else re.sub(r"[^a-z]+", "_", status.phrase.lower())
    return answer(status, code, message, headers=error.headers)


def install(app: FastAPI) -> None:
    """All errors of all routes are answered in the one shape."""

    def handle(connection: HTTPConnection, error: Exception) -> JSONResponse:
        return answer_to(error, connection.scope)

    for kind in (NbflowError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, handle)


Responses = dict[int | str, dict[str, Any]]

_WHEN = {
    400: "The body is not JSON, or a header is not understood.",
    401: "Not signed in, or the token or key is unknown, revoked or expired.",
    403: "Signed in, without the right to do this in that organization.",
    404: "There is no such thing, or it belongs to another organization.",
    409: "It clashes with something that is there, or that happened meanwhile.",
    413: "The body is larger than the server takes.",
    415: "The body's media type is not one that this route takes.",
    422: "A field is missing, unknown or has a wrong value; the message names it.",
    429: "Too many requests; come back after `Retry-After` seconds.",
    500: "A fault of the server; the message has the id under which its log tells more.",
    503: "The server cannot do this now: the queue is full, the store is busy, or it is shutting down.",
}


def responses(*statuses: int) -> Responses:
    """Declares the error answers of a route, for its documentation."""
    return {status: {"model": ErrorAnswer, "description": _WHEN[status]} for status in statuses}


def request_id_of(request: Request) -> str:
    """The id that `RequestId` gave this request."""
    return str(request.scope.get("state", {}).get("request_id", ""))
