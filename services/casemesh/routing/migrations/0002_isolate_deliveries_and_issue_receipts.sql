-- Deliveries: several of one exchange, heavy ones told apart, those that fail set aside and reported. Receipts.

ALTER TABLE delivery
    DROP CONSTRAINT delivery_exchange_id_key,
    ADD COLUMN purpose text NOT NULL DEFAULT 'HANDLE' CHECK (purpose IN ('HANDLE', 'COPY', 'CHANGE')),
    -- Whether a dossier goes along, which its recipient may take hours to fetch.
    ADD COLUMN heavy boolean NOT NULL DEFAULT false,
    -- Attempts before the last re-drive do not count against the limit.
    ADD COLUMN forgiven_attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN set_aside_time timestamptz,
    ADD COLUMN overdue_time timestamptz,
    -- Why it has not arrived, and what the recipient's system said of it.
    ADD COLUMN reason text NOT NULL DEFAULT '',
    ADD COLUMN detail text NOT NULL DEFAULT '';

CREATE INDEX delivery_of_exchange ON delivery (exchange_id);
DROP INDEX delivery_waiting;
-- What is set aside is due at infinity.
CREATE INDEX delivery_waiting ON delivery (recipient, heavy, due_at)
    WHERE acknowledge_time IS NULL AND due_at IS NOT NULL;
-- A small delivery goes ahead of heavy ones, but not of one of its own case that was never put before the recipient.
CREATE INDEX delivery_heavy_untried ON delivery (case_id, recipient, delivery_sequence) WHERE heavy AND attempt = 0;
CREATE INDEX delivery_tried ON delivery (due_at) WHERE acknowledge_time IS NULL AND attempt > 0;
-- Identifiers grow with time, so this finds what waits too long.
CREATE INDEX delivery_unreported ON delivery (delivery_id) WHERE acknowledge_time IS NULL AND overdue_time IS NULL;
CREATE INDEX delivery_amiss ON delivery (recipient, delivery_id) WHERE acknowledge_time IS NULL AND reason <> '';

-- How many numbered deliveries are not released yet. The row is locked by whoever numbers or releases one, and an upsert
-- reads it as it is after the wait, which no other part of its statement does.
ALTER TABLE delivery_counter ADD COLUMN unreleased bigint NOT NULL DEFAULT 0;
UPDATE delivery_counter SET unreleased = (
    SELECT count(*) FROM delivery
    WHERE delivery.case_id = delivery_counter.case_id AND delivery.recipient = delivery_counter.recipient
        AND due_at IS NULL
);

-- Who takes part in a case already: an obligation to bring it in was carried out.
CREATE INDEX obligation_participant ON obligation (case_id, agency) WHERE joins AND fulfil_time IS NOT NULL;

-- An exchange may be put before an agency more than once, so what is owed belongs to the delivery.
UPDATE obligation SET resource = resource || '/deliveries/' || delivery_id FROM delivery
WHERE obligation.resource = 'exchanges/' || delivery.exchange_id AND obligation.fulfil_time IS NULL;

-- The Merkle root of the dossier version that goes along, for receipts.
ALTER TABLE exchange ADD COLUMN dossier_root bytea;

-- What senders are told of deliveries that have not arrived.
CREATE TABLE delivery_report (
    report_id uuid PRIMARY KEY,
    delivery_id uuid NOT NULL REFERENCES delivery,
    exchange_id uuid NOT NULL,
    case_id uuid NOT NULL,
    agency uuid NOT NULL,
    recipient uuid NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    report_time timestamptz NOT NULL,
    acknowledge_time timestamptz
);
CREATE INDEX delivery_report_open ON delivery_report (agency, report_id) WHERE acknowledge_time IS NULL;
CREATE INDEX delivery_report_of_agency ON delivery_report (agency, delivery_id);

-- The certificates behind each signing key that receipts were signed with, signer first: a receipt must stay verifiable
-- when the key was replaced, and three certificates beside each would be most of its size.
CREATE TABLE receipt_signer (
    key_id bytea PRIMARY KEY,
    certificates bytea[] NOT NULL
);

-- Written in the transaction of the step they attest. No foreign key to the exchange: the same statement writes it, and
-- checking it costs as much as writing the receipt.
CREATE TABLE receipt (
    receipt_id uuid PRIMARY KEY,
    exchange_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('SUBMISSION', 'DELIVERY', 'ACCEPTANCE', 'READING')),
    agency uuid NOT NULL,
    event_id uuid NOT NULL,
    issue_time timestamptz NOT NULL,
    payload bytea NOT NULL,
    signature bytea NOT NULL,
    key_id bytea NOT NULL
);
CREATE INDEX receipt_of_exchange ON receipt (exchange_id, receipt_id);
CREATE UNIQUE INDEX receipt_of_first_reading ON receipt (exchange_id, agency) WHERE kind = 'READING';

GRANT UPDATE (forgiven_attempts, set_aside_time, overdue_time, reason, detail) ON delivery TO {runtime_role};
GRANT UPDATE (unreleased) ON delivery_counter TO {runtime_role};
GRANT SELECT, INSERT ON delivery_report, receipt_signer, receipt TO {runtime_role};
GRANT UPDATE (acknowledge_time) ON delivery_report TO {runtime_role};
