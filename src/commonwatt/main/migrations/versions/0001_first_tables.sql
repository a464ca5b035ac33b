CREATE TABLE outbox (
    id INTEGER NOT NULL,
    kind VARCHAR(80) NOT NULL,
    payload TEXT NOT NULL,
    "key" VARCHAR(200),
    state VARCHAR(10) DEFAULT 'waiting' NOT NULL,
    made_ms BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    error TEXT,
    ended_ms BIGINT,
    CONSTRAINT pk_outbox PRIMARY KEY (id)
);

CREATE UNIQUE INDEX uq_outbox_key ON outbox ("key") WHERE state = 'waiting' and key is not null;

CREATE INDEX ix_outbox_due ON outbox (due_ms) WHERE state in ('waiting', 'running');

CREATE INDEX ix_outbox_state ON outbox (state, id);

CREATE TABLE books_account (
    id INTEGER NOT NULL,
    name VARCHAR(160) NOT NULL,
    asset VARCHAR(3) NOT NULL,
    kind VARCHAR(20) NOT NULL,
    balance_units BIGINT DEFAULT 0 NOT NULL,
    held_units BIGINT DEFAULT 0 NOT NULL,
    CONSTRAINT pk_books_account PRIMARY KEY (id)
);

CREATE UNIQUE INDEX uq_books_account_name ON books_account (name, asset);

CREATE TABLE books_write (
    number INTEGER NOT NULL,
    "key" VARCHAR(200) NOT NULL,
    kind VARCHAR(10) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    at_ms BIGINT NOT NULL,
    memo TEXT NOT NULL,
    reference VARCHAR(200) NOT NULL,
    hold_id VARCHAR(36),
    CONSTRAINT pk_books_write PRIMARY KEY (number),
    CONSTRAINT uq_books_write_key UNIQUE ("key")
);

CREATE INDEX ix_books_write_reference ON books_write (reference);

CREATE INDEX ix_books_write_at ON books_write (at_ms);

CREATE TABLE reading (
    id INTEGER NOT NULL,
    transaction_id INTEGER,
    station VARCHAR(64) NOT NULL,
    connector INTEGER NOT NULL,
    at_ms BIGINT NOT NULL,
    context VARCHAR(24) NOT NULL,
    energy_wh BIGINT,
    register_wh BIGINT,
    power_w INTEGER,
    current_ma INTEGER,
    voltage_mv INTEGER,
    soc_percent INTEGER,
    CONSTRAINT pk_reading PRIMARY KEY (id)
);

CREATE INDEX ix_reading_transaction ON reading (transaction_id, at_ms);

CREATE INDEX ix_reading_station ON reading (station, connector, at_ms);

CREATE TABLE idempotency_answer (
    "key" VARCHAR(300) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    answer TEXT NOT NULL,
    made_ms BIGINT NOT NULL,
    CONSTRAINT pk_idempotency_answer PRIMARY KEY ("key")
);

CREATE INDEX ix_idempotency_answer_made_ms ON idempotency_answer (made_ms);

CREATE TABLE member (
    id VARCHAR(36) NOT NULL,
    name VARCHAR(80) NOT NULL,
    role VARCHAR(10) NOT NULL,
    handle BLOB NOT NULL,
    made_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    CONSTRAINT pk_member PRIMARY KEY (id),
    CONSTRAINT uq_member_handle UNIQUE (handle)
);

CREATE TABLE api_token (
    id VARCHAR(36) NOT NULL,
    hash VARCHAR(64) NOT NULL,
    name VARCHAR(80) NOT NULL,
    scopes TEXT NOT NULL,
    made_by VARCHAR(60) NOT NULL,
    made_ms BIGINT NOT NULL,
    expires_ms BIGINT,
    used_ms BIGINT,
    ended_ms BIGINT,
    CONSTRAINT pk_api_token PRIMARY KEY (id),
    CONSTRAINT uq_api_token_hash UNIQUE (hash)
);

CREATE TABLE ceremony (
    hash VARCHAR(64) NOT NULL,
    kind VARCHAR(10) NOT NULL,
    challenge BLOB NOT NULL,
    handle BLOB,
    subject VARCHAR(36),
    name VARCHAR(80),
    expires_ms BIGINT NOT NULL,
    CONSTRAINT pk_ceremony PRIMARY KEY (hash)
);

