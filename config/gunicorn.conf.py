"""
How gunicorn serves the bridge: ``gunicorn -c config/gunicorn.conf.py scim_bridge.wsgi:app``.

Few processes with several threads: a request waits for the database, not for the processor. WEB_CONCURRENCY sets the
number of processes, PORT the port, WEB_HOST the address.
"""

import os
import shutil
import tempfile

bind = f"{os.environ.get('WEB_HOST', '0.0.0.0')}:{os.environ.get('PORT', '8080')}"  # noqa: S104 - a container's front
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8

# Not preloaded: database connections must not be shared across fork.
preload_app = False

# A slow client gets this long for its request; a worker that is silent for longer is replaced.
timeout = 60
# Longer than the idle time of the usual load balancer (60 s): the side that closes first must not be this one, or a
# request sent at that moment is lost.
keepalive = 75
# SIGTERM lets running requests finish: an answer 2xx must mean that the change is stored, and no answer that it may be.
graceful_timeout = 30

# Workers are renewed now and then, each at its own moment, so that a slow leak never becomes an outage.
max_requests = 20_000
max_requests_jitter = 2_000

# Heartbeats are written to memory: a container's disk may stall.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112 - a mount, and no Path here

# No socket for gunicorn's own tool: it would lie in the home folder of whoever runs this.
control_socket_disable = True

# No access log: SCIM filters are query strings, and they name people. The provisioning log tells what was asked.
accesslog = None
errorlog = "-"


def on_starting(_server):  # type: ignore[no-untyped-def]
    """
    Make a folder in which workers keep what they count of their requests: any of them tells Prometheus the sum.

    It is of this start only, and has to be named before a worker loads the application.
    """
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="scim-bridge-metrics-")


def child_exit(_server, worker):  # type: ignore[no-untyped-def]
    """Add what a worker counted that has ended to the sum of all that ended."""
    from scim_bridge.web.meters import forget_process

    forget_process(worker.pid)


def on_exit(_server):  # type: ignore[no-untyped-def]
    """Take the folder away."""
    shutil.rmtree(os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""), ignore_errors=True)
