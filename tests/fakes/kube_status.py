"""The refusals of an API server, as its Status objects say them."""

from typing import Any


class Refusal(Exception):
    """An answer that is not a success; ``extra`` goes into the Status beside the usual fields."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.document = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": metadata or {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": status,
        } | ({"details": details} if details else {})


def qualified(plural: str, group: str) -> str:
    return f"{plural}.{group}" if group else plural


def not_found(plural: str, group: str, name: str) -> Refusal:
    message = f'{qualified(plural, group)} "{name}" not found'
    return Refusal(404, "NotFound", message, {"name": name, "group": group, "kind": plural})


def already_exists(plural: str, group: str, name: str) -> Refusal:
    message = f'{qualified(plural, group)} "{name}" already exists'
    return Refusal(409, "AlreadyExists", message, {"name": name, "group": group, "kind": plural})


def conflict(plural: str, group: str, name: str, why: str) -> Refusal:
    message = f'Operation cannot be fulfilled on {qualified(plural, group)} "{name}": {why}'
    return Refusal(409, "Conflict", message, {"name": name, "group": group, "kind": plural})


def apply_conflict(causes: list[tuple[str, str]]) -> Refusal:
    found = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{manager}"', "field": field}
        for field, manager in causes
    ]
    return Refusal(409, "Conflict", f"Apply failed with {len(found)} conflicts", {"causes": found})


def invalid(kind: str, group: str, name: str, faults: list[tuple[str, str]]) -> Refusal:
    causes = [{"reason": "FieldValueInvalid", "message": why, "field": field} for field, why in faults]
    details = {"name": name, "group": group, "kind": kind, "causes": causes}
    why = ", ".join(f"{field}: {message}" for field, message in faults)
    return Refusal(422, "Invalid", f'{kind}.{group} "{name}" is invalid: {why}', details)


def bad_request(why: str) -> Refusal:
    return Refusal(400, "BadRequest", why)


def forbidden(plural: str, group: str, name: str, why: str, causes: list[dict[str, str]] | None = None) -> Refusal:
    details: dict[str, Any] = {"name": name, "group": group, "kind": plural}
    if causes:
        details["causes"] = causes
    what = f'{qualified(plural, group)} "{name}"' if name else qualified(plural, group)
    return Refusal(403, "Forbidden", f"{what} is forbidden: {why}", details)


def unauthorized() -> Refusal:
    return Refusal(401, "Unauthorized", "Unauthorized")


def expired(token: str | None) -> Refusal:
    message = "The provided continue parameter is too old to display a consistent list result."
    return Refusal(410, "Expired", message, metadata={"continue": token} if token else {})


def too_large_for_etcd() -> Refusal:
    return Refusal(500, "", "etcdserver: request is too large")


def body_too_large() -> Refusal:
    return Refusal(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728")
