"""What an engineer does about a cluster: registered, frozen, looked over, forgotten."""

import wtforms
from flask import Response

from scim_bridge.console.clusters import READ
from scim_bridge.console.forms import Form, choices, submit
from scim_bridge.console.pages import done, page, url
from scim_bridge.console.screens import Entrance, Visit, screen
from scim_bridge.domain.organizations import CaseRule
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ClusterError, Invalid
from scim_bridge.identity import cluster_targets, clusters, freezes
from scim_bridge.identity.cluster_targets import Extras, target_of
from scim_bridge.identity.clusters import ClusterWanted
from scim_bridge.identity.freezes import FREEZE, FreezeWanted
from scim_bridge.sync import inspecting, single, ways_in

CREATE = "clusters:create"
DELETE = "clusters:delete"
LONGEST_KUBECONFIG = 256 * 1024
BOUND = [each for each in KubernetesRole if each is not KubernetesRole.NONE]


class ClusterForm(Form):
    """A cluster to register."""

    name = wtforms.StringField("Name", description="What you call it, such as prod-eu.")
    unit = wtforms.StringField("Unit", description="The path of its unit; the organization itself if left empty.")
    kubeconfig = wtforms.TextAreaField(
        "Kubeconfig",
        description="Its text, with the token of the bridge's own service account. It is stored encrypted, and never"
        " shown again. Make that account with the manifest that this page leads to.",
        render_kw={"rows": 8, "spellcheck": "false", "autocomplete": "off"},
    )
    user_template = wtforms.StringField(
        "Users are called", default="{user_name}", description="As the cluster's OIDC settings render them."
    )
    case_rule = wtforms.SelectField(
        "Letters",
        choices=choices([(CaseRule.KEEP, "as they are"), (CaseRule.LOWER, "in lower case")]),
    )
    allow_cluster_admin = wtforms.BooleanField("People may get cluster-admin here")
    allow_label_selectors = wtforms.BooleanField("Projects may choose namespaces by labels")
    break_glass = wtforms.StringField(
        "Way in without the bridge",
        description="user:NAME or group:NAME that is cluster-admin by other means, or note:TEXT. A pass needs one.",
    )


class FreezeForm(Form):
    """What to keep the bridge from doing."""

    reason = wtforms.StringField("Why", description="Whoever is on call reads it.")
    hours = wtforms.FloatField(
        "For how many hours",
        default=4,
        validators=[wtforms.validators.Optional(), wtforms.validators.NumberRange(0.1, 24 * 366)],
        description="Until it is ended if left empty.",
    )
    including_revocations = wtforms.BooleanField(
        "Keep leavers in too", description="For an owner only, at most 24 hours. Without it, whoever leaves is removed."
    )


@screen("GET", "/clusters/new", title="Register a cluster", permission=CREATE, entrance=Entrance.SOMEWHERE)
def ask(visit: Visit) -> Response:
    """Ask for a cluster."""
    return _form(visit, ClusterForm.of(visit))


@screen("POST", "/clusters/new", title="Register a cluster", permission=CREATE, entrance=Entrance.SOMEWHERE)
def register(visit: Visit) -> Response:
    """Register it; warnings say what would keep it from working."""
    form = ClusterForm.of(visit)
    made = submit(form, lambda: _register(visit, form), names={"target": "kubeconfig"}, typed=True)
    if made is None:
        form.kubeconfig.data = ""
        return _form(visit, form, 422)
    words = [each.message for each in made.warnings] or ["It was looked over, and nothing keeps it from working."]
    return done(
        visit, "clusters.show", f"{made.cluster.name} is registered. {' '.join(words)}", cluster=made.cluster.name
    )


@screen("GET", "/clusters/bootstrap", title="The bridge's own account", permission=CREATE, entrance=Entrance.SOMEWHERE)
def bootstrap(visit: Visit) -> Response:
    """Show the manifest that gives the bridge its smallest possible identity on a cluster."""
    named = visit.asked("roles") or "edit view"
    wanted = [each.value for each in BOUND if each.value in named.split()]
    extras = Extras(*(visit.asked(name) == "1" for name in ("admission_policy", "flow_schema", "events")))
    manifest = cluster_targets.bootstrap(visit.asked("namespace") or "scim-bridge", "scim-bridge", wanted, extras)
    bound = [("view", "view"), ("edit view", "edit, view"), ("cluster-admin edit view", "cluster-admin, edit, view")]
    return page(visit, "cluster_bootstrap", manifest=manifest, choices=bound, places=_places())


@screen("GET", "/clusters/<cluster>/freeze", title="Freeze", permission=FREEZE, entrance=Entrance.SOMEWHERE)
def ask_freeze(visit: Visit, cluster: str) -> Response:
    """Say what a freeze does."""
    found = clusters.show(visit.database, visit.organization, cluster, visit.actor)
    return _freeze_form(visit, found.name, FreezeForm.of(visit))


