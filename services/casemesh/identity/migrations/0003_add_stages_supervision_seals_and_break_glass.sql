-- More facts from which rights on cases follow, and one that takes them away. All are bounded in time and none is deleted.

-- Stages by their number in casemesh.identity.v1.CaseStage; 0 is participation at every stage.
ALTER TABLE participation ADD COLUMN stage smallint NOT NULL DEFAULT 0 CHECK (stage BETWEEN 0 AND 4);
DROP INDEX participation_open;
CREATE UNIQUE INDEX participation_open ON participation (case_id, agency_id, stage) WHERE valid_until IS NULL;

CREATE TABLE case_stage (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    stage smallint NOT NULL CHECK (stage BETWEEN 1 AND 4),
    cause text NOT NULL,
    valid_from timestamptz NOT NULL DEFAULT clock_timestamp(),
    valid_until timestamptz CHECK (valid_until >= valid_from)
);
CREATE UNIQUE INDEX case_stage_open ON case_stage (case_id, stage) WHERE valid_until IS NULL;
CREATE INDEX case_stage_by_case ON case_stage (case_id);

CREATE TABLE supervision (
    id uuid PRIMARY KEY,
    agency_id uuid NOT NULL,
    officer_id uuid NOT NULL,
    cause text NOT NULL,
    reason text NOT NULL,
    valid_from timestamptz NOT NULL DEFAULT clock_timestamp(),
    valid_until timestamptz CHECK (valid_until >= valid_from),
    ended_by text,
    end_reason text,
    FOREIGN KEY (agency_id, officer_id) REFERENCES officer (agency_id, id)
);
CREATE UNIQUE INDEX supervision_open ON supervision (officer_id) WHERE valid_until IS NULL;
CREATE INDEX supervision_by_agency ON supervision (agency_id);
CREATE INDEX supervision_by_officer ON supervision (officer_id);

-- What one officer gave another, always until a time: rights passed on to a colleague, or a sealed case opened. Rights by
-- their number in casemesh.identity.v1.CasePermission; opening a seal passes none on.
CREATE TABLE officer_grant (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('delegation', 'seal_opening')),
    case_id uuid NOT NULL,
    agency_id uuid NOT NULL,
    officer_id uuid NOT NULL,
    giver_agency_id uuid NOT NULL,
    giver_id uuid NOT NULL,
    permissions smallint[] NOT NULL CHECK ((kind = 'delegation') = (cardinality(permissions) > 0)),
    reason text NOT NULL,
    valid_from timestamptz NOT NULL DEFAULT clock_timestamp(),
    valid_until timestamptz NOT NULL CHECK (valid_until >= valid_from),
    ended_by text,
    end_reason text,
    CHECK (giver_id <> officer_id),
    CHECK (kind <> 'delegation' OR giver_agency_id = agency_id),
    FOREIGN KEY (agency_id, officer_id) REFERENCES officer (agency_id, id),
    FOREIGN KEY (giver_agency_id, giver_id) REFERENCES officer (agency_id, id)
);
CREATE INDEX officer_grant_by_officer ON officer_grant (officer_id, case_id);
CREATE INDEX officer_grant_by_case ON officer_grant (case_id);

-- `kind` by its number in casemesh.identity.v1.SealKind. A case stays sealed while any of its seals holds.
CREATE TABLE seal (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    agency_id uuid NOT NULL REFERENCES agency (id),
    kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 3),
    sealed_by text NOT NULL,
    reason text NOT NULL,
    valid_from timestamptz NOT NULL DEFAULT clock_timestamp(),
    valid_until timestamptz CHECK (valid_until >= valid_from),
    ended_by text,
    end_reason text
);
CREATE UNIQUE INDEX seal_open ON seal (case_id, agency_id, kind) WHERE valid_until IS NULL;
CREATE INDEX seal_by_case ON seal (case_id);

-- A use on a sealed case has no `valid_from` until a second officer approves it.
CREATE TABLE break_glass (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    agency_id uuid NOT NULL,
    officer_id uuid NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    approver_id uuid,
    valid_from timestamptz,
    valid_until timestamptz CHECK (valid_until >= valid_from),
    outcome smallint NOT NULL DEFAULT 0 CHECK (outcome BETWEEN 0 AND 2),
    reviewer_id uuid,
    review_reason text,
    reviewed_at timestamptz,
    CHECK (approver_id <> officer_id),
    CHECK (reviewer_id <> officer_id),
    CHECK ((valid_from IS NULL) = (valid_until IS NULL)),
    CHECK ((outcome = 0) = (reviewer_id IS NULL)),
    FOREIGN KEY (agency_id, officer_id) REFERENCES officer (agency_id, id),
    FOREIGN KEY (agency_id, approver_id) REFERENCES officer (agency_id, id),
    FOREIGN KEY (agency_id, reviewer_id) REFERENCES officer (agency_id, id)
);
CREATE INDEX break_glass_by_officer ON break_glass (officer_id, case_id);
CREATE INDEX break_glass_by_case ON break_glass (case_id);
CREATE INDEX break_glass_to_review ON break_glass (agency_id, id) WHERE reviewer_id IS NULL;

-- For "who could see this case at that time".
CREATE INDEX participation_by_case ON participation (case_id);
CREATE INDEX assignment_by_case ON assignment (case_id);

GRANT SELECT, INSERT ON case_stage, supervision, officer_grant, seal, break_glass TO {runtime_role};
GRANT UPDATE (valid_until) ON case_stage TO {runtime_role};
GRANT UPDATE (valid_until, ended_by, end_reason) ON supervision, officer_grant, seal TO {runtime_role};
GRANT UPDATE (approver_id, valid_from, valid_until, outcome, reviewer_id, review_reason, reviewed_at) ON break_glass
    TO {runtime_role};
