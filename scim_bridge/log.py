"""Structured logs on standard error; secrets never get here, and keys that look like one are masked anyway."""

import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

import orjson
import structlog

SECRET_WORDS = ("token", "password", "secret", "authorization", "kubeconfig", "encryption_key")
MASK = "***"

_request: ContextVar[str | None] = ContextVar("request", default=None)
_actor: ContextVar[str | None] = ContextVar("actor", default=None)


def configure_logging(level: str = "info", form: str = "text") -> None:
    """Send every log line of the process, ours and the libraries', to standard error; ``form`` is text or json."""
    shared: list[Any] = [
        name_request,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        mask_secrets,
    ]
    renderers: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_dumps)]
        if form == "json"
        # Plain: with "rich" there, a traceback would show the values of variables, people and tokens among them.
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("alembic", "apscheduler", "procrastinate", "urllib3", "werkzeug", "kubernetes"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger whose lines are an event and key=value pairs."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger


def bind_request(request_id: str) -> None:
    """Let every line that this thread logs from now on say which request it belongs to; its asker is not known yet."""
    # Not by structlog's own variables: for each request it would look through all that there are, to clear them.
    if _request.get() != request_id:
        _request.set(request_id)
        _actor.set(None)


def bind_actor(kind: str, actor_id: str) -> None:
    """Let every line of the request at hand say, by id and never by name, who asks; the audit has the same id."""
    _actor.set(f"{kind}:{actor_id}")


def name_request(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say which request a line belongs to, and whose that is once it is known."""
    request_id = _request.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    actor = _actor.get()
    if actor is not None:
        event.setdefault("actor", actor)
    return event


def mask_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the value of every key that is named like a secret."""
    for key in event:
        if any(word in key.lower() for word in SECRET_WORDS) and event[key] is not None:
            event[key] = MASK
    return event


def _dumps(value: object, **_: object) -> str:
    return orjson.dumps(value, default=str).decode()


def _to_standard_error(*_: object) -> structlog.PrintLogger:
    return structlog.PrintLogger(sys.stderr)


# Until somebody configures more: what a verb prints is a document, and no line of a log may stand in it.
structlog.configure(
    wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING), logger_factory=_to_standard_error
)
