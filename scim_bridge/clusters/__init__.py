"""What a cluster can do for us: the kubernetes client, and only here."""
