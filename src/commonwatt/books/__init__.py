"""Books: double-entry accounts."""
