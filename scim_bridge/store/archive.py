"""The file of a back-up: a compressed tar of one file of JSON lines a table, and a manifest with their digests."""

import hashlib
import os
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from scim_bridge.errors import Invalid, Refused

FORMAT = 1
MANIFEST = "manifest.json"
COMPRESSION = 6
_LARGEST_MANIFEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TableFile:
    """One table in the file; ``sha256`` is of its lines."""

    name: str
    columns: tuple[str, ...]
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a back-up is of; ``keys`` are fingerprints of the encryption keys, the sealing one first."""

    format: int
    version: str
    revision: str
    instance: str
    database: str
    made_at: str
    keys: tuple[str, ...]
    tables: tuple[TableFile, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A back-up that is being written: tables are put into a folder, and become one file when all are there."""

    folder: Path

    def put(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> TableFile:
        """Write a table's rows."""
        digest, count = hashlib.sha256(), 0
        with (self.folder / _member(name)).open("wb") as stream:
            for row in rows:
                line = orjson.dumps(row) + b"\n"
                digest.update(line)
                stream.write(line)
                count += 1
        return TableFile(name, tuple(columns), count, digest.hexdigest())

    def finish(self, file: Path, manifest: Manifest) -> None:
        """Make the file, readable by its owner only; it is there whole or not at all."""
        (self.folder / MANIFEST).write_bytes(orjson.dumps(asdict(manifest), option=orjson.OPT_INDENT_2))
        made = self.folder / "whole"
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=COMPRESSION) as tar:
                for name in (MANIFEST, *(_member(each.name) for each in manifest.tables)):
                    tar.add(self.folder / name, arcname=name, recursive=False)
            stream.flush()
            os.fsync(stream.fileno())
        # A link, unlike a renaming, never takes the place of a back-up that is there.
        os.link(made, file)


@contextmanager
def draft(file: Path) -> Iterator[Draft]:
    """Begin a back-up beside where it will lie; raises Refused where something lies there, or nothing can."""
    if file.exists():
        raise Refused(f"{file} is there already: a back-up never overwrites another.")
    try:
        with TemporaryDirectory(dir=file.absolute().parent, prefix=".scim-bridge-backup-") as folder:
            yield Draft(Path(folder))
    except OSError as error:
        raise Refused(f"The back-up {file} cannot be written: {error.strerror or error}.") from error


class Archive:
    """A back-up that is being read; nothing in it is believed before its digest was compared."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.manifest = _manifest(self._read(MANIFEST, _LARGEST_MANIFEST))

    def verify(self) -> None:
        """Raise Invalid unless every table is as it was written."""
        for table in self.manifest.tables:
            digest, count = hashlib.sha256(), 0
            for line in self._lines(table.name):
                digest.update(line)
                count += 1
            if (digest.hexdigest(), count) != (table.sha256, table.rows):
                raise Invalid(f"The back-up is damaged: {table.name} is not what was written.")

    def rows(self, name: str) -> Iterator[list[Any]]:
        """Yield a table's rows."""
        for line in self._lines(name):
            yield orjson.loads(line)

    def _lines(self, name: str) -> Iterator[bytes]:
        stream = self._tar.extractfile(self._tar.getmember(_member(name)))
        if stream is None:
            raise Invalid(f"The back-up is damaged: {name} is no file.")
        with stream:
            yield from stream

    def _read(self, name: str, most: int) -> bytes:
        stream = self._tar.extractfile(self._tar.getmember(name))
        return b"" if stream is None else stream.read(most)


@contextmanager
def opened(file: Path) -> Iterator[Archive]:
    """Open a back-up; raises Invalid for a file that is none, or is damaged."""
    try:
        with tarfile.open(file, mode="r:gz") as tar:
            yield Archive(tar)
    except OSError as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise Invalid(f"The back-up {file} cannot be read: {error.strerror}.") from error
        raise Invalid(f"The back-up {file} is damaged: {error}.") from error
    except (tarfile.TarError, EOFError, KeyError, orjson.JSONDecodeError) as error:
        raise Invalid(f"{file} is no back-up, or it is damaged.") from error


def _member(name: str) -> str:
    return f"{name}.jsonl"


def _manifest(text: bytes) -> Manifest:
    found = orjson.loads(text)
    if not isinstance(found, Mapping) or found.get("format") != FORMAT:
        raise Invalid("The back-up has a form that this release does not read.")
    try:
        tables = tuple(TableFile(**{**each, "columns": tuple(each["columns"])}) for each in found["tables"])
        return Manifest(**{**found, "keys": tuple(found["keys"]), "tables": tables})
    except (TypeError, KeyError) as error:
        raise Invalid("The back-up's manifest is damaged.") from error
