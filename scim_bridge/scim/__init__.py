"""The door of the identity providers: SCIM 2.0 (RFC 7643, RFC 7644)."""
