-- How far each recipient of a version has come: granted, started, confirmed. One row an agency, however many exchanges
-- brought it the version.

CREATE TABLE version_delivery (
    version_id uuid NOT NULL REFERENCES dossier_version,
    agency text NOT NULL,
    granted_at timestamptz NOT NULL,
    started_at timestamptz,
    confirmed_at timestamptz,
    -- The signed confirmation as it is given out.
    confirmation bytea,
    PRIMARY KEY (version_id, agency),
    CHECK ((confirmed_at IS NULL) = (confirmation IS NULL))
);
INSERT INTO version_delivery (version_id, agency, granted_at)
SELECT version_id, agency, min(granted_at) FROM version_grant GROUP BY version_id, agency;
GRANT SELECT, INSERT, UPDATE ON version_delivery TO {runtime_role};

-- A first draft that was given up keeps its row, without its title: a repeat of the request must be known for one, and
-- packs name the dossier they were written for.
ALTER TABLE dossier
    DROP CONSTRAINT dossier_state_check,
    ADD CONSTRAINT dossier_state_check CHECK (state IN ('draft', 'final', 'abandoned'));
