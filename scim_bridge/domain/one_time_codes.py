"""One-time codes: which of the few that are good now was typed, and what recovery codes look like."""

import hmac
from collections.abc import Callable

STEP_SECONDS = 30
# A clock may be off by a step either way (RFC 6238 §5.2).
DRIFT = 1
RECOVERY_CODES = 10
RECOVERY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
RECOVERY_LENGTH = 12


def matching_step(code: str, seconds: float, generate: Callable[[int], str]) -> int | None:
    """Return the time step whose code was typed; None for a code that is not good now."""
    typed = "".join(code.split())
    now = int(seconds) // STEP_SECONDS
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(generate(step).encode(), typed.encode()):
            return step
    return None


def shown(code: str) -> str:
    """Return a recovery code as people read it."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def typed(text: str) -> str:
    """Return a recovery code as it is compared, however it was typed."""
    return "".join(letter for letter in text.lower() if letter.isalnum())
