"""SCIM Bridge: SCIM 2.0 in, Kubernetes RoleBindings out."""
