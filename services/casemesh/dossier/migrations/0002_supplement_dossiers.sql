-- Versions of a dossier: a supplement is a draft of the next revision, which begins with the documents of the one before
-- by reference. So contents come to belong to several documents, and documents to a revision.

ALTER TABLE dossier ADD COLUMN revision integer NOT NULL DEFAULT 1 CHECK (revision > 0);

ALTER TABLE document
    ADD COLUMN revision integer NOT NULL DEFAULT 1,
    -- The parties of the case it concerns; none means all.
    ADD COLUMN parties text[] NOT NULL DEFAULT '{}',
    DROP CONSTRAINT document_pkey,
    DROP CONSTRAINT document_blob_id_key,
    DROP CONSTRAINT document_dossier_id_volume_file_name_key,
    ADD PRIMARY KEY (dossier_id, revision, document_index),
    ADD CONSTRAINT document_name_key UNIQUE (dossier_id, revision, volume, file_name);
CREATE INDEX document_by_blob ON document (blob_id);

-- Content is found by digest within a case, never across cases.
CREATE INDEX blob_by_content ON blob (case_name, sha256) WHERE sha256 IS NOT NULL;

ALTER TABLE dossier_version
    ADD COLUMN revision integer NOT NULL DEFAULT 1,
    ADD COLUMN parent_id uuid REFERENCES dossier_version,
    ADD COLUMN internal boolean NOT NULL DEFAULT false,
    ADD COLUMN root_statement bytea,
    DROP CONSTRAINT dossier_version_dossier_id_key,
    ADD CONSTRAINT dossier_version_revision_key UNIQUE (dossier_id, revision);
