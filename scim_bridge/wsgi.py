"""What gunicorn loads: `gunicorn -c config/gunicorn.conf.py scim_bridge.wsgi:app`."""

from scim_bridge.app import create_app
from scim_bridge.settings import load_settings

app = create_app(load_settings())
