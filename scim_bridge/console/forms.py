"""Forms: fields declared with WTForms, sent to a use case, and marked where that found something wrong."""

from collections.abc import Callable, Iterable
from typing import Any, Self, TypeVar

import wtforms
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from wtforms.fields.choices import SelectChoice

from scim_bridge.console.screens import Visit
from scim_bridge.errors import (
    Conflict,
    Invalid,
    NotFound,
    PreviewOutdated,
    Refused,
    SignInNotAccepted,
    Unavailable,
)
from scim_bridge.web.look import csrf_input

Result = TypeVar("Result")
NOT_OURS = (PreviewOutdated, SignInNotAccepted, Unavailable)


class Form(wtforms.Form):
    """A form of ours; ``problem`` is what is wrong with all of it, and no field's fault."""

    problem: str | None = None

    @classmethod
    def of(cls, visit: Visit, **values: Any) -> Self:
        """Return the form as it was sent, or with these values where nothing was."""
        sent = MultiDict([(name, text) for name, texts in visit.form.items() for text in texts])
        return cls(sent if visit.screen.method == "POST" else None, **values)

    def hidden_tag(self) -> Markup:
        """Return the fields that nobody sees."""
        return csrf_input()

    def is_valid(self) -> bool:
        """Say whether what was sent can be handed on."""
        return bool(self.validate())  # type: ignore[no-untyped-call]

    def text(self, name: str) -> str | None:
        """Return what a field holds, without spaces around it; None for nothing."""
        return (self[name].data or "").strip() or None

    def mark(self, error: Exception, names: dict[str, str] | None = None) -> None:
        """Mark the field that an error is about; ``names`` says which field the use case's own name is."""
        field = error.field if isinstance(error, Invalid) else None
        known = (names or {}).get(field or "", field)
        if known is not None and known in self._fields:
            self[known].errors = [*self[known].errors, str(error)]
        else:
            self.problem = str(error)


def choices(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """Return what a field lets people choose from: pairs of a value and its words."""
    return [SelectChoice(value, words) for value, words in pairs]


def submit(
    form: Form, work: Callable[[], Result], *, names: dict[str, str] | None = None, typed: bool = False
) -> Result | None:
    """
    Do what a form asks for, or return None with the form marked: show it again with 422.

    ``typed``: something that people typed names the thing, so that it is not there is the form's mistake.
    """
    if not form.is_valid():
        return None
    try:
        return work()
    except (Invalid, Conflict, Refused, NotFound) as error:
        if isinstance(error, NOT_OURS) or (isinstance(error, NotFound) and not typed):
            raise
        form.mark(error, names)
    return None
