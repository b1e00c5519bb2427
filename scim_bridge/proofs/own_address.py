"""Ask the public address whether it is the bridge that answers there."""

import orjson
import urllib3

SECONDS = 5.0
LARGEST = 4096
ALIVE = {"status": "ok"}


def ask(base_url: str) -> str | None:
    """Return why the address does not lead to a bridge, None when it does."""
    with urllib3.PoolManager(timeout=SECONDS, retries=False) as pool:
        try:
            answer = pool.request("GET", f"{base_url}/healthz", redirect=False, preload_content=False)
            text = answer.read(LARGEST, decode_content=True)
            answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return f"nothing answers there ({type(error).__name__})"
    if answer.status != 200 or not _says_so(text):
        return f"what answers there is not the bridge (status {answer.status} at /healthz)"
    return None


def _says_so(text: bytes) -> bool:
    try:
        return bool(orjson.loads(text) == ALIVE)
    except orjson.JSONDecodeError:
        return False
