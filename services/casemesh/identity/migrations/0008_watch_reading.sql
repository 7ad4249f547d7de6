-- What officers read, counted against their limits; alerts on browsing out of the ordinary; decoy cases; marks of copies.

-- One row before the first byte of a dossier or trail leaves. Its identifier is that of the event in the log. `purpose` by
-- its code in the table of purposes of viewing; what was sent is added when the stream ends.
CREATE TABLE reading (
    id uuid PRIMARY KEY,
    agency_id uuid NOT NULL,
    officer_id uuid NOT NULL,
    case_id uuid NOT NULL,
    purpose text NOT NULL,
    size_bytes bigint NOT NULL DEFAULT 0 CHECK (size_bytes >= 0),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (agency_id, officer_id) REFERENCES officer (agency_id, id)
);
CREATE INDEX reading_by_officer ON reading (officer_id, at);

CREATE TABLE decoy (
    id uuid PRIMARY KEY,
    case_id uuid NOT NULL,
    agency_id uuid NOT NULL,
    officer_id uuid NOT NULL,
    reason text NOT NULL,
    valid_from timestamptz NOT NULL DEFAULT clock_timestamp(),
    valid_until timestamptz CHECK (valid_until >= valid_from),
    ended_by text,
    end_reason text,
    FOREIGN KEY (agency_id, officer_id) REFERENCES officer (agency_id, id)
);
CREATE UNIQUE INDEX decoy_open ON decoy (case_id, agency_id) WHERE valid_until IS NULL;
CREATE INDEX decoy_by_agency ON decoy (agency_id, id);
CREATE INDEX decoy_by_case ON decoy (case_id);

-- `rule` and `resolution` by their numbers in casemesh.identity.v1.AccessAlertRule and AccessAlertResolution. `agency_id` is
-- whose supervisors are told; `day` is the day in Asia/Shanghai.
CREATE TABLE access_alert (
    id uuid PRIMARY KEY,
    agency_id uuid NOT NULL REFERENCES agency (id),
    rule smallint NOT NULL CHECK (rule BETWEEN 1 AND 10),
    officer_agency_id uuid NOT NULL,
    officer_id uuid NOT NULL,
    case_id uuid,
    observed bigint NOT NULL,
    limit_count bigint NOT NULL,
    day date NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    resolution smallint NOT NULL DEFAULT 0 CHECK (resolution BETWEEN 0 AND 2),
    resolver_id uuid,
    resolve_reason text NOT NULL DEFAULT '',
    resolved_at timestamptz,
    CHECK (resolver_id <> officer_id),
    CHECK ((resolution = 0) = (resolver_id IS NULL)),
    FOREIGN KEY (officer_agency_id, officer_id) REFERENCES officer (agency_id, id),
    FOREIGN KEY (agency_id, resolver_id) REFERENCES officer (agency_id, id)
);
-- One alert a rule, officer, case and day, however often and at whichever replica it is raised.
CREATE UNIQUE INDEX access_alert_once ON access_alert
    (agency_id, rule, officer_id, coalesce(case_id, '00000000-0000-0000-0000-000000000000'), day);
CREATE INDEX access_alert_of ON access_alert (agency_id, id);

-- `version` is as the officer's system named it.
CREATE TABLE export_mark (
    id uuid PRIMARY KEY,
    reading_id uuid NOT NULL REFERENCES reading (id),
    version text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

GRANT SELECT, INSERT ON reading, decoy, access_alert, export_mark TO {runtime_role};
GRANT UPDATE (size_bytes) ON reading TO {runtime_role};
GRANT UPDATE (valid_until, ended_by, end_reason) ON decoy TO {runtime_role};
GRANT UPDATE (resolution, resolver_id, resolve_reason, resolved_at) ON access_alert TO {runtime_role};
