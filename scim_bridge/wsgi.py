"""What gunicorn loads: `gunicorn -c config/gunicorn.conf.py scim_bridge.wsgi:app`."""

from scim_bridge.app import create_app, require_safe_start
from scim_bridge.settings import load_settings

settings = load_settings()
require_safe_start(settings)
app = create_app(settings)