CREATE TABLE audit (
    id INTEGER NOT NULL,
    at_ms BIGINT NOT NULL,
    actor VARCHAR(60) NOT NULL,
    actor_name VARCHAR(80) NOT NULL,
    address VARCHAR(60) NOT NULL,
    act VARCHAR(60) NOT NULL,
    subject VARCHAR(120) NOT NULL,
    detail TEXT NOT NULL,
    CONSTRAINT pk_audit PRIMARY KEY (id)
);

CREATE INDEX ix_audit_subject ON audit (subject, id);

CREATE INDEX ix_audit_actor ON audit (actor, id);

CREATE TABLE tariff (
    id VARCHAR(36) NOT NULL,
    name VARCHAR(100) NOT NULL,
    made_ms BIGINT NOT NULL,
    retired_ms BIGINT,
    CONSTRAINT pk_tariff PRIMARY KEY (id)
);

CREATE TABLE tariff_version (
    id VARCHAR(36) NOT NULL,
    tariff_id VARCHAR(36) NOT NULL,
    number INTEGER NOT NULL,
    valid_from_ms BIGINT NOT NULL,
    valid_to_ms BIGINT,
    document TEXT NOT NULL,
    made_ms BIGINT NOT NULL,
    made_by VARCHAR(100) NOT NULL,
    CONSTRAINT pk_tariff_version PRIMARY KEY (id)
);

CREATE UNIQUE INDEX uq_tariff_version_number ON tariff_version (tariff_id, number);

CREATE TABLE tariff_assignment (
    id VARCHAR(36) NOT NULL,
    station VARCHAR(64) NOT NULL,
    connector INTEGER NOT NULL,
    tariff_id VARCHAR(36),
    from_ms BIGINT NOT NULL,
    made_ms BIGINT NOT NULL,
    made_by VARCHAR(100) NOT NULL,
    CONSTRAINT pk_tariff_assignment PRIMARY KEY (id)
);

CREATE INDEX ix_tariff_assignment_place ON tariff_assignment (station, connector, from_ms);

CREATE TABLE rate (
    id VARCHAR(36) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    micro_per_btc BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    made_ms BIGINT NOT NULL,
    sources TEXT NOT NULL,
    CONSTRAINT pk_rate PRIMARY KEY (id)
);

CREATE INDEX ix_rate_currency ON rate (currency, made_ms);

CREATE TABLE session (
    id VARCHAR(36) NOT NULL,
    secret VARCHAR(43) NOT NULL,
    kind VARCHAR(8) NOT NULL,
    station VARCHAR(64) NOT NULL,
    connector INTEGER NOT NULL,
    id_tag VARCHAR(20) NOT NULL,
    transaction_id INTEGER,
    tariff_version VARCHAR(36) NOT NULL,
    rate_id VARCHAR(36),
    asset VARCHAR(8) NOT NULL,
    status VARCHAR(10) NOT NULL,
    holder VARCHAR(36),
    address VARCHAR(200),
    made_ms BIGINT NOT NULL,
    began_ms BIGINT,
    ended_ms BIGINT,
    heard_ms BIGINT NOT NULL,
    deadline_ms BIGINT,
    energy_wh BIGINT NOT NULL,
    power_w INTEGER NOT NULL,
    gross_units BIGINT NOT NULL,
    paid_msat BIGINT NOT NULL,
    held_msat BIGINT NOT NULL,
    cost_msat BIGINT NOT NULL,
    billed_msat BIGINT NOT NULL,
    returned_msat BIGINT NOT NULL,
    owed_msat BIGINT NOT NULL,
    reason TEXT NOT NULL,
    flags TEXT NOT NULL,
    progress TEXT NOT NULL,
    CONSTRAINT pk_session PRIMARY KEY (id),
    CONSTRAINT uq_session_secret UNIQUE (secret),
    CONSTRAINT uq_session_transaction_id UNIQUE (transaction_id)
);

CREATE INDEX ix_session_deadline ON session (deadline_ms) WHERE deadline_ms is not null;

CREATE INDEX ix_session_owed ON session (owed_msat) WHERE owed_msat > 0;

