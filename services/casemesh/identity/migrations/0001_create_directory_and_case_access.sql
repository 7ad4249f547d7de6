-- Who takes part, and the facts from which rights on cases follow. Rows are never deleted: who could see a case at some
-- time must stay answerable.

CREATE TABLE agency (
    id uuid PRIMARY KEY,
    code text NOT NULL UNIQUE,
    display_name text NOT NULL,
    organ text NOT NULL,
    trust_domain text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE officer (
    id uuid PRIMARY KEY,
    agency_id uuid NOT NULL REFERENCES agency (id),
    display_name text NOT NULL,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'revoked')),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- So that others can refer to an officer of a certain agency.
    UNIQUE (agency_id, id)
);

-- What connects to the gateway with a certificate: a system, which speaks for any officer of its agency, or a
-- workstation, which speaks for one.
CREATE TABLE client (
    id uuid PRIMARY KEY,
    agency_id uuid NOT NULL REFERENCES agency (id),
    kind text NOT NULL CHECK (kind IN ('system', 'workstation')),
    officer_id uuid,
    display_name text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'revoked')),
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'workstation') = (officer_id IS NOT NULL)),
    FOREIGN KEY (agency_id, officer_id) REFERENCES officer (agency_id, id)
);

-- Apart from `client`, because one client has two certificates while it renews; one certificate never has two clients.
CREATE TABLE client_certificate (
    sha256 bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
    client_id uuid NOT NULL REFERENCES client (id),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE participation (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    agency_id uuid NOT NULL REFERENCES agency (id),
    cause text NOT NULL,
    valid_from timestamptz NOT NULL DEFAULT clock_timestamp(),
    valid_until timestamptz CHECK (valid_until >= valid_from)
);
CREATE UNIQUE INDEX participation_open ON participation (case_id, agency_id) WHERE valid_until IS NULL;
CREATE INDEX participation_by_agency ON participation (agency_id, case_id);

CREATE TABLE assignment (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    agency_id uuid NOT NULL,
    officer_id uuid NOT NULL,
    cause text NOT NULL,
    reason text NOT NULL DEFAULT '',
    valid_from timestamptz NOT NULL DEFAULT clock_timestamp(),
    valid_until timestamptz CHECK (valid_until >= valid_from),
    ended_by text,
    end_reason text,
    FOREIGN KEY (agency_id, officer_id) REFERENCES officer (agency_id, id)
);
CREATE UNIQUE INDEX assignment_open ON assignment (case_id, officer_id) WHERE valid_until IS NULL;
CREATE INDEX assignment_by_officer ON assignment (officer_id, case_id);

GRANT SELECT, INSERT ON agency, officer, client, client_certificate, participation, assignment TO {runtime_role};
GRANT UPDATE (valid_until, ended_by, end_reason) ON assignment TO {runtime_role};
