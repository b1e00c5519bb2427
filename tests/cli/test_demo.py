"""The demo as a newcomer types it: it verifies itself, tells what can be pasted, and leaves nothing behind."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.kube_api import FakeKubeApi
from tests.journeys.bridge import free_port
from tests.kube.client import CRBS, KubeClient
from tests.kube.server import BRIDGE, KubeServer
from tests.kube.world import Server, bindings_in, create_namespace, kubeconfig, prepare

PATIENCE = 120
WIDTH = 120


def typed(*words: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Type a command in a folder and wait for its end."""
    return subprocess.run(
        [sys.executable, "-m", "scim_bridge", *words],
        capture_output=True, text=True, cwd=folder, env={**os.environ, **environment}, timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def demo(*words: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return typed("demo", *words, folder=folder)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> "tuple[Path, subprocess.CompletedProcess[str]]":
    """Let the demo run once to its end, in an empty folder."""
    folder = tmp_path_factory.mktemp("newcomer")
    return folder, demo("--exit", "--port", str(free_port()), folder=folder)


def test_every_step_is_verified_and_told_to_a_machine_too(tmp_path: Path) -> None:
    done = demo("--exit", "--json", "--home", str(tmp_path / "demo"), "--port", str(free_port()), folder=tmp_path)

    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (found["verified"], found["home"]) == (True, str(tmp_path / "demo"))
    assert len(found["steps"]) == 9
    assert [step["step"] for step in found["steps"] if not step["verified"]] == []
    assert all(0 <= step["seconds"] < PATIENCE for step in found["steps"])
    # Each step changed something that somebody has.
    assert all(step["gained"] or step["lost"] for step in found["steps"])


def test_a_person_reads_lines_that_fit_and_what_was_verified(
    told: "tuple[Path, subprocess.CompletedProcess[str]]",
) -> None:
    _, done = told

    assert (done.returncode, done.stderr) == (0, "")
    assert [line for line in done.stdout.splitlines() if len(line) > WIDTH] == []
    assert "9 of 9 steps verified" in done.stdout
    assert "NOT VERIFIED" not in done.stdout


def test_where_to_look_next_works_when_it_is_pasted(told: "tuple[Path, subprocess.CompletedProcess[str]]") -> None:
    folder, done = told
    pasted = done.stdout.partition("Where to look next:\n")[2]
    lines = [line.strip() for line in pasted.splitlines()]
    # Serving again is for the next test: it does not end by itself.
    commands = [line for line in lines if line and not line.startswith("#") and " run --port " not in line]
    script = "\n".join(["set -e", f'scim-bridge() {{ {shlex.quote(sys.executable)} -m scim_bridge "$@"; }}', *commands])

    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd=folder, timeout=PATIENCE)

    assert ended.returncode == 0, ended.stderr
    assert len(commands) == 8
    assert "platform-engineers" in ended.stdout
    assert "prod-eu" in ended.stdout
    assert (folder / "var/demo/clusters/.git").is_dir()


def test_a_folder_that_the_demo_did_not_make_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")

    done = demo("--exit", "--home", str(tmp_path), "--port", str(free_port()), folder=tmp_path)

    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr == (
        f"scim-bridge: {tmp_path} was not made by the demo, and the demo would empty it; name another with --home.\n"
    )
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    done = demo("--exit", "--home", str(tmp_path / "file" / "demo"), "--port", str(free_port()), folder=tmp_path)

    assert (done.returncode, len(done.stderr.splitlines())) == (5, 1)
    assert "cannot use the folder" in done.stderr


def test_a_port_in_use_is_one_sentence_and_empties_nothing(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    home.mkdir()
    (home / ".scim-bridge-demo").write_text("")
    (home / "notes").write_text("of the last demo")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = demo("--exit", "--home", str(home), "--port", str(port), folder=tmp_path)

    assert done.returncode == 5
    assert done.stderr == f"scim-bridge: Nothing can listen on 127.0.0.1 port {port}: Address already in use.\n"
    assert (home / "notes").exists()


class Serving:
    """A demo that goes on serving, in a process of its own."""

    def __init__(self, home: Path, *words: str) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "scim_bridge", "demo", "--home", str(home), "--port", str(self.port), *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
            # A job in a shell's background ignores Ctrl-C, and its children do: tests may run in one.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip

    def wait_for(self, words: str) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if words in line:
                return
        raise AssertionError(f"{words!r} was never said")

    def end(self, number: int) -> tuple[int, str]:
        self.process.send_signal(number)
        _, error = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, error

    @property
    def is_served(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    made = Serving(tmp_path / "demo")
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_serves_keeps_others_out_and_ends_with_its_bridge(
    serving: Serving, tmp_path: Path, number: int
) -> None:
    serving.wait_for("keeps serving")
    served = serving.is_served
    other = demo("--exit", "--home", str(tmp_path / "demo"), "--port", str(free_port()), folder=tmp_path)

    code, error = serving.end(number)

    assert (served, serving.is_served) == (True, False)
    assert (other.returncode, len(other.stderr.splitlines())) == (5, 1)
    assert "Another demo runs in" in other.stderr
    assert (code, error) == (0, "")


def test_a_demo_that_is_ended_in_the_middle_takes_its_bridge_with_it(serving: Serving) -> None:
    serving.wait_for("Okta's first cycle")
    served = serving.is_served

    code, error = serving.end(signal.SIGTERM)

    assert (served, serving.is_served) == (True, False)
    assert code != 0
    assert "Traceback" not in error


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.kube)])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    if request.param == "real":
        real: KubeServer = request.getfixturevalue("kube_server")
        yield real
        return
    with FakeKubeApi() as api:
        prepare(api)
        yield api


def test_with_a_kubeconfig_it_binds_there_and_takes_everything_away_again(server: Server, tmp_path: Path) -> None:
    create_namespace(server.client(), "shop")
    config = tmp_path / "kubeconfig"
    config.write_text(kubeconfig(server))

    done = demo(
        "--exit", "--json", "--home", str(tmp_path / "demo"), "--port", str(free_port()), "--kubeconfig", str(config),
        folder=tmp_path,
    )  # fmt: skip

    found = json.loads(done.stdout)
    gained = [each for step in found["steps"] for each in step["gained"]]
    assert (done.returncode, found["verified"]) == (0, True)
    assert {each["namespace"] for each in gained if each["cluster"] == "prod-eu"} == {"", "shop"}
    assert not (tmp_path / "demo/clusters/prod-eu").exists()
    assert done.stderr.endswith("bindings taken away again from the real cluster.\n")
    assert not done.stderr.startswith("0 ")
    assert ours(server.client()) == []


def ours(client: KubeClient) -> list[dict[str, Any]]:
    label = "app.kubernetes.io/managed-by=scim-bridge"
    found = [client.get(path, labelSelector=label).document["items"] for path in (CRBS, bindings_in("shop"))]
    # The bridge's own right to bind is nothing that it gave.
    return [each for items in found for each in items if each["metadata"]["name"] != BRIDGE]


def test_a_kubeconfig_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    config = tmp_path / "kubeconfig"
    config.write_text("{}")

    done = demo(
        "--exit", "--home", str(tmp_path / "demo"), "--port", str(free_port()), "--kubeconfig", str(config),
        folder=tmp_path,
    )  # fmt: skip

    assert done.returncode != 0
    [sentence] = done.stderr.splitlines()
    assert sentence.startswith("scim-bridge: ")
