-- What agencies' clients state of their officers' logins. A statement is kept for good, since acts refer to it; the use of
-- an assertion only as long as the assertion could be used again.

CREATE TABLE officer_login (
    assertion_sha256 bytea PRIMARY KEY CHECK (octet_length(assertion_sha256) = 32),
    client_id uuid NOT NULL REFERENCES client (id),
    officer_id uuid NOT NULL REFERENCES officer (id),
    -- By the agency's clock.
    logged_in_at timestamptz NOT NULL,
    acr text NOT NULL,
    assertion text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    -- One login is stated again with every token; the first statement of it is kept.
    UNIQUE (client_id, officer_id, logged_in_at, acr)
);

CREATE TABLE assertion_use (
    client_id uuid NOT NULL REFERENCES client (id),
    jti text NOT NULL,
    usable_until timestamptz NOT NULL,
    PRIMARY KEY (client_id, jti)
);
CREATE INDEX assertion_use_by_end ON assertion_use (usable_until);

GRANT SELECT, INSERT ON officer_login TO {runtime_role};
GRANT SELECT, INSERT, DELETE ON assertion_use TO {runtime_role};
