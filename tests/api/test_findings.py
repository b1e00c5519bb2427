"""Findings, adoption, the way in and subjects over REST, on a real HTTP API server in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scim_bridge.identity import clusters
from scim_bridge.identity.clusters import ClusterWanted
from scim_bridge.identity.runtime import Runtime
from scim_bridge.store.sealing import load_keyring
from tests.api.rest import ACTOR, Person, Rest, problem
from tests.fakes.kube_api import FakeKubeApi
from tests.kube.client import CRBS
from tests.kube.world import binding, kubeconfig, prepare


@pytest.fixture
def api(rest: Rest, tmp_path: Path) -> Iterator[FakeKubeApi]:
    with FakeKubeApi() as server:
        prepare(server)
        file = tmp_path / "kubeconfig"
        file.write_text(kubeconfig(server))
        runtime = Runtime(rest.settings, rest.database, load_keyring(rest.settings))
        wanted = ClusterWanted("prod", kubeconfig=file, approve_first_plan=True, break_glass="group:system:masters")
        clusters.add(runtime, ACTOR, "acme", wanted)
        server.client().post(CRBS, binding("by-hand", "edit", "eve"))
        yield server


@pytest.fixture
def developer(rest: Rest) -> Person:
    return rest.with_role("developer")


def test_a_viewer_sees_what_somebody_gave_by_hand(api: FakeKubeApi, viewer: Person) -> None:
    [found] = viewer.ok("GET", "/clusters/prod/findings")["items"]

    assert (found["what"], found["name"], found["role"]) == ("privileged", "by-hand", "edit")
    assert viewer.ok("GET", "/clusters/prod/findings?what=orphan")["items"] == []


def test_a_binding_is_taken_over_in_two_steps(api: FakeKubeApi, developer: Person, viewer: Person) -> None:
    planned = developer.ok("POST", "/clusters/prod/adoptions", {"name": "by-hand"})
    refused = problem(viewer.inside("POST", "/clusters/prod/adoptions", {"name": "by-hand", "plan": planned["hash"]}))
    stale = problem(developer.inside("POST", "/clusters/prod/adoptions", {"name": "by-hand", "plan": "0" * 64}))

    done = developer.ok("POST", "/clusters/prod/adoptions", {"name": "by-hand", "plan": planned["hash"]})

    assert (planned["loses"], planned["done"], done["done"]) == (["User eve"], False, True)
    assert (refused, stale) == ((403, "refused"), (409, "conflict"))
    assert api.client().get(f"{CRBS}/by-hand").status == 404


def test_the_way_in_is_asked_of_the_cluster(api: FakeKubeApi, developer: Person, viewer: Person) -> None:
    before = viewer.ok("GET", "/clusters/prod/safety")
    broken = developer.ok("PATCH", "/clusters/prod/safety", {"break_glass": "user:nobody"})
    works = developer.ok("PATCH", "/clusters/prod/safety", {"break_glass": "group:system:masters"})

    assert before["break_glass"] == "group:system:masters"
    assert "does not let user:nobody do everything" in broken["problem"]
    assert (works["problem"], works["seen_at"] is not None) == (None, True)
    assert problem(viewer.inside("PATCH", "/clusters/prod/safety", {"break_glass": "note:x"})) == (403, "refused")


def test_a_person_is_tried(api: FakeKubeApi, rest: Rest, viewer: Person) -> None:
    rest.person("ana")

    tried = viewer.ok("GET", "/clusters/prod/subjects/ana@acme.example?template=oidc:{user_name}")

    assert (tried["subject"], tried["asked"], tried["may"]) == ("oidc:ana@acme.example", True, [])


def test_passes_are_read_page_by_page(api: FakeKubeApi, viewer: Person) -> None:
    assert viewer.ok("GET", "/clusters/prod/passes")["items"] == []
    assert problem(viewer.inside("GET", "/clusters/nowhere/passes")) == (404, "not-found")


def test_a_cluster_that_does_not_answer_is_said_to_and_not_taken_for_empty(api: FakeKubeApi, viewer: Person) -> None:
    api.faults.fail(status=503, reason="ServiceUnavailable", message="it is away.")

    assert problem(viewer.inside("GET", "/clusters/prod/findings"))[0] == 502


def test_without_a_way_in_no_api_is_registered_as_approved(rest: Rest, tmp_path: Path) -> None:
    from scim_bridge.errors import Refused

    with FakeKubeApi() as server:
        (tmp_path / "kubeconfig").write_text(kubeconfig(server))
        runtime = Runtime(rest.settings, rest.database, load_keyring(rest.settings))
        wanted = ClusterWanted("prod", kubeconfig=tmp_path / "kubeconfig", approve_first_plan=True)

        with pytest.raises(Refused, match="--break-glass"):
            clusters.add(runtime, ACTOR, "acme", wanted)
