"""Stations: charge points, connectors, and commands to them.

A station is known by its identity, the end of the address it connects to. It is admitted, waits for an operator, or is
rejected. Its connectors appear as they report. Everything it says is kept as frames.

Reading order: `store`, `events`, `actions/admit_stations`, `actions/note_presence`, `actions/note_status`,
`actions/record_frames`, `actions/prune_frames`, `queries`, `ports` (the line to the stations, which an adapter
provides).
"""

from commonwatt.stations.actions.administer import administer, note_command
from commonwatt.stations.actions.admit_stations import (
    ADMITTED,
    REJECTED,
    WAITING,
    add_station,
    admit_station,
    await_admission,
    reject_station,
    remove_password,
    remove_station,
    rename_station,
    set_password,
    set_waivers,
)
from commonwatt.stations.actions.note_presence import (
    Boot,
    Presence,
    forget_connections,
    note_boot,
    note_connected,
    note_disconnected,
    note_heartbeat,
    note_introduction,
)
from commonwatt.stations.actions.note_status import ConnectorStatus, ensure_connector, note_status, rename_connector
from commonwatt.stations.actions.prune_frames import FramePruner
from commonwatt.stations.actions.record_frames import FrameRow, flag_quirk, record_frames, tell_frames
from commonwatt.stations.actions.remember_configuration import Setting, remember_configuration
from commonwatt.stations.address import heard_here_only, open_for_trial, stations_address
from commonwatt.stations.asking import COMMANDS, TRIGGERS
from commonwatt.stations.command import command_station
from commonwatt.stations.errors import StationTaken
from commonwatt.stations.hiding import hide_secrets_in, mask_id_tags
from commonwatt.stations.identity import check_identity
from commonwatt.stations.ports import AnswerInvalid
from commonwatt.stations.queries import (
    ConnectorView,
    FrameView,
    QuirkView,
    SettingView,
    StationView,
    check_place,
    connector_at,
    count_stations,
    find_connector,
    find_station,
    list_configuration,
    list_connectors,
    list_frames,
    list_quirks,
    list_stations,
    offered_hash_of,
    secret_hash_of,
    station_names,
    station_of,
)
from commonwatt.stations.secrets import hash_secret, secret_matches, spellings
from commonwatt.stations.waivers import NO_SUBPROTOCOL, SLOW_START, WAIVERS, WH_MEANS_KWH

__all__ = [
    "ADMITTED",
    "COMMANDS",
    "NO_SUBPROTOCOL",
    "REJECTED",
    "SLOW_START",
    "TRIGGERS",
    "WAITING",
    "WAIVERS",
    "WH_MEANS_KWH",
    "AnswerInvalid",
    "Boot",
    "ConnectorStatus",
    "ConnectorView",
    "FramePruner",
    "FrameRow",
    "FrameView",
    "Presence",
    "QuirkView",
    "Setting",
    "SettingView",
    "StationTaken",
    "StationView",
    "add_station",
    "administer",
    "admit_station",
    "await_admission",
    "check_identity",
    "check_place",
    "command_station",
    "connector_at",
    "count_stations",
    "ensure_connector",
    "find_connector",
    "find_station",
    "flag_quirk",
    "forget_connections",
    "hash_secret",
    "heard_here_only",
    "hide_secrets_in",
    "list_configuration",
    "list_connectors",
    "list_frames",
    "list_quirks",
    "list_stations",
    "mask_id_tags",
    "note_boot",
    "note_command",
    "note_connected",
    "note_disconnected",
    "note_heartbeat",
    "note_introduction",
    "note_status",
    "offered_hash_of",
    "open_for_trial",
    "record_frames",
    "reject_station",
    "remember_configuration",
    "remove_password",
    "remove_station",
    "rename_connector",
    "rename_station",
    "secret_hash_of",
    "secret_matches",
    "set_password",
    "set_waivers",
    "spellings",
    "station_names",
    "station_of",
    "stations_address",
    "tell_frames",
]
