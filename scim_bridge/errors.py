"""
Every error the bridge raises on purpose. Doors choose the status; the message is a sentence for a person.

    BridgeError
    ├── NotFound                  the thing named is not here (or not the caller's)
    ├── Conflict                  it exists already, or changed since it was read
    │   ├── NotUnique             a value that must be unique is taken (SCIM: uniqueness)
    │   ├── PreconditionFailed    If-Match named another version (RFC 7644 §3.14)
    │   └── PreviewOutdated       what somebody agreed to is not what would happen now
    ├── Refused                   understood, and not allowed
    │   ├── NotAuthenticated      no credential, or not one of ours
    │   ├── SignInNotAccepted     signed in, but not as this organization asks for
    │   └── Unavailable           not now; ``retry_after`` says when
    │       └── TooManyRequests   too much within a short time
    ├── Invalid                   the request makes no sense; ``field`` says where
    │   └── TooLarge              it is larger than a limit we state
    ├── StoreError                the database cannot be used
    ├── MailError                 a mail did not go out
    │   ├── MailUndelivered       no mail server took it: try again later
    │   └── MailRefused           it will never be taken
    ├── WebhookUndelivered        a webhook's receiver did not take what it was told
    ├── SyslogUndelivered         the syslog server did not take a line of the audit
    ├── SimulatorError            the simulated identity provider cannot go on
    │   └── RequestFailed         its request was answered with an error, or not at all
    └── ClusterError              what a cluster answered
        ├── ClusterUnreachable    no answer: its state is unknown, change nothing
        ├── ClusterThrottled      it said "later"; ``retry_after`` says when
        ├── ClusterDenied         it said "no": a person must fix the credentials or roles
        ├── ClusterRejected       it will never accept this object as it is
        ├── StaleBinding          it changed under us: observe again, then retry
        └── ForeignObject         the object is not ours; never touch it
"""

from collections.abc import Mapping
from typing import Any


class BridgeError(Exception):
    """The root of every error raised on purpose; ``str(error)`` is a sentence for a person."""


class NotFound(BridgeError):
    """The thing named is not here, or not the caller's."""


class Conflict(BridgeError):
    """It exists already, or changed since it was read."""


class NotUnique(Conflict):
    """A value that must be unique is taken."""


class PreconditionFailed(Conflict):
    """The caller's version is not the stored one (RFC 7644 §3.14)."""


class PreviewOutdated(Conflict):
    """What somebody agreed to is not what would happen now; ``preview`` is what would."""

    def __init__(self, message: str, preview: Any) -> None:
        super().__init__(message)
        self.preview = preview


class Refused(BridgeError):
    """The request was understood and is not allowed."""


class NotAuthenticated(Refused):
    """
    There is no credential, or it is not one of ours.

    ``reason`` is what is wrong with it: for the log, never for whoever asks.
    """

    def __init__(self, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason


class SignInNotAccepted(Refused):
    """Whoever asks is a member and signed in, but not in a way that the organization accepts."""


class Unavailable(Refused):
    """Not now: ``retry_after`` whole seconds from now it may work."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooManyRequests(Unavailable):
    """Too much was asked within a short time."""


class Invalid(BridgeError):
    """
    The request makes no sense; ``field`` names the place.

    ``scim_type`` is one of RFC 7644 §3.12 table 9 where the SCIM door should say more than invalidValue.
    """

    def __init__(self, message: str, field: str | None = None, scim_type: str | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.scim_type = scim_type


class TooLarge(Invalid):
    """The request is larger than a limit that the bridge states."""


class StoreError(BridgeError):
    """The database cannot be reached, is not migrated, or refuses to be written."""


class MailError(BridgeError):
    """A mail did not go out."""


class MailUndelivered(MailError):
    """The mail server is away, asks for patience or does not let us in; later it may take the mail."""


class MailRefused(MailError):
    """The mail server will never take this mail: there is no such recipient, or it does not like the text."""


class WebhookUndelivered(BridgeError):
    """A webhook's receiver gave no answer, or is at an address that the bridge does not call."""


class SyslogUndelivered(BridgeError):
    """The syslog server is away; what it missed is sent when it is back."""


class SimulatorError(BridgeError):
    """The simulated identity provider cannot go on."""


class RequestFailed(SimulatorError):
    """A simulated request was answered with an error, or not at all (``status`` is then None)."""

    def __init__(
        self, method: str, target: str, status: int | None, detail: str, document: Mapping[str, Any] | None = None
    ) -> None:
        answer = "got no answer" if status is None else f"was answered {status}"
        super().__init__(f"{method} {target} {answer}: {detail}")
        self.method = method
        self.target = target
        self.status = status
        self.detail = detail
        self.document = dict(document or {})


class ClusterError(BridgeError):
    """A cluster did not do what it was asked."""


class ClusterUnreachable(ClusterError):
    """No answer, or an answer cut short: the cluster's state is unknown."""


class ClusterThrottled(ClusterError):
    """The cluster asked for patience: ``retry_after`` seconds, if it named any."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ClusterDenied(ClusterError):
    """The cluster refused the credential or the right; retrying soon does not help."""


class ClusterRejected(ClusterError):
    """The cluster will never accept this object as it is (missing namespace, missing role, too large)."""


class StaleBinding(ClusterError):
    """The object changed since it was read; observe again, then retry."""


class ForeignObject(ClusterError):
    """An object of that name exists and is not ours."""
