"""Mail: what it says, and the one place that talks to a mail server."""
