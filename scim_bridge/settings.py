"""
What an installation can be told: a TOML file under environment variables with the prefix SCIM_BRIDGE_.

Secrets may also be named by file: ``SCIM_BRIDGE_ENCRYPTION_KEYS_FILE=/run/secrets/keys``.
"""

import os
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "SCIM_BRIDGE_"
SECRET_SETTINGS = ("encryption_keys", "database_url", "metrics_token", "smtp_password")
# What the command line reads itself: which file of settings, and which other bridge it works on.
OF_THE_COMMAND = ("CONFIG", "URL", "TOKEN")


class SettingsError(ValueError):
    """A setting is missing, misspelt or impossible; the message names it."""


class Settings(BaseSettings):
    """Every setting of one process; `config/bridge.example.toml` says what each is for."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    home: Path = Path("var")
    database_url: SecretStr | None = None
    base_url: str = "http://127.0.0.1:8080"
    encryption_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    trusted_proxies: int = Field(default=0, ge=0, le=8)
    metrics_token: SecretStr | None = Field(default=None, min_length=16)
    tracing_endpoint: str = ""

    max_body_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    max_filter_characters: int = Field(default=4096, ge=64)
    max_patch_operations: int = Field(default=1000, ge=1)
    max_bulk_operations: int = Field(default=1000, ge=1)
    max_bulk_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    max_members: int = Field(default=50_000, ge=1)
    max_page_size: int = Field(default=1000, ge=1)
    default_page_size: int = Field(default=100, ge=1)
    cursor_seconds: int = Field(default=3600, ge=60)
    advertise_cursors: bool = False
    requests_per_second: float = Field(default=200, gt=0)
    requests_burst: int = Field(default=400, ge=1)
    refused_per_minute: int = Field(default=60, ge=1)

    log_days: int = Field(default=90, ge=1, le=3650)
    log_read_days: int = Field(default=7, ge=1, le=3650)
    log_body_bytes: int = Field(default=256 * 1024, ge=0)
    log_unknown_per_minute: int = Field(default=30, ge=1, le=6000)
    log_unknown_most: int = Field(default=10_000, ge=1)
    audit_days: int = Field(default=730, ge=30, le=36_500)

    engine: Literal["threads", "procrastinate"] = "threads"
    pass_interval_seconds: float = Field(default=300, gt=0)
    pass_jitter_seconds: float = Field(default=30, ge=0)
    poll_seconds: float = Field(default=0.2, gt=0, le=0.25)
    pass_workers: int = Field(default=8, ge=1, le=64)
    revocation_workers: int = Field(default=8, ge=1, le=64)
    cluster_writers: int = Field(default=8, ge=1, le=32)
    cluster_connect_seconds: float = Field(default=5, gt=0)
    cluster_read_seconds: float = Field(default=30, gt=0)
    lease_seconds: float = Field(default=30, gt=1)
    backoff_first_seconds: float = Field(default=1, gt=0)
    backoff_most_seconds: float = Field(default=600, gt=0)
    subjects_per_binding: int = Field(default=1000, ge=1, le=10_000)
    brake_subjects: int = Field(default=10, ge=1)
    brake_percent: float = Field(default=10, gt=0, le=100)
    approval_seconds: float = Field(default=3600, gt=0)
    revocation_objective_seconds: float = Field(default=60, gt=0)
    pass_budget_seconds: float = Field(default=120, gt=0)
    circuit_failures: int = Field(default=5, ge=1)
    requests_per_cluster_second: float = Field(default=200, gt=0)
    pass_days: int = Field(default=90, ge=1, le=3650)

    smtp_host: str = ""
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: SecretStr | None = None
    smtp_from: str = "SCIM Bridge <scim-bridge@localhost>"
    smtp_seconds: float = Field(default=10, gt=0, le=120)
    mail_give_up_hours: int = Field(default=72, ge=1, le=720)
    dns_servers: str = ""
    invitation_days: int = Field(default=7, ge=1, le=90)

    webhook_networks: str = ""
    webhook_seconds: float = Field(default=10, gt=0, le=60)
    webhook_attempts: int = Field(default=15, ge=1, le=100)
    webhook_disable_hours: int = Field(default=72, ge=1, le=8760)
    webhook_days: int = Field(default=30, ge=1, le=3650)
    syslog_url: str = ""

    @field_validator("encryption_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("base_url")
    @classmethod
    def _plain_base_url(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @field_validator("syslog_url")
    @classmethod
    def _known_syslog(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("udp", "tcp", "tls") or not parts.hostname or parts.port == 0):
            raise ValueError("must be udp://host:port, tcp://host:port or tls://host:port")
        return value

    @field_validator("webhook_networks")
    @classmethod
    def _readable_networks(cls, value: str) -> str:
        for each in value.replace(",", " ").split():
            ip_network(each)
        return value

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> Self:
        if self.smtp_user and self.smtp_security == "none":
            raise ValueError("smtp_user needs smtp_security starttls or tls: the password would be readable on the way")
        return self

    @model_validator(mode="after")
    def _workers_need_postgresql(self) -> Self:
        if self.engine == "procrastinate" and not self.resolved_database_url.startswith("postgres"):
            raise ValueError("engine procrastinate needs PostgreSQL; on SQLite the scheduler's own threads do the work")
        return self

    @property
    def resolved_database_url(self) -> str:
        """Return the database's URL: the one given, else SQLite in the home folder."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.home / 'bridge.sqlite3').absolute()}"

    @property
    def scim_base_url(self) -> str:
        """Return the address an identity provider is given."""
        return f"{self.base_url}/scim/v2"

    def served_at(self, address: str) -> "Settings":
        """Return the settings of a server that listens there: its own address is the public one if none was given."""
        return self if "base_url" in self.model_fields_set else self.model_copy(update={"base_url": address})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the environment over the file: `load_settings` hands the file in as init values."""
        return env_settings, init_settings


def load_settings(config: Path | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """
    Read the settings from the TOML file (if any) and the process's environment.

    Raises SettingsError with a sentence that names the setting.
    """
    named = environment.get(f"{PREFIX}CONFIG")
    file = config or (Path(named) if named else None)
    values = _read_file(file) if file else {}
    _refuse_unknown(environment)
    values |= _read_secret_files(environment)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsError(_sentence(error, file)) from None


def _read_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except OSError as error:
        raise SettingsError(f"The settings file {file} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"The settings file {file} is not TOML: {error}.") from None


def _read_secret_files(environment: Mapping[str, str]) -> dict[str, str]:
    values = {}
    for name in SECRET_SETTINGS:
        path = environment.get(f"{PREFIX}{name.upper()}_FILE")
        if path and f"{PREFIX}{name.upper()}" not in environment:
            try:
                # What is not text is refused with what else is no key and no URL.
                values[name] = Path(path).read_text(errors="replace").strip()
            except OSError as error:
                raise SettingsError(f"The secret file {path} cannot be read: {error.strerror}.") from None
    return values


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    known |= {f"{PREFIX}{name.upper()}_FILE" for name in SECRET_SETTINGS} | {
        f"{PREFIX}{name}" for name in OF_THE_COMMAND
    }
    # A misspelt variable that is silently ignored is a safety switch that is not on.
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            raise SettingsError(f"{name} is not a setting of the bridge.")


def _sentence(error: ValidationError, file: Path | None) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"]) or "settings"
    if first["type"] == "extra_forbidden":
        return f"{name} (in {file}) is not a setting of the bridge."
    origin = f" (environment or {file})" if file else " (environment)"
    return f"The setting {name}{origin} is wrong: {first['msg']}."
