"""The scim-bridge command."""
