"""Changes that are looked at before they are done: what every route of one takes, and what it does with it."""

from pydantic import Field

from scim_bridge.api.operations import Call, Fields
from scim_bridge.errors import Invalid
from scim_bridge.identity import tree_drafts
from scim_bridge.identity.tree_drafts import TreeDraft, TreePreview


class Drafted(Fields):
    """The query of a change that may change somebody's access."""

    dry_run: bool = Field(default=False, description="Only say what it would do; nothing is written.")
    preview: str | None = Field(
        default=None,
        max_length=64,
        description="The hash of the preview that was read; needed where access changes, else 409 with the preview.",
    )


def drafted(call: Call, draft: TreeDraft) -> TreePreview:
    """Preview a change of the tree, or carry it out as it was seen."""
    asked = call.asked(Drafted)
    if asked.dry_run:
        return tree_drafts.preview(call.database, call.actor, call.organization, draft)
    return tree_drafts.carry_out(call.database, call.actor, call.organization, draft, asked.preview, call.request_id)


def only_one(given: Fields, *groups: tuple[str, ...]) -> tuple[str, ...]:
    """Return the one group of fields that a body has; raises Invalid for none or several."""
    named = [group for group in groups if given.model_fields_set & set(group)]
    if len(named) != 1:
        words = "; or ".join(", ".join(group) for group in groups)
        raise Invalid(f"Change one thing at a time: {words}.", field=groups[0][0])
    return named[0]
