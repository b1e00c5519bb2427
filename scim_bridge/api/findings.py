"""What else is on a cluster: bindings of others, what is left of us, what a person is called, and the way in."""

from pydantic import Field

from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.api.workshops import workshop_of
from scim_bridge.domain.strangers import Strangeness
from scim_bridge.sync import adopting, inspecting, ways_in
from scim_bridge.sync.adopting import Adoption
from scim_bridge.sync.inspecting import Found, TriedSubject
from scim_bridge.sync.ways_in import SafetyView
from scim_bridge.web.paging import Page

TAG = "findings"
UPDATE = "clusters:update"


class Which(Paged):
    """Which findings."""

    what: Strangeness | None = Field(default=None, description="Only these; all if left out.")


class Tried(Fields):
    """How a person would be called."""

    template: str | None = Field(default=None, max_length=255, description="Another template than the cluster's.")


class Taken(Fields):
    """A binding of somebody else's, and the plan that was read."""

    name: str = Field(max_length=1024)
    namespace: str | None = Field(default=None, max_length=63)
    plan: str | None = Field(default=None, max_length=64, description="Its hash; if left out, it is only planned.")


class Registered(Fields):
    """What is registered of a cluster's safety; what is left out stays."""

    break_glass: str | None = Field(default=None, max_length=320, description="user:NAME, group:NAME or note:TEXT.")
    group_template: str | None = Field(default=None, max_length=255, description="How its tokens name {group}.")
    events: bool | None = Field(default=None, description="Whether what needs a person is an Event there too.")


@operation("GET", "/clusters/<cluster>/findings", tag=TAG, permission="clusters:read", query=Which, answers=Page[Found])
def list_(call: Call, cluster: str) -> Page[Found]:
    """Ask the cluster for bindings that no pass keeps: orphans, lookalikes, and privileges given by hand."""
    with workshop_of(call) as workshop:
        found = inspecting.find_strangers(workshop, call.organization, cluster, only=call.asked(Which).what)
    return call.page(found, lambda each: (each.what, each.namespace or "", each.name), keys=3)


@operation(
    "GET",
    "/clusters/<cluster>/subjects/<person>",
    tag=TAG,
    permission="members:read",
    query=Tried,
    answers=TriedSubject,
)
def subject(call: Call, cluster: str, person: str) -> TriedSubject:
    """Say what a person is called on a cluster, who else would be, and what the cluster lets them do now."""
    template = call.asked(Tried).template
    with workshop_of(call) as workshop:
        return inspecting.try_subject(workshop, call.organization, cluster, person, template=template)


@operation("POST", "/clusters/<cluster>/adoptions", tag=TAG, permission=UPDATE, body=Taken, answers=Adoption)
def adopt(call: Call, cluster: str) -> Adoption:
    """Plan to take over a binding of somebody else's, or take it over as a plan says."""
    given = call.given(Taken)
    with workshop_of(call) as workshop:
        if given.plan is None:
            return adopting.plan_adoption(workshop, call.organization, cluster, given.name, given.namespace)
        return adopting.adopt(
            workshop, call.actor, call.organization, cluster, given.name, given.namespace, given.plan, call.request_id
        )


@operation("GET", "/clusters/<cluster>/safety", tag=TAG, permission="clusters:read", answers=SafetyView)
def safety(call: Call, cluster: str) -> SafetyView:
    """Show the way in that does not depend on the bridge, and how the cluster names groups."""
    with workshop_of(call) as workshop:
        return ways_in.show_safety(workshop, call.organization, cluster)


@operation("PATCH", "/clusters/<cluster>/safety", tag=TAG, permission=UPDATE, body=Registered, answers=SafetyView)
def register(call: Call, cluster: str) -> SafetyView:
    """Register the way in, which the cluster is asked about at once, how it names groups, and whether it has Events."""
    given = call.given(Registered)
    with workshop_of(call) as workshop:
        return ways_in.register_safety(
            workshop,
            call.actor,
            call.organization,
            cluster,
            break_glass=given.break_glass,
            group_template=given.group_template,
            events=given.events,
            request_id=call.request_id,
        )
