-- Exchanges that are returned, supplemented, withdrawn or expire; what they held before; drafts.

ALTER TABLE exchange
    DROP CONSTRAINT exchange_state_check,
    ADD CONSTRAINT exchange_state_check CHECK (
        state IN ('SUBMITTED', 'DELIVERED', 'ACCEPTED', 'ANSWERED', 'RETURNED', 'SUPPLEMENTED', 'WITHDRAWN', 'EXPIRED')
    ),
    ADD COLUMN revision integer NOT NULL DEFAULT 0,
    -- The last return for correction, as a serialised ExchangeReturn.
    ADD COLUMN returned bytea,
    ADD COLUMN answer_by timestamptz,
    ADD COLUMN end_time timestamptz,
    ADD COLUMN withdraw_ground text NOT NULL DEFAULT '';

-- Only what states a time is in it, and the state is not: moving on must not touch the index.
CREATE INDEX exchange_answer_by ON exchange (answer_by) WHERE answer_by IS NOT NULL;

-- What an exchange held before each supplement.
CREATE TABLE exchange_revision (
    exchange_id uuid NOT NULL REFERENCES exchange,
    revision integer NOT NULL,
    dossier_version text NOT NULL,
    content bytea NOT NULL,
    sha256 bytea NOT NULL,
    returned bytea NOT NULL,
    PRIMARY KEY (exchange_id, revision)
);

-- A draft has the identifier that its exchange will have.
CREATE TABLE exchange_draft (
    exchange_id uuid PRIMARY KEY,
    case_id uuid NOT NULL REFERENCES registered_case,
    sender uuid NOT NULL,
    -- A serialised Exchange.
    content bytea NOT NULL,
    update_time timestamptz NOT NULL
);
CREATE INDEX exchange_draft_of_case ON exchange_draft (case_id, sender, exchange_id);

GRANT SELECT, INSERT ON exchange_revision TO {runtime_role};
GRANT SELECT, INSERT, DELETE ON exchange_draft TO {runtime_role};
GRANT UPDATE (content, update_time) ON exchange_draft TO {runtime_role};
GRANT UPDATE (content, dossier_version, sha256, dossier_root, revision, returned, end_time, withdraw_ground) ON exchange
    TO {runtime_role};
