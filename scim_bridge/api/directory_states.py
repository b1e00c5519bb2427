"""A directory as a whole: what a step would do, and exactly that."""

from dataclasses import dataclass

from pydantic import Field

from scim_bridge.api.directories import MANAGING, TAG
from scim_bridge.api.operations import Call, Fields, operation
from scim_bridge.domain.directory_states import Step
from scim_bridge.domain.people import DirectoryState
from scim_bridge.identity import directory_states
from scim_bridge.identity.directory_states import Preview


class PreviewedStep(Fields):
    """The step to look at: activate, detach or purge."""

    step: Step = Step.ACTIVATE


class SeenPreview(Fields):
    """The preview that somebody has read and agrees to."""

    preview: str = Field(min_length=1, max_length=64, description="Its hash, or the first 12 characters of it.")


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The state that a directory is in now."""

    name: str
    state: DirectoryState


@operation(
    "POST", "/directories/<directory>/preview", tag=TAG, permission=MANAGING, body=PreviewedStep, answers=Preview
)
def preview(call: Call, directory: str) -> Preview:
    """Say exactly who would gain and lose what by a step, down to what clusters bind; nothing is written."""
    step = call.given(PreviewedStep).step
    return directory_states.preview(call.database, call.actor, call.organization, directory, step)


@operation("POST", "/directories/<directory>/activate", tag=TAG, permission=MANAGING, body=SeenPreview, answers=Preview)
def activate(call: Call, directory: str) -> Preview:
    """Let what a pending directory brought count; 409, with what it would be now, if that is not what was seen."""
    return _carry_out(call, directory, Step.ACTIVATE)


@operation("POST", "/directories/<directory>/detach", tag=TAG, permission=MANAGING, body=SeenPreview, answers=Preview)
def detach(call: Call, directory: str) -> Preview:
    """Cut a connection for good and keep what it brought; 409 if that is not what was seen."""
    return _carry_out(call, directory, Step.DETACH)


@operation("POST", "/directories/<directory>/purge", tag=TAG, permission=MANAGING, body=SeenPreview, answers=Preview)
def purge(call: Call, directory: str) -> Preview:
    """Take away all that a directory brought, which must not be active; 409 if that is not what was seen."""
    return _carry_out(call, directory, Step.PURGE)


@operation("POST", "/directories/<directory>/pause", tag=TAG, permission=MANAGING, answers=StateChanged)
def pause(call: Call, directory: str) -> StateChanged:
    """Take in nothing for now: requests are answered with 503, access stays as it is."""
    done = directory_states.pause(call.database, call.actor, call.organization, directory, call.request_id)
    return StateChanged(done.name, done.state)


@operation("POST", "/directories/<directory>/resume", tag=TAG, permission=MANAGING, answers=StateChanged)
def resume(call: Call, directory: str) -> StateChanged:
    """Take in again what a paused directory sends."""
    done = directory_states.resume(call.database, call.actor, call.organization, directory, call.request_id)
    return StateChanged(done.name, done.state)


def _carry_out(call: Call, directory: str, step: Step) -> Preview:
    seen = call.given(SeenPreview).preview
    return directory_states.carry_out(
        call.database, call.actor, call.organization, directory, step, seen, call.request_id
    )