CREATE INDEX ix_session_status ON session (status, id);

CREATE INDEX ix_session_place ON session (station, connector, status);

CREATE INDEX ix_session_tag ON session (id_tag);

CREATE TABLE station_transaction (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    session_id VARCHAR(36),
    station VARCHAR(64) NOT NULL,
    connector INTEGER NOT NULL,
    id_tag VARCHAR(20) NOT NULL,
    authorisation VARCHAR(16) NOT NULL,
    meter_start_wh BIGINT NOT NULL,
    started_ms BIGINT NOT NULL,
    received_ms BIGINT NOT NULL,
    meter_stop_wh BIGINT,
    stopped_ms BIGINT,
    stop_received_ms BIGINT,
    stop_reason VARCHAR(24),
    CONSTRAINT uq_station_transaction_station_connector_started_ms_meter_start_wh_id_tag UNIQUE (station, connector, started_ms, meter_start_wh, id_tag)
);

CREATE INDEX ix_station_transaction_place ON station_transaction (station, connector, id);

CREATE TABLE deposit (
    payment_hash VARCHAR(64) NOT NULL,
    session_id VARCHAR(36) NOT NULL,
    state VARCHAR(8) NOT NULL,
    amount_msat BIGINT NOT NULL,
    held_msat BIGINT NOT NULL,
    paid_msat BIGINT NOT NULL,
    made_ms BIGINT NOT NULL,
    CONSTRAINT pk_deposit PRIMARY KEY (payment_hash)
);

CREATE INDEX ix_deposit_session ON deposit (session_id);

CREATE TABLE change_claim (
    session_id VARCHAR(36) NOT NULL,
    number INTEGER NOT NULL,
    state VARCHAR(8) NOT NULL,
    payment_hash VARCHAR(64) NOT NULL,
    bolt11 TEXT NOT NULL,
    amount_msat BIGINT NOT NULL,
    made_ms BIGINT NOT NULL,
    reason TEXT,
    CONSTRAINT pk_change_claim PRIMARY KEY (session_id, number)
);

CREATE TABLE local_tag (
    id_tag VARCHAR(20) NOT NULL,
    holder VARCHAR(80) NOT NULL,
    state VARCHAR(10) NOT NULL,
    made_ms BIGINT NOT NULL,
    CONSTRAINT pk_local_tag PRIMARY KEY (id_tag)
);

CREATE TABLE payments_invoices (
    payment_hash VARCHAR(64) NOT NULL,
    preimage BLOB NOT NULL,
    subject VARCHAR(200) NOT NULL,
    account VARCHAR(200) NOT NULL,
    rail VARCHAR(40) NOT NULL,
    amount_msat BIGINT NOT NULL,
    paid_msat BIGINT DEFAULT 0 NOT NULL,
    state VARCHAR(10) NOT NULL,
    wish VARCHAR(10),
    hold BOOLEAN NOT NULL,
    description TEXT NOT NULL,
    metadata TEXT,
    comment TEXT,
    bolt11 TEXT DEFAULT '' NOT NULL,
    made_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    accepted_ms BIGINT,
    ended_ms BIGINT,
    next_check_ms BIGINT NOT NULL,
    checks INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_payments_invoices PRIMARY KEY (payment_hash)
);

CREATE INDEX ix_payments_invoices_subject ON payments_invoices (subject);

CREATE INDEX ix_payments_invoices_check ON payments_invoices (next_check_ms) WHERE ended_ms is null;

CREATE INDEX ix_payments_invoices_made ON payments_invoices (made_ms, payment_hash);

CREATE TABLE payments_payouts (
    id VARCHAR(36) NOT NULL,
    "key" VARCHAR(200) NOT NULL,
    hold_id VARCHAR(36) NOT NULL,
    payment_hash VARCHAR(64) NOT NULL,
    bolt11 TEXT NOT NULL,
    subject VARCHAR(200) NOT NULL,
    account VARCHAR(200) NOT NULL,
    rail VARCHAR(40) NOT NULL,
    amount_msat BIGINT NOT NULL,
    fee_limit_msat BIGINT NOT NULL,
    fee_msat BIGINT DEFAULT 0 NOT NULL,
    state VARCHAR(10) NOT NULL,
    tried BOOLEAN DEFAULT 0 NOT NULL,
    preimage BLOB,
    reason TEXT,
    made_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    CONSTRAINT pk_payments_payouts PRIMARY KEY (id),
    CONSTRAINT uq_payments_payouts_key UNIQUE ("key")
);

