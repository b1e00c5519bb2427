"""How people sign in to clusters themselves, and the kubeconfig that they take home."""

from typing import Any

from flask import Response
from pydantic import Field

from scim_bridge.api.operations import Call, Entrance, Fields, operation
from scim_bridge.domain.kubeconfigs import ClusterSignIn
from scim_bridge.identity import cluster_sign_in, kubeconfigs
from scim_bridge.identity.cluster_sign_in import SignInWanted

TAG = "kubeconfigs"
PATH = "/clusters/<cluster>/sign-in"
YAML = "application/yaml"


class SignIn(Fields):
    """How people sign in to a cluster: as its API server's own OIDC flags have it."""

    issuer: str = Field(max_length=1024)
    client_id: str = Field(max_length=255)
    scopes: tuple[str, ...] = Field(default=(), max_length=16, description="Beside `openid`.")
    server: str | None = Field(default=None, max_length=1024, description="The bridge's own address if left out.")
    authority: str | None = Field(default=None, max_length=65536, description="Certificates that are trusted, in PEM.")


class WhichCluster(Fields):
    """One cluster, or all."""

    cluster: str | None = Field(default=None, max_length=63)


@operation("GET", PATH, tag=TAG, permission="clusters:read", entrance=Entrance.SOMEWHERE, answers=ClusterSignIn)
def show(call: Call, cluster: str) -> ClusterSignIn:
    """Show how people sign in to a cluster."""
    return cluster_sign_in.show(call.database, call.actor, call.organization, cluster)


@operation(
    "PUT",
    PATH,
    tag=TAG,
    permission="clusters:update",
    entrance=Entrance.SOMEWHERE,
    body=SignIn,
    answers=ClusterSignIn,
)
def change(call: Call, cluster: str) -> ClusterSignIn:
    """Say how people sign in to a cluster; it is in their kubeconfigs from then on."""
    values: dict[str, Any] = call.given(SignIn).model_dump()
    return cluster_sign_in.change(
        call.database,
        call.runtime.keyring,
        call.actor,
        call.organization,
        cluster,
        SignInWanted(**values),
        call.request_id,
    )


@operation("DELETE", PATH, tag=TAG, permission="clusters:update", entrance=Entrance.SOMEWHERE, answers=None)
def remove(call: Call, cluster: str) -> None:
    """Leave a cluster out of people's kubeconfigs."""
    cluster_sign_in.remove(call.database, call.actor, call.organization, cluster, call.request_id)


@operation("GET", "/members/<member>/kubeconfig", tag=TAG, query=WhichCluster, answers=str, contents=(YAML,))
def kubeconfig(call: Call, member: str) -> Response:
    """Return one's own kubeconfig (`me`), or somebody's for who may see members; no secret is in it."""
    asked = call.asked(WhichCluster).cluster
    found = kubeconfigs.of_member(call.database, call.actor, call.organization, member, asked)
    answer = Response(found.text, content_type=YAML)
    answer.headers["Content-Disposition"] = 'attachment; filename="kubeconfig"'
    return answer
