"""The verbs of stations, one file each."""
