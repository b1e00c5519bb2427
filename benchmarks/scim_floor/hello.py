"""The other yardstick: Flask under the same gunicorn, saying hello in JSON."""

from flask import Flask

app = Flask(__name__, static_folder=None)


@app.get("/scim/v2/Users/<user_id>")
def hello(user_id: str) -> dict[str, str]:
    """Answer without looking anything up."""
    return {"hello": user_id}
