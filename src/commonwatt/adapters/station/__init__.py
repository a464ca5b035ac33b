"""Stations on the wire: the listener, one link per connection, the hub that knows them all, one folder per dialect.

Reading order: `transport` (a socket, as the link sees it), `dialect` (a version of OCPP, as the link sees it), `link`
(one connection), `frames` (what is kept of it), `allowance` (how much a stranger may say), `hub` (identity to link: the
`StationLine` of the features), `admission` (who may connect), `listener` (the WebSocket server).
"""
