-- How far the log was followed, what was seen of each case, the warnings, and the rules of the site.

CREATE TABLE follow_cursor (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- The place in the log of the next entry to look at. Moved by compare-and-set in the transaction that keeps the effect.
    next_index bigint NOT NULL,
    log_size bigint NOT NULL,
    answer_time timestamptz
);
INSERT INTO follow_cursor (next_index, log_size) VALUES (0, 0);

-- Events of cases as the log told them: what, by which agency, on what, when.
CREATE TABLE seen_event (
    log_index bigint PRIMARY KEY,
    case_id uuid NOT NULL,
    action text NOT NULL,
    source text NOT NULL,
    agency uuid,
    resource text NOT NULL,
    occur_time timestamptz NOT NULL
);
CREATE INDEX seen_event_of_case ON seen_event (case_id, action);
CREATE INDEX seen_event_time ON seen_event (occur_time);

CREATE TABLE watched_case (
    case_id uuid PRIMARY KEY,
    -- How many changes were seen, and how many of them the last evaluation knew.
    change_count bigint NOT NULL DEFAULT 0,
    evaluated_count bigint NOT NULL DEFAULT 0,
    -- Since when a change waits. Null when none does.
    waiting_since timestamptz,
    -- When it is to be evaluated next: at once after a change, else when the rules may find something new by the clock alone.
    due_at timestamptz,
    claim_id uuid,
    claim_until timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    -- The facts that rules are evaluated on, as routing told them last.
    facts jsonb,
    facts_time timestamptz,
    evaluate_time timestamptz,
    -- Agencies in the case with their kinds of organ.
    organs jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX watched_case_due ON watched_case (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX watched_case_waiting ON watched_case (waiting_since) WHERE waiting_since IS NOT NULL;
CREATE INDEX watched_case_recent ON watched_case (facts_time DESC) WHERE facts IS NOT NULL;

-- The row is locked by whoever changes warnings, so that numbers appear in their order and no reader passes over one.
CREATE TABLE warning_counter (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last_sequence bigint NOT NULL
);
INSERT INTO warning_counter (last_sequence) VALUES (0);

CREATE TABLE warning (
    warning_id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    -- The finding's own key: the same matter raises one warning, however often it is found.
    finding_key text NOT NULL,
    rule text NOT NULL,
    rule_version text NOT NULL,
    kind text NOT NULL,
    rank smallint NOT NULL CHECK (rank BETWEEN 1 AND 4),
    standing smallint NOT NULL CHECK (standing BETWEEN 1 AND 4),
    state smallint NOT NULL CHECK (state BETWEEN 1 AND 5),
    subject text NOT NULL,
    title_zh text NOT NULL,
    title_en text NOT NULL,
    explanation_zh text NOT NULL,
    explanation_en text NOT NULL,
    legal_basis text NOT NULL,
    due_time timestamptz,
    concerned uuid[] NOT NULL,
    owner text NOT NULL DEFAULT '',
    create_time timestamptz NOT NULL,
    update_time timestamptz NOT NULL,
    acknowledge_time timestamptz,
    -- When it is put before supervisors unless somebody took it up before.
    escalate_at timestamptz NOT NULL,
    escalate_time timestamptz,
    close_time timestamptz,
    close_reason text NOT NULL DEFAULT '',
    change_sequence bigint NOT NULL UNIQUE,
    UNIQUE (case_id, finding_key)
);
CREATE INDEX warning_to_work ON warning (rank DESC, warning_id) WHERE state IN (1, 2);
CREATE INDEX warning_ranked ON warning (rank DESC, warning_id);
CREATE INDEX warning_to_escalate ON warning (escalate_at) WHERE state = 1 AND escalate_time IS NULL;

-- Only ever added to.
CREATE TABLE warning_move (
    move_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    warning_id uuid NOT NULL REFERENCES warning,
    move_time timestamptz NOT NULL,
    state smallint NOT NULL,
    kind text NOT NULL,
    officer text NOT NULL,
    reason text NOT NULL
);
CREATE INDEX warning_move_of ON warning_move (warning_id, move_id);

-- What a site changes in the shipped rules; the newest is in force.
CREATE TABLE rule_overlay (
    version bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    content text NOT NULL,
    note text NOT NULL,
    imported_by text NOT NULL,
    import_time timestamptz NOT NULL
);

CREATE TABLE rule_review (
    rule text NOT NULL,
    rule_version text NOT NULL,
    note text NOT NULL,
    reviewed_by text NOT NULL,
    review_time timestamptz NOT NULL,
    PRIMARY KEY (rule, rule_version)
);

GRANT SELECT, UPDATE ON follow_cursor, warning_counter TO {runtime_role};
GRANT SELECT, INSERT ON seen_event, warning_move, rule_overlay, rule_review TO {runtime_role};
GRANT SELECT, INSERT, UPDATE ON watched_case, warning TO {runtime_role};
