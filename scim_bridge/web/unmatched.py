"""Errors of HTTP itself, each answered in the form of the door at whose address it happened."""

from collections.abc import Callable, Mapping

from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

Refuse = Callable[[HTTPException], ResponseReturnValue]


def register(app: Flask, doors: Mapping[str, Refuse]) -> None:
    """Let the door with the prefix that a request's path begins with answer; elsewhere HTTP's own words do."""

    def refuse(error: HTTPException) -> ResponseReturnValue | HTTPException:
        if error.code is None or error.code < 400:
            return error
        for prefix, answer in doors.items():
            if request.path.startswith(prefix):
                return answer(error)
        return error

    app.register_error_handler(HTTPException, refuse)
