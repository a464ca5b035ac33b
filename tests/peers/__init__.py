"""Third-party programs that the tests meet: real Lightning nodes, and OCPP and LNURL clients written by others."""
