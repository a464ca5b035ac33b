"""What stations say: one file per message of OCPP 1.6, each named after it."""
