"""The door for programs and people at a terminal: REST under `/api/v1`, described by its own OpenAPI document."""
