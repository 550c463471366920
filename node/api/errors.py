"""The one table from what an action answers to an HTTP status, told as RFC 9457 problems."""

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from node.actions.errors import (
    ActionError,
    BadInputError,
    ConflictError,
    NotAllowedError,
    NotFoundError,
)
from node.actions.patients import PatientDataError
from node.storage.errors import StoredPackageError
from policies.errors import BadLabelError
from policies.printable import printable
from sharing.errors import ForeignFault, SharingError
from sharing.patients.check import Found

DAMAGED = "this node's stored copy is damaged; the operator finds it in the quarantine list"
PROBLEM_TYPE = "application/problem+json"
_WRONG = "What you sent is wrong"

_TABLE: tuple[tuple[type[Exception], int, str], ...] = (
    (NotFoundError, 404, "There is no such thing for you"),
    (NotAllowedError, 403, "You may not do this"),
    (ConflictError, 409, "Something stands in the way"),
    (BadInputError, 422, _WRONG),
    (BadLabelError, 422, _WRONG),
    (ForeignFault, 422, _WRONG),
    (StoredPackageError, 500, "A fault of this node"),
)


class Fault(BaseModel):
    """One place of a request that is at fault, and why."""

    field: str = Field(examples=["aware_at"])
    detail: str = Field(examples=["is missing: Art. 23(4)(a)"])


class Finding(BaseModel):
    """One place that holds patient data, and why; never what stands there."""

    path: str = Field(examples=["summary_internal"])
    start: int = Field(examples=[21], description="First character, counted from 0.")
    end: int = Field(examples=[39], description="The character after the last one.")
    kind: str = Field(examples=["name"])
    reason: str = Field(examples=["patients.name.after-patient"])
    sentence: str = Field(examples=["a name follows a word for patient"])
    id: str = Field(examples=["6f1c0e5d2a7b4938a1d0c3e5f7092b4d"], description="For a release.")


class Problem(BaseModel):
    """An RFC 9457 problem: what went wrong, why, whose fault it is, and where in the request."""

    title: str = Field(examples=[_WRONG])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["aware_at: is missing: Art. 23(4)(a)"])
    fault: str = Field(
        examples=["caller"], description="caller, node, or state: of what is here already"
    )
    field: str | None = Field(default=None, examples=["aware_at"])
    others: list[Fault] | None = Field(default=None, description="Further places at fault.")
    findings: list[Finding] | None = Field(
        default=None,
        description="Patient data in what was sent, which is why nothing of it was kept. A person"
        " may release a false alarm by its id, at /console/patients; then send the same again.",
    )


class SignInNeededError(Exception):
    """No token, or one that is unknown, expired or revoked: which of them is not told."""


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": title,
        "model": Problem,
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, title in (
        (401, "A valid token is needed"),
        *((status, title) for _, status, title in _TABLE),
    )
}


def status_of(error: Exception) -> tuple[int, str] | None:
    """Give the status and title of an expected refusal; None: it is a fault of ours."""
    return next(
        ((status, title) for kind, status, title in _TABLE if isinstance(error, kind)), None
    )


def problem(
    status: int,
    title: str,
    detail: str,
    field: str | None = None,
    others: tuple[tuple[str, str], ...] = (),
    findings: tuple[Found, ...] = (),
) -> Response:
    """Give a problem answer."""
    fault = {409: "state", 500: "node"}.get(status, "caller")
    told: dict[str, object] = {"title": title, "status": status, "detail": detail, "fault": fault}
    if field:
        told["field"] = field
    if others:
        told["others"] = [{"field": place, "detail": why} for place, why in others]
    if findings:
        told["findings"] = [_finding(each).model_dump() for each in findings]
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return Response(orjson.dumps(told), status, headers, PROBLEM_TYPE)


def _finding(each: Found) -> Finding:
    said = each.finding
    return Finding(
        path=each.path,
        start=said.start,
        end=said.end,
        kind=said.kind,
        reason=said.reason,
        sentence=said.sentence,
        id=each.id,
    )


class _StrictRequest(Request):
    """A request whose JSON is read strictly: no NaN, no half characters."""

    async def json(self) -> Any:  # noqa: ANN401  JSON is what it is
        return orjson.loads(await self.body())


class ProblemRoute(APIRoute):
    """A route whose expected refusals become problems; all else goes on to the outermost door."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the route's own handler."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await handle(_StrictRequest(request.scope, request.receive))
            except SignInNeededError:
                return problem(401, "Sign in", "A valid token is needed: Authorization: Bearer …")
            except RequestValidationError as error:
                return _bad_request(error)
            except (ActionError, BadLabelError, SharingError, StoredPackageError) as error:
                return _answer(error)

        return guarded


def _answer(error: Exception) -> Response:
    known = status_of(error)
    if known is None:
        raise error
    if isinstance(error, PatientDataError):
        return problem(*known, str(error), error.field, findings=error.findings)
    if isinstance(error, BadInputError):
        return problem(*known, str(error), error.field, error.others)
    return problem(*known, why_of(error))


def why_of(error: Exception) -> str:
    """Give what a caller is told of an expected refusal."""
    return DAMAGED if isinstance(error, StoredPackageError) else str(error)


def _shown(place: tuple[int | str, ...], kind: str) -> tuple[int | str, ...]:
    """The place of a fault; where it is a member that nobody knows, its name was typed."""
    return (*place[:-1], printable(place[-1])) if kind == "extra_forbidden" else place


def _bad_request(error: RequestValidationError) -> Response:
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        text = error.body if isinstance(error.body, str) else ""
        at = len(text[: first["loc"][1]].encode(errors="replace"))  # the reader counts characters
        return problem(422, _WRONG, f"body: no JSON at byte {at}: {first['ctx']['error']}")
    if isinstance(error.body, bytes) and tuple(first["loc"]) == ("body",):  # nobody read it as JSON
        return problem(422, _WRONG, "body: not read as JSON; send Content-Type: application/json")
    faults = [
        (".".join(map(str, _shown(each["loc"][1:], each["type"]))), str(each["msg"]))
        for each in error.errors()
    ]
    (field, why), *others = faults
    detail = f"{field}: {why}" if field else why
    return problem(422, _WRONG, detail, field or None, tuple(others))
