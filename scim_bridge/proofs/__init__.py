"""Proofs that a domain is somebody's: what its owner has published in the DNS, or on its web server."""
