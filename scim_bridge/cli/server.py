"""The whole bridge in one process tree: gunicorn's own server around our application and scheduler."""

import os
import socket
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication

from scim_bridge.app import Process, create_app, open_process
from scim_bridge.cli.serve import end
from scim_bridge.errors import Refused
from scim_bridge.settings import Settings
from scim_bridge.web.context import journal_of


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises Refused with the reason when there is none to be had."""
    try:
        return socket.create_server((host, port), family=_family(host, port), backlog=2048)
    except OSError as error:
        # Names that do not resolve have numbers below zero, and their own texts.
        number = error.errno or 0
        reason = os.strerror(number) if number > 0 else error.strerror or error
        raise Refused(f"Cannot listen on {host}, port {port}: {reason}.") from error


def _family(host: str, port: int) -> socket.AddressFamily:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]


class BridgeServer(BaseApplication):  # type: ignore[misc]
    """
    One worker with several threads, and the scheduler beside them; a worker that dies is replaced.

    Everything is opened after the fork: database connections must not be shared across it. On SIGTERM running
    requests are answered and the scheduler finishes its current write; then the process ends.
    """

    def __init__(self, settings: Settings, listening: socket.socket, ready: Callable[[], None]) -> None:
        """Take the socket over; ``ready`` is called once, when requests are answered."""
        self._settings = settings
        # The server closes it: two owners would close it twice.
        self._listening = listening.detach()
        self._ready = ready
        self._process: Process | None = None
        self._app: Any = None
        super().__init__()

    def load_config(self) -> None:
        """Set what `config/gunicorn.conf.py` sets for many processes, for this one."""
        options = {
            "bind": f"fd://{self._listening}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": 16,
            "timeout": 60,
            "graceful_timeout": 30,
            "keepalive": 75,
            "accesslog": None,
            "loglevel": "warning",
            "proc_name": "scim-bridge",
            # A socket for gunicorn's own tool would lie in the home folder of whoever runs this.
            "control_socket_disable": True,
            "post_worker_init": self._start,
            "worker_exit": self._stop,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Open the process's parts and return the application; gunicorn calls it in the worker."""
        self._process = open_process(self._settings)
        self._app = create_app(self._settings, self._process.runtime)
        return self._app

    def _start(self, worker: Any) -> None:
        if self._process is not None:
            self._process.scheduler.start()
            if worker.age == 1:
                self._ready()

    def _stop(self, _server: Any, _worker: Any) -> None:
        if self._app is not None:
            # What was read in the last second; a process that does not end by itself would lose it.
            journal_of(self._app).flush()
        if self._process is not None:
            end(self._process)
