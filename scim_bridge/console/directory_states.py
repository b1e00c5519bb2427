"""A directory as a whole: what activating, detaching or purging it would do, and exactly that."""

from flask import Response

from scim_bridge.console.directories import MANAGING
from scim_bridge.console.pages import done, page, url
from scim_bridge.console.screens import Visit, screen
from scim_bridge.domain.directory_states import Step
from scim_bridge.errors import PreviewOutdated
from scim_bridge.identity import directory_states
from scim_bridge.identity.directory_states import Preview

WORDS = {
    Step.ACTIVATE: "What it brought counts from now on.",
    Step.DETACH: "The connection is cut for good; its people stay as members made by hand.",
    Step.PURGE: "All that it brought is taken away. It cannot be undone.",
}
DONE = {
    Step.ACTIVATE: "is active: what it brings counts.",
    Step.DETACH: "is detached: nothing comes from it any more.",
    Step.PURGE: "is gone, with all that it had brought.",
}


@screen("GET", "/directories/<directory>/activate", title="Activate a directory", permission=MANAGING)
def ask_activate(visit: Visit, directory: str) -> Response:
    """Show who would gain what."""
    return _ask(visit, directory, Step.ACTIVATE)


@screen("POST", "/directories/<directory>/activate", title="Activate a directory", permission=MANAGING)
def activate(visit: Visit, directory: str) -> Response:
    """Let what it brought count, with exactly what was shown."""
    return _carry_out(visit, directory, Step.ACTIVATE)


@screen("GET", "/directories/<directory>/detach", title="Detach a directory", permission=MANAGING)
def ask_detach(visit: Visit, directory: str) -> Response:
    """Show what a detachment would change."""
    return _ask(visit, directory, Step.DETACH)


@screen("POST", "/directories/<directory>/detach", title="Detach a directory", permission=MANAGING)
def detach(visit: Visit, directory: str) -> Response:
    """Cut the connection for good, and keep what it brought."""
    return _carry_out(visit, directory, Step.DETACH)


@screen("GET", "/directories/<directory>/purge", title="Purge a directory", permission=MANAGING)
def ask_purge(visit: Visit, directory: str) -> Response:
    """Show who would lose what."""
    return _ask(visit, directory, Step.PURGE)


@screen("POST", "/directories/<directory>/purge", title="Purge a directory", permission=MANAGING)
def purge(visit: Visit, directory: str) -> Response:
    """Take away all that it brought."""
    return _carry_out(visit, directory, Step.PURGE)


@screen("POST", "/directories/<directory>/pause", title="Pause a directory", permission=MANAGING)
def pause(visit: Visit, directory: str) -> Response:
    """Take in nothing for now."""
    found = directory_states.pause(*visit.whose, directory, visit.request_id)
    notice = f"{found.name} is paused: its requests are answered with 503, and access stays as it is."
    return done(visit, "directories.show", notice, directory=found.name)


@screen("POST", "/directories/<directory>/resume", title="Resume a directory", permission=MANAGING)
def resume(visit: Visit, directory: str) -> Response:
    """Take in again what it sends."""
    found = directory_states.resume(*visit.whose, directory, visit.request_id)
    return done(visit, "directories.show", f"{found.name} is taken in again.", directory=found.name)


def _ask(visit: Visit, directory: str, step: Step) -> Response:
    return _shown(visit, directory_states.preview(*visit.whose, directory, step))


def _carry_out(visit: Visit, directory: str, step: Step) -> Response:
    try:
        made = directory_states.carry_out(*visit.whose, directory, step, visit.given("preview"), visit.request_id)
    except PreviewOutdated as error:
        now: Preview = error.preview
        return _shown(visit, now, "This has changed since you looked. What follows is as it is now.", 409)
    notice = f"{made.directory} {DONE[step]}"
    if step is Step.PURGE:
        return done(visit, "directories.list", notice)
    return done(visit, "directories.show", notice, directory=made.directory)


def _shown(visit: Visit, preview: Preview, problem: str | None = None, status: int = 200) -> Response:
    back = url("directories.show", directory=preview.directory)
    words = preview.step.value.capitalize()
    return page(
        visit,
        "preview",
        status,
        title=f"{words} {preview.directory}?",
        lead=f"It has brought {preview.users} people and {preview.groups} groups.",
        effects=[WORDS[preview.step]],
        gains=preview.gains,
        losses=preview.loses,
        unclear=preview.unclear,
        problem=problem,
        words=words,
        hidden={"preview": preview.hash},
        back=back,
        safe=preview.step is Step.ACTIVATE,
        places=[("Directories", url("directories.list")), (preview.directory, back)],
    )
