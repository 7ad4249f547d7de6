-- Officers of other agencies ask to see a case; what is approved is a grant with an end, beside delegations.

ALTER TABLE officer_grant
    DROP CONSTRAINT officer_grant_kind_check,
    ADD CONSTRAINT officer_grant_kind_check CHECK (kind IN ('delegation', 'seal_opening', 'grant')),
    DROP CONSTRAINT officer_grant_check,
    ADD CONSTRAINT officer_grant_permissions_check CHECK ((kind <> 'seal_opening') = (cardinality(permissions) > 0)),
    ADD CONSTRAINT officer_grant_of_another_check CHECK (kind <> 'grant' OR giver_agency_id <> agency_id);

-- `case_id` refers to nothing on purpose: who asks is not told whether there is such a case. `purpose` by its code in the
-- table of purposes of viewing.
CREATE TABLE access_request (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    asked_agency_id uuid NOT NULL REFERENCES agency (id),
    agency_id uuid NOT NULL,
    officer_id uuid NOT NULL,
    permissions smallint[] NOT NULL CHECK (cardinality(permissions) > 0),
    purpose text NOT NULL,
    reason text NOT NULL,
    until_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'filed' CHECK (state IN ('filed', 'approved', 'refused')),
    decider_id uuid,
    decide_reason text NOT NULL DEFAULT '',
    decided_at timestamptz,
    grant_id uuid REFERENCES officer_grant (id),
    CHECK (asked_agency_id <> agency_id),
    CHECK ((state = 'filed') = (decider_id IS NULL)),
    CHECK ((state = 'approved') = (grant_id IS NOT NULL)),
    FOREIGN KEY (agency_id, officer_id) REFERENCES officer (agency_id, id),
    FOREIGN KEY (asked_agency_id, decider_id) REFERENCES officer (agency_id, id)
);
CREATE INDEX access_request_by_officer ON access_request (officer_id, id);
-- By the end, since what expired undecided stays filed.
CREATE INDEX access_request_waiting ON access_request (asked_agency_id, expires_at) WHERE state = 'filed';

-- Who is at the head of a unit, and who is of it, is asked at every decision.
CREATE INDEX unit_placement_by_officer ON unit_placement (officer_id);
CREATE INDEX unit_placement_by_unit ON unit_placement (unit_id);

GRANT SELECT, INSERT ON access_request TO {runtime_role};
GRANT UPDATE (state, decider_id, decide_reason, decided_at, grant_id) ON access_request TO {runtime_role};
