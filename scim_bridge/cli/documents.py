"""Read the files that people write: TOML, YAML or JSON, by their names' ends."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scim_bridge.errors import Invalid


def read_document(file: Path) -> dict[str, Any]:
    """Return a TOML, YAML or JSON file's tables; raises Invalid with one sentence for a file that cannot be read."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Invalid(f"The file {file} cannot be read: {reason}.") from None
    document = READERS.get(file.suffix, _toml)(file, text)
    if not isinstance(document, dict):
        raise Invalid(f"The file {file} must hold keys and values.")
    return document


def _toml(file: Path, text: str) -> Any:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Invalid(f"The file {file} is not TOML: {error}.") from None


def _yaml(file: Path, text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}" if mark is not None else ""
        raise Invalid(
            f"The file {file} is not YAML: {getattr(error, 'problem', 'it cannot be parsed')}{place}."
        ) from None
    except (ValueError, RecursionError) as error:
        # A day that no month has, or lists in lists without end.
        raise Invalid(f"The file {file} is not YAML: {error}.") from None


def _json(file: Path, text: str) -> Any:
    import orjson

    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The file {file} is not JSON: {error}.") from None


READERS: Mapping[str, Callable[[Path, str], Any]] = {".json": _json, ".yaml": _yaml, ".yml": _yaml}
"""By a name's end; all else is TOML."""
