"""What is counted of each cluster for whoever watches, and what a look at all of it found."""

import sqlalchemy as sa

from scim_bridge.store.schema.columns import ID_LENGTH, metadata, moment, of_organization

cluster_counter = sa.Table(
    "cluster_counter",
    metadata,
    sa.Column("cluster_id", sa.String(ID_LENGTH), sa.ForeignKey("cluster.id"), primary_key=True),
    of_organization(),
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("label", sa.String(64), primary_key=True),
    sa.Column("amount", sa.Float, nullable=False, server_default="0"),
)
"""Only ever grows, so that any process can answer with it, and the history of passes can be thrown away."""

cluster_scan = sa.Table(
    "cluster_scan",
    metadata,
    sa.Column("cluster_id", sa.String(ID_LENGTH), sa.ForeignKey("cluster.id"), primary_key=True),
    of_organization(),
    moment("next_at"),
    moment("scanned_at", nullable=True),
    # Why the last look failed; NULL once one went well.
    sa.Column("problem", sa.Text, nullable=True),
    # JSON: how many of what, and the names of some; of the last look that went well.
    sa.Column("document", sa.Text, nullable=False, server_default="{}"),
)
