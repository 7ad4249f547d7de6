-- Cases and their parties, exchanges, their deliveries, and what is still owed after a commit.

CREATE TABLE registered_case (
    case_id uuid PRIMARY KEY,
    title text NOT NULL,
    agency uuid NOT NULL,
    create_time timestamptz NOT NULL
);

CREATE TABLE party (
    party_id uuid PRIMARY KEY,
    case_id uuid NOT NULL REFERENCES registered_case,
    position integer NOT NULL,
    kind smallint NOT NULL,
    display_name text NOT NULL,
    custody_state smallint,
    custody_since date,
    custody_place text NOT NULL DEFAULT '',
    UNIQUE (case_id, position)
);

CREATE TABLE charge (
    party_id uuid NOT NULL REFERENCES party,
    position integer NOT NULL,
    code_system text NOT NULL,
    code text NOT NULL,
    display text NOT NULL,
    PRIMARY KEY (party_id, position)
);

CREATE TABLE local_number (
    case_id uuid NOT NULL REFERENCES registered_case,
    agency uuid NOT NULL,
    number text NOT NULL,
    link_time timestamptz NOT NULL,
    PRIMARY KEY (case_id, agency, number)
);

CREATE TABLE exchange (
    exchange_id uuid PRIMARY KEY,
    case_id uuid NOT NULL REFERENCES registered_case,
    node text NOT NULL,
    sender uuid NOT NULL,
    recipient uuid NOT NULL,
    answers uuid REFERENCES exchange,
    dossier_version text NOT NULL DEFAULT '',
    -- What never changes and is not searched: parties, fields, translations, as a serialised Exchange.
    content bytea NOT NULL,
    -- SHA-256 of the exchange as committed, the digest that its event carries.
    sha256 bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('SUBMITTED', 'DELIVERED', 'ACCEPTED', 'ANSWERED')),
    submit_time timestamptz NOT NULL,
    deliver_time timestamptz,
    accept_time timestamptz,
    answer_time timestamptz
);
CREATE INDEX exchange_of_case ON exchange (case_id, exchange_id);

-- Numbers the deliveries of one case to one recipient. Its row is locked by whoever numbers or releases one, so that
-- numbers have no gaps and first attempts come in their order.
CREATE TABLE delivery_counter (
    case_id uuid NOT NULL,
    recipient uuid NOT NULL,
    last_sequence bigint NOT NULL,
    PRIMARY KEY (case_id, recipient)
);

CREATE TABLE delivery (
    delivery_id uuid PRIMARY KEY,
    exchange_id uuid NOT NULL UNIQUE REFERENCES exchange,
    case_id uuid NOT NULL,
    recipient uuid NOT NULL,
    delivery_sequence bigint NOT NULL,
    -- True once the recipient has the access that the exchange brings.
    fulfilled boolean NOT NULL DEFAULT false,
    -- When it may next be put before the recipient: from its release on, and again after each lease. Null: not released.
    due_at timestamptz,
    attempt integer NOT NULL DEFAULT 0,
    lease_id uuid,
    lease_holder text NOT NULL DEFAULT '',
    acknowledge_time timestamptz,
    UNIQUE (case_id, recipient, delivery_sequence)
);
CREATE INDEX delivery_waiting ON delivery (recipient, due_at) WHERE acknowledge_time IS NULL AND due_at IS NOT NULL;
CREATE INDEX delivery_unreleased ON delivery (case_id, recipient, delivery_sequence) WHERE due_at IS NULL;

-- Access that a committed case or exchange owes an agency; carried out after the commit, by whoever comes first.
CREATE TABLE obligation (
    resource text PRIMARY KEY,
    case_id uuid NOT NULL,
    agency uuid NOT NULL,
    -- Whether the agency is to take part in the case, and which of its officers is to be assigned at once.
    joins boolean NOT NULL,
    officer text NOT NULL DEFAULT '',
    -- The dossier version it is to read, and the agency that hands it on.
    dossier_version text NOT NULL DEFAULT '',
    sender uuid,
    traceparent text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 0,
    -- The process that committed tries at once; the worker leaves it this long.
    next_attempt_at timestamptz NOT NULL DEFAULT now() + interval '5 seconds',
    fulfil_time timestamptz
);
CREATE INDEX obligation_open ON obligation (next_attempt_at) WHERE fulfil_time IS NULL;

GRANT SELECT, INSERT ON registered_case, party, charge, local_number, exchange, delivery_counter, delivery, obligation
    TO {runtime_role};
GRANT UPDATE (state, deliver_time, accept_time, answer_time) ON exchange TO {runtime_role};
GRANT UPDATE (last_sequence) ON delivery_counter TO {runtime_role};
GRANT UPDATE (fulfilled, due_at, attempt, lease_id, lease_holder, acknowledge_time) ON delivery TO {runtime_role};
GRANT UPDATE (attempts, next_attempt_at, fulfil_time) ON obligation TO {runtime_role};