@screen("POST", "/clusters/<cluster>/freeze", title="Freeze", permission=FREEZE, entrance=Entrance.SOMEWHERE)
def freeze(visit: Visit, cluster: str) -> Response:
    """Stop grants and inferred removals on it; asked-for ones go on."""
    form = FreezeForm.of(visit)
    wanted = FreezeWanted(
        cluster, None, form.text("reason") or "", bool(form.including_revocations.data), form.hours.data
    )
    made = submit(form, lambda: freezes.begin(*visit.whose, wanted, visit.request_id))
    if made is None:
        return _freeze_form(visit, cluster, form, 422)
    return done(visit, "clusters.show", f"{cluster} is frozen.", cluster=cluster)


@screen("POST", "/freezes/<freeze>/end", title="End a freeze", permission=FREEZE, entrance=Entrance.SOMEWHERE)
def unfreeze(visit: Visit, freeze: str) -> Response:
    """End one freeze; what waited is done at once."""
    freezes.end(*visit.whose, freeze, visit.request_id)
    return done(visit, "clusters.list", "The freeze is over; what waited is done at once.")


@screen("GET", "/clusters/<cluster>/findings", title="What else is there", permission=READ)
def findings(visit: Visit, cluster: str) -> Response:
    """Ask the cluster for bindings that no pass keeps: orphans, lookalikes, and privileges given by hand."""
    found = clusters.show(visit.database, visit.organization, cluster, visit.actor)
    with single.opened_workshop(visit.database, visit.runtime.keyring, visit.runtime.settings) as workshop:
        safety = ways_in.show_safety(workshop, visit.organization, found.name)
        try:
            strangers, problem = inspecting.find_strangers(workshop, visit.organization, found.name), None
        except ClusterError as error:
            strangers, problem = [], str(error)
    return page(
        visit,
        "cluster_findings",
        title=f"What else is on {found.name}",
        found=strangers,
        problem=problem,
        safety=safety,
        places=_places(found.name),
    )


@screen("GET", "/clusters/<cluster>/remove", title="Forget a cluster", permission=DELETE, entrance=Entrance.SOMEWHERE)
def ask_remove(visit: Visit, cluster: str) -> Response:
    """Show what forgetting it means."""
    found = clusters.show(visit.database, visit.organization, cluster, visit.actor)
    effects = [
        f"{found.name} and its credential are forgotten; no pass visits it any more.",
        f"{found.bindings} bindings of ours were last seen on it. They stay there for good, with whoever is in them.",
    ]
    return page(
        visit,
        "confirm",
        title=f"Forget {found.name}?",
        effects=effects,
        words="Forget it",
        back=url("clusters.show", cluster=found.name),
        places=_places(found.name),
    )


@screen("POST", "/clusters/<cluster>/remove", title="Forget a cluster", permission=DELETE, entrance=Entrance.SOMEWHERE)
def remove(visit: Visit, cluster: str) -> Response:
    """Forget a cluster and its credential."""
    gone = clusters.remove(*visit.whose, cluster, leave_bindings=True, request_id=visit.request_id)
    return done(visit, "clusters.list", f"{gone.name} is forgotten.")


def _register(visit: Visit, form: ClusterForm) -> clusters.ClusterLookedOver:
    kubeconfig = form.text("kubeconfig")
    if not kubeconfig or len(kubeconfig) > LONGEST_KUBECONFIG:
        raise Invalid("Paste the text of a kubeconfig, at most 256 KiB.", field="kubeconfig")
    wanted = ClusterWanted(
        form.text("name") or "",
        form.text("unit"),
        user_template=form.text("user_template") or "{user_name}",
        case_rule=CaseRule(form.case_rule.data),
        allow_cluster_admin=bool(form.allow_cluster_admin.data),
        allow_label_selectors=bool(form.allow_label_selectors.data),
        break_glass=form.text("break_glass"),
    )
    return clusters.add(
        visit.runtime, visit.actor, visit.organization, wanted, visit.request_id, given=target_of(kubeconfig)
    )


def _form(visit: Visit, form: ClusterForm, status: int = 200) -> Response:
    return page(visit, "cluster_form", status, form=form, back=url("clusters.list"), places=_places())


def _freeze_form(visit: Visit, cluster: str, form: FreezeForm, status: int = 200) -> Response:
    lead = "Grants and inferred removals stop; whoever is deactivated or removed still loses access at once."
    back = url("clusters.show", cluster=cluster)
    return page(
        visit,
        "form",
        status,
        title=f"Freeze {cluster}",
        form=form,
        words="Freeze",
        back=back,
        lead=lead,
        places=_places(cluster),
    )


def _places(name: str | None = None) -> list[tuple[str, str]]:
    own = [] if name is None else [(name, url("clusters.show", cluster=name))]
    return [("Clusters", url("clusters.list")), *own]
