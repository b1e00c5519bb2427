"""Use cases about people, directories, organizations, rules and grants."""
