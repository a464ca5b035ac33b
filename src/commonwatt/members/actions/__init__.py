"""What people do about people: one verb per file."""
