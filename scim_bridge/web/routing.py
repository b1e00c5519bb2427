"""Routes that are ready to be matched at once, and to be written as addresses when somebody first does."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


class LateRule(Rule):
    """
    A rule whose two builders of addresses are compiled at their first use.

    Werkzeug compiles them for each of our four hundred routes at the start: a quarter of a second of CPU time, which
    each verb at the installation's terminal would wait for.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Builder:
        make = super()._compile_builder
        name = "_build_unknown" if append_unknown else "_build"

        def build(rule: Rule, /, *args: Any, **values: Any) -> tuple[str, str]:
            ready = make(append_unknown).__get__(rule, None)
            setattr(rule, name, ready)
            return ready(*args, **values)  # type: ignore[no-any-return]

        return build
