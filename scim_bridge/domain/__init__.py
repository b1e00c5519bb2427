"""The rules, as pure functions on frozen dataclasses; nothing here imports a library or touches the world."""
