"""`scim-bridge demo`: a company, two identity providers and three clusters, and what the bridge makes of them."""
