"""The OpenAPI 3.1 document of the door, made by spectree from what the operations declare."""

from dataclasses import is_dataclass
from http import HTTPStatus
from typing import Any

from flask import Flask
from pydantic import BaseModel, ConfigDict, RootModel
from spectree import Response as Answers
from spectree import SpecTree
from spectree.models import SecureType, SecurityScheme, SecuritySchemeData

from scim_bridge.api.operations import OPERATIONS, Entrance, Operation
from scim_bridge.web.problems import CONTENT_TYPE, Problem

REFUSALS = {
    HTTPStatus.BAD_REQUEST: "The request cannot be read.",
    HTTPStatus.UNAUTHORIZED: "No token, or none that is good.",
    HTTPStatus.FORBIDDEN: "The token's holder may not do this.",
    HTTPStatus.NOT_FOUND: "There is no such thing here, or it is another organization's.",
    HTTPStatus.CONFLICT: "It exists already, is in use, or changed meanwhile.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not JSON.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The request makes no sense; errors names the fields.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests; Retry-After says when to go on.",
    HTTPStatus.BAD_GATEWAY: "A cluster did not do what it was asked.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The database cannot be used now.",
}

spec = SpecTree(
    "flask",
    title="SCIM Bridge",
    description="Who may do what on which Kubernetes cluster.",
    version="v1",
    mode="strict",
    annotations=False,
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _parent, child: child,
    security_schemes=[SecurityScheme(name="token", data=SecuritySchemeData(type=SecureType.HTTP, scheme="bearer"))],
)


class ProblemDetails(RootModel[Problem]):
    """A problem (RFC 9457)."""


def described(operation: Operation, view: Any) -> Any:
    """Return a view that the document knows with all that its operation declares."""
    answers: dict[str, Any] = {f"HTTP_{code.value}": (ProblemDetails, text) for code, text in REFUSALS.items()}
    success = f"HTTP_{operation.status.value}"
    answers[success] = None if operation.answers is None else _model(operation.answers)
    declared = spec.validate(
        query=operation.query,
        json=operation.body,
        resp=Answers(**answers),
        tags=[operation.tag],
        security=None if operation.entrance is Entrance.EVERYBODY else {"token": []},
        operation_id=operation.name,
        skip_validation=True,
    )
    return declared(view)


def document(app: Flask) -> dict[str, Any]:
    """Return the document of the routes that an application has."""
    spec.app = app
    with app.app_context():
        made: dict[str, Any] = spec.spec
    contents = {each.name: each.contents for each in OPERATIONS}
    for path in made["paths"].values():
        for method in path.values():
            for code, answer in method["responses"].items():
                content = answer.get("content")
                if int(code) < HTTPStatus.BAD_REQUEST and contents.get(method.get("operationId")):
                    text = {"schema": {"type": "string"}}
                    answer["content"] = dict.fromkeys(contents[method["operationId"]], text)
                    continue
                if content and int(code) >= HTTPStatus.BAD_REQUEST and "application/json" in content:
                    content[CONTENT_TYPE] = content.pop("application/json")
    return made


_models: dict[Any, type[BaseModel]] = {}


def _model(shape: Any) -> type[BaseModel]:
    """Return a model of what is answered: models stay, everything else becomes one under its own name."""
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return shape
    if shape not in _models:
        name = _name(shape)
        config = ConfigDict() if is_dataclass(shape) else ConfigDict(arbitrary_types_allowed=True)
        made = type(name, (RootModel[shape],), {"__module__": __name__, "__doc__": None, "model_config": config})
        _models[shape] = made
    return _models[shape]


def _name(shape: Any) -> str:
    arguments = getattr(shape, "__args__", ())
    base = getattr(shape, "__origin__", shape)
    return (
        "".join(_name(each) for each in arguments) + getattr(base, "__name__", "Document").capitalize()
        if arguments
        else str(getattr(base, "__name__", "Document"))
    )
