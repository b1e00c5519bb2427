"""What the scheduler does by the clock: its jobs, and what became of their runs."""

import sqlalchemy as sa

from scim_bridge.store.schema.columns import id_column, metadata, moment, one_of

job = sa.Table(
    "job",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    moment("paused_at", nullable=True),
    sa.Column("paused_by", sa.String(320), nullable=True),
    # Set by whoever wants it now; taken away by the run that began because of it.
    moment("asked_at", nullable=True),
    sa.Column("asked_by", sa.String(320), nullable=True),
    # The last run, as the clock needs it: when the next is due does not depend on which process is asked.
    moment("started_at", nullable=True),
    moment("finished_at", nullable=True),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("message", sa.Text, nullable=True),
)

job_run = sa.Table(
    "job_run",
    metadata,
    id_column(),
    sa.Column("job", sa.String(64), sa.ForeignKey("job.name"), nullable=False),
    sa.Column("asked_by", sa.String(320), nullable=True),
    sa.Column("holder", sa.String(128), nullable=False),
    one_of("state", "running", "ok", "failed", "lost"),
    moment("started_at"),
    moment("finished_at", nullable=True),
    sa.Column("message", sa.Text, nullable=True),
    sa.Index("ix_job_run_job_id", "job", "id"),
    sa.Index("ix_job_run_started_at", "started_at"),
)
