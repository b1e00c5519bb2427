"""Fields that WTForms has not: boxes to tick, several texts in one, and what there is to choose from."""

import re
from collections.abc import Iterable

import wtforms
from wtforms.widgets import CheckboxInput, ListWidget

from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.identity import roles
from scim_bridge.identity.runtime import Database

SEPARATORS = re.compile(r"[\n,;]+")
NOTHING = ("", "None")
Choices = list[tuple[str, str]]


class ChecksField(wtforms.SelectMultipleField):
    """Boxes to tick, any number of them; `forms.html` draws them."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, form: wtforms.Form) -> None:
        """Leave to the use case what is no choice: it says so in its own words."""


class SuggestField(wtforms.StringField):
    """A text with suggestions to choose from, which browsers show without a script."""

    suggestions: tuple[str, ...] = ()


def several(text: str | None) -> list[str]:
    """Return the texts that stand on lines of their own, or behind commas or semicolons."""
    return [each.strip() for each in SEPARATORS.split(text or "") if each.strip()]


def api_roles(database: Database, organization: str) -> Choices:
    """Return the API roles to choose from, and none of them."""
    return [NOTHING, *((each.name, each.name) for each in roles.list_all(database, organization))]


def kubernetes_roles() -> Choices:
    """Return the Kubernetes roles to choose from, and none of them."""
    return [NOTHING, *words(KubernetesRole)]


def words(values: Iterable[str]) -> Choices:
    """Return words as choices."""
    return [(str(each), str(each)) for each in values]
