-- Data services, the questions asked of them and their answers.

-- The newest revision stands in `data_service`, all of them in `data_service_revision`.
CREATE TABLE data_service (
    service_id uuid PRIMARY KEY,
    provider uuid NOT NULL,
    code text NOT NULL,
    revision integer NOT NULL,
    retired boolean NOT NULL DEFAULT false,
    UNIQUE (provider, code)
);

CREATE TABLE data_service_revision (
    service_id uuid NOT NULL REFERENCES data_service,
    revision integer NOT NULL,
    -- As a serialised DataService.
    definition bytea NOT NULL,
    PRIMARY KEY (service_id, revision)
);

-- Who may ask which data service by its newest revision: kinds of organ and single agencies.
CREATE TABLE data_service_asker (
    service_id uuid NOT NULL REFERENCES data_service,
    asker text NOT NULL,
    PRIMARY KEY (service_id, asker)
);
CREATE INDEX data_service_asked_by ON data_service_asker (asker);

CREATE TABLE data_query (
    query_id uuid PRIMARY KEY,
    service_id uuid NOT NULL,
    revision integer NOT NULL,
    provider uuid NOT NULL,
    asker uuid NOT NULL,
    case_id uuid NOT NULL,
    purpose text NOT NULL,
    -- As serialised DataQuery with the question or the answer and its translations alone. Null once their retention is over.
    question bytea,
    answer bytea,
    question_sha256 bytea NOT NULL,
    answer_sha256 bytea,
    state text NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'ANSWERED', 'EXPIRED')),
    ask_time timestamptz NOT NULL,
    expire_time timestamptz NOT NULL,
    answer_time timestamptz,
    -- When it may next be put before the provider: at once, and again after each lease.
    due_at timestamptz NOT NULL,
    lease_id uuid,
    traceparent text NOT NULL DEFAULT '',
    FOREIGN KEY (service_id, revision) REFERENCES data_service_revision
);
CREATE INDEX data_query_waiting ON data_query (provider, due_at) WHERE state = 'PENDING';
CREATE INDEX data_query_closing ON data_query (expire_time) WHERE state = 'PENDING';
CREATE INDEX data_query_kept ON data_query (answer_time) WHERE question IS NOT NULL;
CREATE INDEX data_query_asked ON data_query (service_id, asker, ask_time);
CREATE INDEX data_query_of_case ON data_query (case_id, asker, query_id);

GRANT SELECT, INSERT ON data_service, data_service_revision, data_service_asker, data_query TO {runtime_role};
GRANT UPDATE (revision, retired) ON data_service TO {runtime_role};
GRANT DELETE ON data_service_asker TO {runtime_role};
GRANT UPDATE (question, answer, answer_sha256, state, answer_time, due_at, lease_id) ON data_query TO {runtime_role};
