-- Figures, counted in the transaction that moves the cursor, and what counting has to remember of events before.

CREATE TABLE figure_day (
    -- The day in Asia/Shanghai on which it happened.
    day date NOT NULL,
    -- The agency it is counted for; the nil UUID for the platform as a whole, where several agencies share one thing.
    agency uuid NOT NULL,
    measure text NOT NULL,
    node text NOT NULL,
    -- What the measure tells apart, e.g. a reason of return. Empty where it tells nothing apart.
    detail text NOT NULL,
    count bigint NOT NULL,
    -- Seconds or pages, where the measure has them.
    amount bigint NOT NULL,
    PRIMARY KEY (day, agency, measure, node, detail)
);
CREATE INDEX figure_day_of_agency ON figure_day (agency, day);

CREATE TABLE figure_exchange (
    exchange_id uuid PRIMARY KEY,
    node text NOT NULL,
    sender uuid NOT NULL,
    recipient uuid NOT NULL,
    on_paper boolean NOT NULL,
    submit_time timestamptz NOT NULL,
    deliver_time timestamptz,
    accept_time timestamptz,
    answer_time timestamptz
);

CREATE TABLE figure_version (
    version_id uuid PRIMARY KEY,
    page_count bigint NOT NULL
);

CREATE TABLE figure_case (
    case_id uuid PRIMARY KEY,
    -- The agencies that exchanged in it or registered it.
    agencies uuid[] NOT NULL,
    -- The stages it is at, each since when.
    stages jsonb NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON figure_day, figure_exchange, figure_case TO {runtime_role};
GRANT SELECT, INSERT ON figure_version TO {runtime_role};
