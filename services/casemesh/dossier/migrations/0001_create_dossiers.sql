-- Dossiers: what they hold, where the bytes lie, who may read them. Bytes themselves are in packs on disk, sealed with
-- a key per case; here are their places. Order of writing: bytes durable, then rows, then the sender is told.

-- A case's data key, wrapped by the key provider. Without this row the case's packs cannot be read by anyone.
CREATE TABLE case_key (
    case_name text PRIMARY KEY,
    wrapped_key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE dossier (
    dossier_id uuid PRIMARY KEY,
    case_name text NOT NULL,
    agency text NOT NULL,
    title text NOT NULL,
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'final')),
    -- The sender has said that everything is sent, and it held.
    upload_finished boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dossier_by_case ON dossier (case_name, dossier_id);

-- Who writes to a draft. The epoch only grows; a commit under an older one is refused, so that a writer who was
-- overtaken cannot add anything, however late it wakes.
CREATE TABLE upload_lease (
    dossier_id uuid PRIMARY KEY REFERENCES dossier,
    upload_id uuid NOT NULL,
    epoch bigint NOT NULL,
    expires_at timestamptz NOT NULL
);

-- One writer each. Beyond `end_bytes` there may be more on disk, which counts only once it was verified and adopted;
-- beyond the end of a closed pack nothing ever counts.
CREATE TABLE pack (
    pack_id uuid PRIMARY KEY,
    case_name text NOT NULL,
    dossier_id uuid NOT NULL REFERENCES dossier,
    epoch bigint NOT NULL,
    end_bytes bigint NOT NULL,
    records bigint NOT NULL,
    closed boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX pack_open ON pack (dossier_id, epoch) WHERE NOT closed;

-- Content, apart from the documents that have it: one content may come to belong to several documents of a case.
CREATE TABLE blob (
    blob_id uuid PRIMARY KEY,
    case_name text NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
    received_bytes bigint NOT NULL CHECK (received_bytes BETWEEN 0 AND size_bytes),
    chunks integer NOT NULL,
    -- Set once the content has arrived whole and been verified.
    sha256 bytea CHECK (sha256 IS NULL OR (octet_length(sha256) = 32 AND received_bytes = size_bytes))
);

-- A run of a blob's records in a pack: what must be known to read it from any place.
CREATE TABLE extent (
    blob_id uuid NOT NULL REFERENCES blob,
    chunk_index integer NOT NULL,
    pack_id uuid NOT NULL REFERENCES pack,
    position_bytes bigint NOT NULL,
    stored_bytes bigint NOT NULL,
    record_number bigint NOT NULL,
    offset_bytes bigint NOT NULL,
    length_bytes bigint NOT NULL,
    PRIMARY KEY (blob_id, chunk_index)
);

CREATE TABLE document (
    dossier_id uuid NOT NULL REFERENCES dossier,
    document_index integer NOT NULL,
    document_id uuid NOT NULL UNIQUE,
    volume text NOT NULL,
    file_name text NOT NULL,
    media_type text NOT NULL,
    page_count integer NOT NULL CHECK (page_count > 0),
    blob_id uuid NOT NULL UNIQUE REFERENCES blob,
    PRIMARY KEY (dossier_id, document_index),
    UNIQUE (dossier_id, volume, file_name)
);

-- Fixed content. Never updated, never deleted; the manifest is the signed envelope as it is given out.
CREATE TABLE dossier_version (
    version_id uuid PRIMARY KEY,
    dossier_id uuid NOT NULL UNIQUE REFERENCES dossier,
    case_name text NOT NULL,
    agency text NOT NULL,
    document_count integer NOT NULL,
    page_count integer NOT NULL,
    size_bytes bigint NOT NULL,
    root_hash bytea NOT NULL CHECK (octet_length(root_hash) = 32),
    manifest bytea NOT NULL,
    finalized_at timestamptz NOT NULL
);
-- Base64 of signatures and digests does not compress, and is read in slices.
ALTER TABLE dossier_version ALTER COLUMN manifest SET STORAGE EXTERNAL;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are written once', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER dossier_version_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON dossier_version
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Which agency may read a version, besides the one that made it, and through which exchange it came to it.
CREATE TABLE version_grant (
    version_id uuid NOT NULL REFERENCES dossier_version,
    agency text NOT NULL,
    exchange text NOT NULL,
    granted_by text NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (version_id, agency, exchange)
);
CREATE INDEX version_grant_by_agency ON version_grant (agency, version_id);

GRANT SELECT, INSERT ON case_key, dossier_version, version_grant TO {runtime_role};
GRANT SELECT, INSERT, UPDATE ON dossier, upload_lease, pack TO {runtime_role};
-- Deleted where a document's bytes proved wrong before it was whole.
GRANT SELECT, INSERT, UPDATE, DELETE ON blob, extent, document TO {runtime_role};
