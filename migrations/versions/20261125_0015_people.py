"""Find people by the beginnings of their names; keep invitations, mails that wait, blocked members and reviews."""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
WORDS_AT_A_TIME = 500


def ordered(length: int) -> sa.types.TypeEngine[str]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def references(table: str, *named: tuple[str, str]) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")
        for column, target in named
    ]


def upgrade() -> None:
    op.add_column("member", sa.Column("user_name_key", ordered(1024), nullable=False, server_default=""))
    op.add_column("member", sa.Column("blocked_at", MOMENT, nullable=True))
    op.create_table(
        "member_word",
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("word", ordered(100), nullable=False),
        sa.Column("member_id", sa.String(36), nullable=False),
        *references("member_word", ("organization_id", "organization")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_member_word_member_id_member", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("organization_id", "word", "member_id", name="pk_member_word"),
    )
    _fill()
    op.create_index("ix_member_organization_id_user_name_key_id", "member", ["organization_id", "user_name_key", "id"])
    op.create_index("ix_member_word_member_id_word", "member_word", ["member_id", "word"])
    expiring = sa.text("expires_at IS NOT NULL AND valid_to IS NULL")
    op.create_index(
        "ix_membership_expiring", "membership", ["expires_at"], sqlite_where=expiring, postgresql_where=expiring
    )
    _create_invitation()
    _create_mail()
    _create_review()


def downgrade() -> None:
    for table in ("review_item", "review", "mail", "invitation"):
        op.drop_table(table)
    op.drop_index("ix_membership_expiring", "membership")
    op.drop_table("member_word")
    op.drop_index("ix_member_organization_id_user_name_key_id", "member")
    op.drop_column("member", "blocked_at")
    op.drop_column("member", "user_name_key")


def _fill() -> None:
    connection = op.get_bind()
    member = sa.table("member", *map(sa.column, ("id", "organization_id", "user_name", "user_name_key")))
    names = sa.table("member", *map(sa.column, ("id", "organization_id", "user_name", "email", "display_name")))
    word = sa.table("member_word", *map(sa.column, ("organization_id", "word", "member_id")))
    last = ""
    while True:
        query = sa.select(names).where(names.c.id > last).order_by(names.c.id).limit(WORDS_AT_A_TIME)
        rows = connection.execute(query).all()
        if not rows:
            return
        last = rows[-1].id
        keys = [{"member": row.id, "key": _fold(row.user_name)} for row in rows]
        statement = sa.update(member).where(member.c.id == sa.bindparam("member"))
        connection.execute(statement.values(user_name_key=sa.bindparam("key")), keys)
        words = [
            {"organization_id": row.organization_id, "word": each, "member_id": row.id}
            for row in rows
            for each in _words(row.user_name, row.email, row.display_name)
        ]
        if words:
            connection.execute(sa.insert(word), words)


def _words(*names: str | None) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for name in names:
        for text in _fold(name or "").split():
            found |= dict.fromkeys(each[:100] for each in (text, *re.findall(r"[^\W_]+", text)))
    return tuple(found)[:24]


def _fold(text: str) -> str:
    # As `domain.keys.fold` was when this was written.
    if text.isascii():
        return text.lower()
    lowered = unicodedata.normalize("NFC", text).lower()
    return unicodedata.normalize("NFC", lowered.replace("ς", "σ").replace("ß", "ss"))


def _create_invitation() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.String(36), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("email_key", sa.String(320), nullable=False),
        sa.Column("api_role", sa.String(63), nullable=True),
        sa.Column("kubernetes_role", sa.String(32), nullable=True),
        sa.Column("groups", sa.Text, nullable=False, server_default="[]"),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("invited_by", sa.String(320), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "kubernetes_role IN ('cluster-admin', 'edit', 'view', 'none')", name="ck_invitation_kubernetes_role"
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'accepted', 'declined', 'expired', 'revoked', 'superseded')",
            name="ck_invitation_state",
        ),
        *references("invitation", ("organization_id", "organization"), ("member_id", "member")),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.UniqueConstraint("digest", name="uq_invitation_digest"),
    )
    op.create_index("ix_invitation_member_id", "invitation", ["member_id"])
    op.create_index("ix_invitation_organization_id_id", "invitation", ["organization_id", "id"])
    pending = sa.text("state = 'pending'")
    op.create_index(
        "uq_invitation_organization_id_email_key",
        "invitation",
        ["organization_id", "email_key"],
        unique=True,
        sqlite_where=pending,
        postgresql_where=pending,
    )
    op.create_index(
        "ix_invitation_expiring", "invitation", ["expires_at"], sqlite_where=pending, postgresql_where=pending
    )


def _create_mail() -> None:
    op.create_table(
        "mail",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("about_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("recipient", sa.String(320), nullable=False),
        sa.Column("sealed", sa.Text, nullable=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("last_error", sa.Text, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('queued', 'sent', 'given_up', 'cancelled')", name="ck_mail_state"),
        *references("mail", ("organization_id", "organization")),
        sa.PrimaryKeyConstraint("id", name="pk_mail"),
    )
    op.create_index("ix_mail_organization_id", "mail", ["organization_id"])
    op.create_index("ix_mail_about_id", "mail", ["about_id"])
    queued = sa.text("state = 'queued'")
    op.create_index("ix_mail_queued", "mail", ["due_at"], sqlite_where=queued, postgresql_where=queued)


def _create_review() -> None:
    op.create_table(
        "review",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("dormant_days", sa.Integer, nullable=False),
        sa.Column("opened_by", sa.String(320), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("deadline", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        *references("review", ("organization_id", "organization")),
        sa.PrimaryKeyConstraint("id", name="pk_review"),
    )
    op.create_index("ix_review_organization_id", "review", ["organization_id"])
    op.create_table(
        "review_item",
        sa.Column("review_id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("decision", sa.String(32), nullable=True),
        sa.Column("decided_by", sa.String(320), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.CheckConstraint("decision IN ('keep', 'deactivate')", name="ck_review_item_decision"),
        *references("review_item", ("review_id", "review"), ("organization_id", "organization")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name="fk_review_item_member_id_member", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("review_id", "member_id", name="pk_review_item"),
    )
    op.create_index("ix_review_item_member_id", "review_item", ["member_id"])
