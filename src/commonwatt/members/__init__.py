"""Members: people, roles, sign-in."""
