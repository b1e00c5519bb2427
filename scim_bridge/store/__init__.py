"""Everything that is kept: SQLAlchemy Core, and only here. One module a noun."""