CREATE INDEX ix_payments_payouts_made ON payments_payouts (made_ms, id);

CREATE INDEX ix_payments_payouts_subject ON payments_payouts (subject);

CREATE INDEX ix_payments_payouts_open ON payments_payouts (made_ms) WHERE ended_ms is null;

CREATE UNIQUE INDEX uq_payments_payouts_hash ON payments_payouts (payment_hash) WHERE state != 'failed';

CREATE TABLE station (
    identity VARCHAR(48) NOT NULL,
    name VARCHAR(120) NOT NULL,
    state VARCHAR(10) NOT NULL,
    secret_hash VARCHAR(200),
    waivers VARCHAR(200) DEFAULT '' NOT NULL,
    vendor VARCHAR(120),
    model VARCHAR(120),
    serial VARCHAR(60),
    firmware VARCHAR(120),
    status VARCHAR(20),
    error_code VARCHAR(40),
    address VARCHAR(80),
    protocol VARCHAR(20),
    made_ms BIGINT NOT NULL,
    admitted_ms BIGINT,
    boot_ms BIGINT,
    seen_ms BIGINT,
    connected_ms BIGINT,
    disconnected_ms BIGINT,
    drift_ms BIGINT,
    ping_ms BIGINT,
    CONSTRAINT pk_station PRIMARY KEY (identity)
);

CREATE TABLE frame (
    id INTEGER NOT NULL,
    station VARCHAR(48) NOT NULL,
    at_ms BIGINT NOT NULL,
    direction VARCHAR(3) NOT NULL,
    kind VARCHAR(10) NOT NULL,
    action VARCHAR(60) NOT NULL,
    message_id VARCHAR(255) NOT NULL,
    text TEXT NOT NULL,
    CONSTRAINT pk_frame PRIMARY KEY (id)
);

CREATE INDEX ix_frame_station ON frame (station, id);

CREATE TABLE books_entry (
    number INTEGER NOT NULL,
    line INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    at_ms BIGINT NOT NULL,
    units BIGINT NOT NULL,
    CONSTRAINT pk_books_entry PRIMARY KEY (number, line),
    CONSTRAINT fk_books_entry_number_books_write FOREIGN KEY(number) REFERENCES books_write (number),
    CONSTRAINT fk_books_entry_account_id_books_account FOREIGN KEY(account_id) REFERENCES books_account (id)
)
 WITHOUT ROWID;

CREATE INDEX ix_books_entry_account ON books_entry (account_id, at_ms, units);

CREATE TABLE books_hold (
    id VARCHAR(36) NOT NULL,
    number INTEGER NOT NULL,
    source_id INTEGER NOT NULL,
    target VARCHAR(160) NOT NULL,
    units BIGINT NOT NULL,
    state VARCHAR(10) NOT NULL,
    captured_units BIGINT,
    ended_ms BIGINT,
    CONSTRAINT pk_books_hold PRIMARY KEY (id),
    CONSTRAINT fk_books_hold_number_books_write FOREIGN KEY(number) REFERENCES books_write (number),
    CONSTRAINT fk_books_hold_source_id_books_account FOREIGN KEY(source_id) REFERENCES books_account (id)
);

CREATE INDEX ix_books_hold_open ON books_hold (source_id) WHERE state = 'held';

CREATE TABLE passkey (
    id VARCHAR(36) NOT NULL,
    credential BLOB NOT NULL,
    member_id VARCHAR(36) NOT NULL,
    public_key BLOB NOT NULL,
    sign_count BIGINT NOT NULL,
    name VARCHAR(80) NOT NULL,
    backed_up INTEGER DEFAULT 0 NOT NULL,
    made_ms BIGINT NOT NULL,
    used_ms BIGINT,
    CONSTRAINT pk_passkey PRIMARY KEY (id),
    CONSTRAINT uq_passkey_credential UNIQUE (credential),
    CONSTRAINT fk_passkey_member_id_member FOREIGN KEY(member_id) REFERENCES member (id)
);

