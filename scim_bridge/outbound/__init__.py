"""What goes out over HTTP and syslog: signing, and the only places that talk to receivers."""
