-- Streams of one attempt write side by side under one epoch; `streams` are those that have not ended.
ALTER TABLE upload_lease
    ADD COLUMN attempt_id uuid,
    ADD COLUMN streams integer NOT NULL DEFAULT 1;

-- How many bytes an agency's dossiers may take, where that is not what the configuration says for all.
CREATE TABLE agency_quota (
    agency text PRIMARY KEY,
    limit_bytes bigint NOT NULL CHECK (limit_bytes >= 0)
);
CREATE INDEX dossier_by_agency ON dossier (agency);

GRANT SELECT ON agency_quota TO {runtime_role};
