-- Every service has these: the outbox of its audit events, and the answers to requests it has carried out.

CREATE TABLE outbox (
    id bigserial PRIMARY KEY,
    event_id uuid NOT NULL UNIQUE,
    event bytea NOT NULL,
    traceparent text NOT NULL DEFAULT '',
    source_sequence bigint UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz
);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;

-- One row: the last number given to an event of this source.
CREATE TABLE outbox_sequence (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last_sequence bigint NOT NULL
);
INSERT INTO outbox_sequence (last_sequence) VALUES (0);

CREATE TABLE request (
    caller text NOT NULL,
    method text NOT NULL,
    request_id uuid NOT NULL,
    body_sha256 bytea NOT NULL,
    response bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, method, request_id)
);

GRANT SELECT, INSERT, UPDATE ON outbox, outbox_sequence, request TO {runtime_role};
GRANT USAGE ON SEQUENCE outbox_id_seq TO {runtime_role};
