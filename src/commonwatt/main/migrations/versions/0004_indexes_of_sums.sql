DROP INDEX ix_session_place;

CREATE INDEX ix_session_place ON session (station, status, connector);

CREATE INDEX ix_session_began ON session (began_ms) WHERE began_ms is not null;

CREATE INDEX ix_payments_invoices_settled ON payments_invoices (ended_ms, state, paid_msat) WHERE state = 'settled';

CREATE INDEX ix_payments_payouts_done ON payments_payouts (ended_ms, state, amount_msat, fee_msat) WHERE state = 'done';
