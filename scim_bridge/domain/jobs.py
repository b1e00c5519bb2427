"""What the scheduler does by the clock: which jobs there are, how often each is done, and whether it may rest."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE = 60.0
QUARTER = 15 * MINUTE


@dataclass(frozen=True, slots=True)
class JobSort:
    """
    One job. Every ``seconds`` a round of it is due.

    One that comes by more often than once a minute is ``frequent``: of its rounds only those go into the history that
    somebody asked for, that begin to fail, or that end a time of failures.
    """

    name: str
    does: str
    seconds: float
    may_pause: bool = True

    @property
    def is_frequent(self) -> bool:
        """Tell whether it comes by more often than once a minute."""
        return self.seconds < MINUTE

    def is_due(self, started_at: datetime | None, at: datetime) -> bool:
        """Tell whether the next round is due, after one that started then; None: there was none."""
        return started_at is None or at - started_at >= timedelta(seconds=self.seconds)


_SORTS = (
    JobSort("post", "sends the mails that wait", 2),
    JobSort("webhooks", "tells webhooks what they are to be told", 1),
    JobSort("seal-audit", "chains the audit's new entries", 0.5, may_pause=False),
    JobSort("stream-audit", "sends the audit to syslog", 1),
    JobSort("watch-alerts", "tells which alerts begin and end", 15),
    JobSort("end-expired", "ends grants, memberships and invitations whose time is over", 20, may_pause=False),
    JobSort("apply-drafts", "applies drafts of rules whose time has come", 20),
    JobSort("rescue", "takes jobs of dead workers out of the queue (engine procrastinate)", 10, may_pause=False),
    JobSort("look-over-directories", "tells which directories are silent and which tokens end", QUARTER),
    JobSort("purge-leavers", "forgets people whom a directory let go of long ago", QUARTER),
    JobSort("purge-log", "throws away old entries of the provisioning log, sessions and repeated requests", QUARTER),
    JobSort("forget-the-past", "throws away audit entries and history that are kept for long enough", QUARTER),
    JobSort("forget-passes", "throws away old passes, plans and runs of jobs", QUARTER),
    JobSort("forget-deliveries", "throws away what became of old deliveries of webhooks", QUARTER),
    JobSort("prove-domains", "looks again whether verified domains are still proven", QUARTER),
    JobSort("remind-of-drills", "writes to whoever has not tried their break-glass account for too long", QUARTER),
)

SORTS: dict[str, JobSort] = {each.name: each for each in _SORTS}
"""Every job by its name. An errand without an entry here is done by every scheduler."""
