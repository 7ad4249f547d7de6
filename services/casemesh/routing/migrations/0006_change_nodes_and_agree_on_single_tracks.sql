-- The node catalogue as data: versions and provincial overlays with their dates, and agreements to do without paper.

CREATE TABLE node_catalogue (
    version_id uuid PRIMARY KEY,
    -- Two digits of GB/T 2260 for an overlay, empty for the national catalogue.
    province text NOT NULL,
    effective_from date NOT NULL,
    -- The file as imported, CSV.
    content bytea NOT NULL,
    node_count integer NOT NULL,
    note text NOT NULL,
    imported_by text NOT NULL,
    import_time timestamptz NOT NULL,
    activated_by text NOT NULL DEFAULT '',
    activate_time timestamptz
);

CREATE TABLE agency_province (
    agency uuid PRIMARY KEY,
    province text NOT NULL,
    set_time timestamptz NOT NULL
);

CREATE TABLE single_track (
    single_track_id uuid PRIMARY KEY,
    node text NOT NULL,
    sender uuid NOT NULL,
    recipient uuid NOT NULL,
    effective_from date NOT NULL,
    basis text NOT NULL,
    propose_time timestamptz NOT NULL,
    agree_time timestamptz,
    end_time timestamptz
);
-- One at a time for a node and a direction.
CREATE UNIQUE INDEX single_track_open ON single_track (node, sender, recipient) WHERE end_time IS NULL;
CREATE INDEX single_track_of_recipient ON single_track (recipient, single_track_id);
CREATE INDEX single_track_of_sender ON single_track (sender, single_track_id);

GRANT SELECT, INSERT ON node_catalogue, agency_province, single_track TO {runtime_role};
GRANT UPDATE (activated_by, activate_time) ON node_catalogue TO {runtime_role};
GRANT UPDATE (province, set_time) ON agency_province TO {runtime_role};
GRANT UPDATE (agree_time, end_time) ON single_track TO {runtime_role};
