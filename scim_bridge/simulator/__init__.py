"""Plays Okta and Entra over HTTP, for the demo, the doctor and tests."""
