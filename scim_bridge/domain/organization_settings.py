"""What an organization says about itself: a small document of known keys."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from scim_bridge.errors import Invalid

MAX_TEXT = 255


@dataclass(frozen=True, slots=True)
class OrganizationSettings:
    """
    An organization's settings; None is "not said".

    ``contact`` is whom members ask, an address or a few words; ``description`` says what the organization is for.
    """

    contact: str | None = None
    description: str | None = None

    @property
    def text(self) -> str:
        """Return the document as it is stored."""
        return json.dumps({key: value for key, value in asdict(self).items() if value is not None}, sort_keys=True)

    def with_values(self, values: Mapping[str, object]) -> "OrganizationSettings":
        """Return settings in which these keys have other values; None and "" take one away. Raises Invalid."""
        for key, value in values.items():
            if key not in SETTINGS:
                raise Invalid(f"There is no setting {key!r}; there are {', '.join(SETTINGS)}.", field=key)
            if value is not None and not _is_text(value):
                raise Invalid(f"{key} is one line of at most {MAX_TEXT} characters.", field=key)
        return replace(self, **{key: value or None for key, value in values.items()})  # type: ignore[arg-type]


SETTINGS = tuple(OrganizationSettings.__dataclass_fields__)


def read_settings(text: str) -> OrganizationSettings:
    """Return what `OrganizationSettings.text` wrote; keys of a later release are left alone."""
    stored = json.loads(text)
    return OrganizationSettings(**{key: value for key, value in stored.items() if key in SETTINGS})


def checked_display_name(name: str) -> str:
    """Return what people call an organization, or raise Invalid."""
    if not _is_text(name) or not name.strip():
        raise Invalid(f"A display name is one line of at most {MAX_TEXT} characters.", field="name")
    return name.strip()


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT and (value == "" or value.isprintable())
