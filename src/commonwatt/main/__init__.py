"""The assembly: what is wired to what, who reacts to what, and the commands that start it."""
