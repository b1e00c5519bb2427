"""The scheduler's jobs with their history, and on PostgreSQL the queue from which workers take passes."""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")

# The queue holds nothing that is not in our own tables too, so taking it down loses nothing.
TAKE_DOWN = r"""
DO $$ DECLARE found regprocedure; BEGIN
  FOR found IN SELECT oid::regprocedure FROM pg_proc
      WHERE proname LIKE 'procrastinate\_%' AND pronamespace = current_schema()::regnamespace LOOP
    EXECUTE format('DROP FUNCTION %s CASCADE', found);
  END LOOP;
END $$;
DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, procrastinate_workers;
DROP TYPE procrastinate_job_to_defer_v1;
DROP TYPE procrastinate_job_event_type;
DROP TYPE procrastinate_job_status;
"""


def upgrade() -> None:
    """Bring the tables up."""
    _add_jobs()
    _add_runs()
    if op.get_bind().dialect.name == "postgresql":
        # As the library that is installed has it; a release of it with other tables brings a migration of ours along
        # (tests/house/test_migrations.py says when).
        _run(SchemaManager.get_schema())


def downgrade() -> None:
    """Take them down again."""
    if op.get_bind().dialect.name == "postgresql":
        _run(TAKE_DOWN)
    op.drop_table("job_run")
    op.drop_table("job")


def _add_jobs() -> None:
    op.create_table(
        "job",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("paused_at", MOMENT, nullable=True),
        sa.Column("paused_by", sa.String(320), nullable=True),
        sa.Column("asked_at", MOMENT, nullable=True),
        sa.Column("asked_by", sa.String(320), nullable=True),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("message", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_job"),
    )


def _add_runs() -> None:
    op.create_table(
        "job_run",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("job", sa.String(64), nullable=False),
        sa.Column("asked_by", sa.String(320), nullable=True),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("message", sa.Text, nullable=True),
        sa.CheckConstraint("state IN ('running', 'ok', 'failed', 'lost')", name="ck_job_run_state"),
        sa.ForeignKeyConstraint(["job"], ["job.name"], name="fk_job_run_job_job"),
        sa.PrimaryKeyConstraint("id", name="pk_job_run"),
    )
    op.create_index("ix_job_run_job_id", "job_run", ["job", "id"])
    op.create_index("ix_job_run_started_at", "job_run", ["started_at"])


def _run(script: str) -> None:
    # On the driver itself: a script of many statements takes no parameters, and its % are its own.
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(script, prepare=False)
