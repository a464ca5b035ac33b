"""What others define, one folder per family and technology; each translates to a port of a feature."""
