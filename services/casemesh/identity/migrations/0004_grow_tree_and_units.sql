-- Agencies as a tree, and their units with the officers who are of them, from one time to another.

ALTER TABLE agency
    ADD COLUMN parent_id uuid REFERENCES agency (id),
    ADD COLUMN level text CHECK (level IN ('central', 'province', 'city', 'county'));

CREATE TABLE unit (
    id uuid PRIMARY KEY,
    agency_id uuid NOT NULL REFERENCES agency (id),
    parent_id uuid,
    display_name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (agency_id, id),
    FOREIGN KEY (agency_id, parent_id) REFERENCES unit (agency_id, id)
);

CREATE TABLE unit_placement (
    id uuid PRIMARY KEY,
    agency_id uuid NOT NULL,
    officer_id uuid NOT NULL,
    unit_id uuid NOT NULL,
    role text NOT NULL CHECK (role IN ('member', 'supervisor')),
    valid_from timestamptz NOT NULL DEFAULT clock_timestamp(),
    valid_until timestamptz CHECK (valid_until >= valid_from),
    FOREIGN KEY (agency_id, officer_id) REFERENCES officer (agency_id, id),
    FOREIGN KEY (agency_id, unit_id) REFERENCES unit (agency_id, id)
);
-- An officer is of one unit at a time.
CREATE UNIQUE INDEX unit_placement_open ON unit_placement (officer_id) WHERE valid_until IS NULL;

GRANT SELECT, INSERT ON unit, unit_placement TO {runtime_role};
GRANT UPDATE (valid_until) ON unit_placement TO {runtime_role};
