CREATE INDEX ix_session_station ON session (station, id);
CREATE INDEX ix_session_station_began ON session (station, began_ms);
CREATE INDEX ix_session_rate ON session (rate_id) WHERE rate_id is not null;
DROP INDEX ix_session_owed;
CREATE INDEX ix_session_owed ON session (id, owed_msat) WHERE owed_msat > 0;
