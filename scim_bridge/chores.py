"""
What comes by again and again in a scheduler: each errand with the use case that it is a round of.

How often each is done says `scim_bridge.domain.jobs`. Use cases are imported where they are done, as in `app`.
"""

from collections.abc import Callable

from scim_bridge.domain.jobs import SORTS
from scim_bridge.identity.runtime import Runtime
from scim_bridge.sync.errands import Errand


def errands_of(opened: Runtime) -> tuple[Errand, ...]:
    """Return every errand of a scheduler; those that are jobs are done by the one that leads."""
    from scim_bridge.sync.sealer import Sealer
    from scim_bridge.sync.streamer import Streamer

    sealer = Sealer(opened.database, opened.keyring)
    streamer = Streamer(opened.database, opened.settings)
    return (
        *shared_errands(opened),
        *_claims(opened),
        Errand("seal-audit", SORTS["seal-audit"].seconds, sealer.seal, sealer.close),
        Errand("stream-audit", SORTS["stream-audit"].seconds, streamer.send),
        *(Errand(name, SORTS[name].seconds, _bound(work, opened)) for name, work in CHORES.items()),
    )


def shared_errands(opened: Runtime) -> tuple[Errand, ...]:
    """Return the errands that workers do where there are any: each with its queue, and how to know that it is due."""
    from scim_bridge.sync.courier import Courier
    from scim_bridge.sync.postman import Postman
    from scim_bridge.sync.scheduler import carried_out

    postman = Postman(opened.database, opened.keyring, opened.settings)
    courier = Courier(opened.database, opened.keyring, opened.settings)
    return (
        Errand("post", SORTS["post"].seconds, postman.send_due, queue="mail", is_due=postman.is_due),
        Errand(
            "webhooks",
            SORTS["webhooks"].seconds,
            lambda: courier.tick(carried_out),
            courier.stop,
            queue="webhooks",
            is_due=courier.is_due,
        ),
    )


def _claims(opened: Runtime) -> tuple[Errand, ...]:
    """Return what keeps a SQLite database to this host: no job, for every process does it, whoever leads."""
    from scim_bridge.sync.one_host import CLAIM_SECONDS, HostClaim

    if not opened.database.is_sqlite:
        return ()
    return (Errand("claim of this host", CLAIM_SECONDS, HostClaim(opened.database).renew),)


def _bound(work: Callable[[Runtime], None], opened: Runtime) -> Callable[[], None]:
    return lambda: work(opened)


def purge(opened: Runtime) -> None:
    """Throw away what has been in the provisioning log, or kept for a repeated request, for long enough."""
    from scim_bridge.identity import repeats, sessions
    from scim_bridge.identity.provisioning_log import purge_log
    from scim_bridge.store.clock import now

    purge_log(opened.database, opened.settings, now())
    repeats.purge(opened)
    sessions.purge(opened.database)


def look_for_proofs(opened: Runtime) -> None:
    """Look again whether verified domains are still proven."""
    from scim_bridge.identity import domain_checks

    domain_checks.look_again(opened.database, domain_checks.looking(opened))


def remind_of_drills(opened: Runtime) -> None:
    """Write to whoever has not tried their break-glass account for too long."""
    from scim_bridge.identity import break_glass
    from scim_bridge.identity.letters import Letters

    break_glass.remind(opened.database, Letters.of(opened))


def purge_leavers(opened: Runtime) -> None:
    """Remove and forget people whom a directory let go of for longer than it keeps them."""
    from scim_bridge.identity import deprovisioning

    deprovisioning.purge_leavers(opened.database)


def end_expired(opened: Runtime) -> None:
    """End the grants, the memberships and the invitations whose time is over."""
    from scim_bridge.identity.expiry import end_expired_grants
    from scim_bridge.identity.hand_members import end_expired_memberships
    from scim_bridge.identity.invitation_ends import end_expired_invitations

    end_expired_grants(opened.database)
    end_expired_memberships(opened.database)
    end_expired_invitations(opened.database)


def apply_drafts(opened: Runtime) -> None:
    """Apply the drafts of rules whose time has come."""
    from scim_bridge.domain.brakes import BrakeLimits
    from scim_bridge.identity.rule_drafts import apply_due

    settings = opened.settings
    apply_due(opened.database, BrakeLimits(settings.brake_subjects, settings.brake_percent))


def forget_the_past(opened: Runtime) -> None:
    """Throw away audit entries and history that were kept for long enough; what is left can still be verified."""
    from scim_bridge.identity.audit_retention import prune_all
    from scim_bridge.identity.retention import forget_ended

    prune_all(opened.database, opened.keyring, opened.settings.audit_days)
    forget_ended(opened.database, opened.settings.audit_days)


def forget_passes(opened: Runtime) -> None:
    """Throw away the history of passes and plans that has been kept for long enough."""
    from scim_bridge.sync.history import forget_history

    forget_history(opened.database, opened.settings.pass_days)


def watch_alerts(opened: Runtime) -> None:
    """Tell what began and what ended since: in the audit, so to webhooks, and by mail."""
    from scim_bridge.identity import alert_mails, alerts

    alerts.look(opened.database)
    alert_mails.write_mails(opened)


def forget_deliveries(opened: Runtime) -> None:
    """Throw away what became of webhooks' deliveries, kept for long enough."""
    from scim_bridge.identity.webhook_deliveries import forget_deliveries as forget

    forget(opened.database, opened.settings.webhook_days)


def look_over_directories(opened: Runtime) -> None:
    """Log, once each, which directories have fallen silent or are only refused, and which tokens end."""
    from scim_bridge.identity.directory_alarms import look_over

    look_over(opened.database)


CHORES: dict[str, Callable[[Runtime], None]] = {
    "watch-alerts": watch_alerts,
    "end-expired": end_expired,
    "apply-drafts": apply_drafts,
    "look-over-directories": look_over_directories,
    "purge-leavers": purge_leavers,
    "purge-log": purge,
    "forget-the-past": forget_the_past,
    "forget-passes": forget_passes,
    "forget-deliveries": forget_deliveries,
    "prove-domains": look_for_proofs,
    "remind-of-drills": remind_of_drills,
}
"""The jobs that are a use case and nothing more."""
