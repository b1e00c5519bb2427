"""The bridge of the demo, in a process of its own, as `scim-bridge run` starts it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

from scim_bridge.cli.demo.world import World
from scim_bridge.errors import Refused
from scim_bridge.settings import PREFIX

START_SECONDS = 60.0
STOP_SECONDS = 30.0


def free_port(host: str, wanted: int | None, usual: int = 8080) -> int:
    """Return the port that was asked for, or else the usual one, or else any that is free; raises Refused."""
    for port in (usual, 0) if wanted is None else (wanted,):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                problem = error.strerror
            else:
                return int(probe.getsockname()[1])
    raise Refused(f"Nothing can listen on {host} port {wanted}: {problem}.")


@contextmanager
def serving(world: World, host: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the bridge while the block runs; raises Refused with the end of its log when it does not start."""
    log = world.home / "bridge.log"
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    words = [sys.executable, "-m", "scim_bridge", "run", "--host", host, "--port", str(port)]
    with log.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own command
            words, env=others | world.environment, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL
        )
    try:
        _wait_until_ready(process, world.settings.base_url, log)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], base_url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    with urllib3.PoolManager(retries=False, timeout=5) as pool:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if pool.request("GET", f"{base_url}/readyz").status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                # It is still starting.
                pass
            time.sleep(0.05)
    end = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    raise Refused(f"The bridge did not start. The end of {log}:\n{end}")
