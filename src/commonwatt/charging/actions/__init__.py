"""What charging does: one verb per file."""