CREATE INDEX ix_passkey_member_id ON passkey (member_id);

CREATE TABLE recovery_code (
    hash VARCHAR(64) NOT NULL,
    member_id VARCHAR(36) NOT NULL,
    made_ms BIGINT NOT NULL,
    used_ms BIGINT,
    CONSTRAINT pk_recovery_code PRIMARY KEY (hash),
    CONSTRAINT fk_recovery_code_member_id_member FOREIGN KEY(member_id) REFERENCES member (id)
);

CREATE INDEX ix_recovery_code_member_id ON recovery_code (member_id);

CREATE TABLE invitation (
    id VARCHAR(36) NOT NULL,
    hash VARCHAR(64) NOT NULL,
    kind VARCHAR(10) NOT NULL,
    name VARCHAR(80) NOT NULL,
    role VARCHAR(10) NOT NULL,
    made_by VARCHAR(60) NOT NULL,
    made_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    member_id VARCHAR(36),
    CONSTRAINT pk_invitation PRIMARY KEY (id),
    CONSTRAINT uq_invitation_hash UNIQUE (hash),
    CONSTRAINT fk_invitation_member_id_member FOREIGN KEY(member_id) REFERENCES member (id)
);

CREATE TABLE web_session (
    id VARCHAR(36) NOT NULL,
    hash VARCHAR(64) NOT NULL,
    member_id VARCHAR(36) NOT NULL,
    made_ms BIGINT NOT NULL,
    seen_ms BIGINT NOT NULL,
    proved_ms BIGINT NOT NULL,
    browser VARCHAR(200) NOT NULL,
    address VARCHAR(60) NOT NULL,
    ended_ms BIGINT,
    CONSTRAINT pk_web_session PRIMARY KEY (id),
    CONSTRAINT uq_web_session_hash UNIQUE (hash),
    CONSTRAINT fk_web_session_member_id_member FOREIGN KEY(member_id) REFERENCES member (id)
);

CREATE INDEX ix_web_session_member_id ON web_session (member_id);

CREATE TABLE connector (
    station VARCHAR(48) NOT NULL,
    number INTEGER NOT NULL,
    name VARCHAR(64) NOT NULL,
    label VARCHAR(120) DEFAULT '' NOT NULL,
    status VARCHAR(20) NOT NULL,
    error_code VARCHAR(40) NOT NULL,
    info VARCHAR(120) DEFAULT '' NOT NULL,
    vendor_error VARCHAR(60) DEFAULT '' NOT NULL,
    since_ms BIGINT NOT NULL,
    reported_ms BIGINT,
    CONSTRAINT pk_connector PRIMARY KEY (station, number),
    CONSTRAINT fk_connector_station_station FOREIGN KEY(station) REFERENCES station (identity) ON DELETE CASCADE,
    CONSTRAINT uq_connector_name UNIQUE (name)
);

CREATE TABLE quirk (
    station VARCHAR(48) NOT NULL,
    slug VARCHAR(60) NOT NULL,
    detail VARCHAR(250) NOT NULL,
    count INTEGER DEFAULT 0 NOT NULL,
    first_ms BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    CONSTRAINT pk_quirk PRIMARY KEY (station, slug),
    CONSTRAINT fk_quirk_station_station FOREIGN KEY(station) REFERENCES station (identity) ON DELETE CASCADE
);

CREATE TABLE configuration (
    station VARCHAR(48) NOT NULL,
    "key" VARCHAR(60) NOT NULL,
    value TEXT,
    readonly BOOLEAN NOT NULL,
    read_ms BIGINT NOT NULL,
    CONSTRAINT pk_configuration PRIMARY KEY (station, "key"),
    CONSTRAINT fk_configuration_station_station FOREIGN KEY(station) REFERENCES station (identity) ON DELETE CASCADE
);

CREATE TABLE offered_secret (
    station VARCHAR(48) NOT NULL,
    secret_hash VARCHAR(200) NOT NULL,
    CONSTRAINT pk_offered_secret PRIMARY KEY (station),
    CONSTRAINT fk_offered_secret_station_station FOREIGN KEY(station) REFERENCES station (identity) ON DELETE CASCADE
);
