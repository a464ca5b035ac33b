"""What we ask of stations: one file per message of OCPP 1.6; each returns the action and its payload."""
