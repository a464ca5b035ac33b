"""Stations on the wire: the listener, one link per connection, the hub that knows them all, one folder per dialect.

Reading order: `transport` (a socket, as the link sees it), `websocket` (the real one), `dialect` (a version of OCPP, as
the link sees it), `ports` (what the dialects ask of charging), `link` (one connection), `frames` (what is kept of it),
`allowance` (how much a stranger may say), `hub` (identity to link: the `StationLine` of the features), `admission` (who
may connect), `vestibule` (where a connection waits until its handshake is whole), `listener` (the WebSocket server).
"""
