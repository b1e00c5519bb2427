"""
How long a leaver keeps access: from the PATCH answered to the person's own token refused by a real kube-apiserver.

Thirty leavers, one after the other, on the embedded default (`scim-bridge run`, SQLite), the bridge with its least
privileged credential. The floor is an administrator who takes the person out of the same binding by hand, measured in
the same run: what the API server's own caches take. The target is a p95 of at most two seconds.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

from scim_bridge.simulator import Client, Company, Entra
from tests.journeys.bridge import Bridge, installed
from tests.kube.client import CRBS
from tests.kube.server import KubeServer, ServerMissing
from tests.kube.world import binding, can, kubeconfig, prepare

LEAVERS = 30
TARGET_SECONDS = 2.0
PATIENCE_SECONDS = 60.0
DOMAIN = "example.com"
RULES = """
version = 1
[[rules]]
name = "Developers edit"
directory = "entra"
group = "developers"
scope = "unit:production"
kubernetes_role = "edit"
"""


def main() -> int:
    """Measure both, print them beside each other, and answer 1 when the target is missed."""
    names = [f"Leaver{number}" for number in range(LEAVERS)]
    subjects = [f"oidc:leaver{number}@{DOMAIN}" for number in range(LEAVERS)]
    try:
        with KubeServer(users=subjects) as server, tempfile.TemporaryDirectory() as folder:
            prepare(server)
            floor = by_hand(server, subjects)
            with installed(Path(folder) / "home") as bridge:
                entra = set_up(bridge, server, Path(folder), names)
                through = by_scim(server, entra, subjects)
    except ServerMissing as missing:
        print(f"left out, a real kube-apiserver is missing: {missing}", file=sys.stderr)
        return 0
    show(floor, through)
    return 0 if quantiles(through, n=20)[-1] <= TARGET_SECONDS else 1


def set_up(bridge: Bridge, server: KubeServer, folder: Path, names: list[str]) -> Entra:
    """Register the cluster, start the bridge, and let Entra push everybody."""
    (folder / "kubeconfig").write_text(kubeconfig(server))
    (folder / "rules.toml").write_text(RULES)
    bridge.command("organization", "create", "acme", "--owner", "ana@acme.example")
    bridge.command("unit", "create", "production")
    made = bridge.command("directory", "create", "--organization", "acme", "--kind", "entra", "--name", "entra")
    bridge.command(
        "cluster", "add", "--organization", "acme", "--unit", "production", "--name", "prod",
        "--kubeconfig", str(folder / "kubeconfig"), "--user-template", "oidc:{user_name}", "--approve-first-plan",
        "--break-glass", "group:system:masters",
    )  # fmt: skip
    bridge.command("rule", "apply", str(folder / "rules.toml"))
    bridge.start()
    entra = Entra(Client(bridge.scim_url, str(made["token"])), Company.of({"developers": names}, DOMAIN))
    entra.initial_cycle()
    return entra


def by_scim(server: KubeServer, entra: Entra, subjects: list[str]) -> list[float]:
    """Return the seconds from each PATCH's answer to the refusal."""
    wait(lambda: all(may(server, subject) for subject in subjects))
    taken = []
    for subject in subjects:
        person = entra.company.person(subject.removeprefix("oidc:"))
        answered = entra.leave(person).answered_at
        wait(lambda who=subject: not may(server, who))  # type: ignore[misc]
        taken.append(time.monotonic() - answered)
    return taken


def by_hand(server: KubeServer, subjects: list[str]) -> list[float]:
    """Return the seconds from each write of an administrator to the refusal."""
    admin, name, left = server.client(), "by-hand", list(subjects)
    assert admin.post(CRBS, binding(name, "edit", *left)).status == 201
    wait(lambda: all(may(server, subject) for subject in subjects))
    taken = []
    for subject in subjects:
        left.remove(subject)
        answer = admin.merge(f"{CRBS}/{name}", {"subjects": binding(name, "edit", *left)["subjects"]})
        answered = time.monotonic()
        assert answer.status == 200, answer.body
        wait(lambda who=subject: not may(server, who))  # type: ignore[misc]
        taken.append(time.monotonic() - answered)
    admin.delete(f"{CRBS}/{name}")
    return taken


def may(server: KubeServer, subject: str) -> bool:
    """Ask with the person's own token."""
    return can(server, subject, "delete", "pods", "default")


def wait(condition: Callable[[], bool]) -> None:
    """Ask again and again, without a pause: what is measured is the bridge, not the asking."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("a leaver was never refused")


def show(floor: list[float], through: list[float]) -> None:
    """Print both, and the ratio."""
    print(f"{LEAVERS} leavers, milliseconds until their own token is refused:")
    print(f"  {'':<28}{'median':>8}{'p95':>8}")
    for name, seconds in (("floor: written by hand", floor), ("PATCH active=False answered", through)):
        print(f"  {name:<28}{median(seconds) * 1000:8.0f}{quantiles(seconds, n=20)[-1] * 1000:8.0f}")
    print(f"  ratio of medians {median(through) / median(floor):.1f}x; target: p95 at most {TARGET_SECONDS * 1000:.0f}")


if __name__ == "__main__":
    sys.exit(main())
