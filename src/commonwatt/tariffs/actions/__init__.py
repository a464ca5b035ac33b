"""What can be done to tariffs: one verb per file. Nothing here ever changes a version that exists."""
