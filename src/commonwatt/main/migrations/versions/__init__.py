"""The migrations: each a module for Alembic, the larger ones with their statements in a file beside."""
