-- What the operator's side of the store needs: erased cases, packs made by compaction and packs on their way out, and
-- how far a long task has come.

-- Crypto-erase: the wrapped key goes, the row stays and says who, when and why, so that no other key is made.
ALTER TABLE case_key
    ALTER COLUMN wrapped_key DROP NOT NULL,
    ADD COLUMN erased_at timestamptz,
    ADD COLUMN erased_by text,
    ADD COLUMN erase_reason text,
    ADD CONSTRAINT case_key_or_erasure CHECK (
        num_nonnulls(erased_at, erased_by, erase_reason) = CASE WHEN wrapped_key IS NULL THEN 3 ELSE 0 END);
CREATE TRIGGER case_key_erased_for_good BEFORE UPDATE OR DELETE ON case_key
    FOR EACH ROW WHEN (OLD.wrapped_key IS NULL) EXECUTE FUNCTION refuse_change();

-- A pack made by compaction belongs to no one dossier. A retired one has nothing that counts; it stays for those who
-- looked up its records before, and is deleted when no stream can be that old.
ALTER TABLE pack
    ALTER COLUMN dossier_id DROP NOT NULL,
    ADD COLUMN retired_at timestamptz,
    ADD CONSTRAINT pack_retired_closed CHECK (retired_at IS NULL OR closed);
CREATE TRIGGER pack_deleted_retired BEFORE DELETE ON pack
    FOR EACH ROW WHEN (OLD.retired_at IS NULL) EXECUTE FUNCTION refuse_change();
CREATE INDEX extent_by_pack ON extent (pack_id);

CREATE TABLE care_progress (
    task text PRIMARY KEY,
    -- The last id that is done.
    after_id uuid NOT NULL,
    done_bytes bigint NOT NULL,
    began_at timestamptz NOT NULL
);

-- When a row with a UUIDv7 was made: its first 48 bits are milliseconds.
CREATE FUNCTION made_at(id uuid) RETURNS timestamptz LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN to_timestamp(('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint / 1000.0);

-- When something last happened to a draft: an upload, a document that came by reference, or its making.
CREATE FUNCTION draft_active_at(draft dossier) RETURNS timestamptz LANGUAGE sql STABLE
RETURN greatest(
    draft.created_at,
    (SELECT expires_at FROM upload_lease WHERE upload_lease.dossier_id = draft.dossier_id),
    (SELECT max(made_at(document_id)) FROM document
     WHERE document.dossier_id = draft.dossier_id AND document.revision = draft.revision));

GRANT EXECUTE ON FUNCTION made_at(uuid), draft_active_at(dossier) TO {runtime_role};
GRANT DELETE ON pack TO {runtime_role};
GRANT SELECT, INSERT, UPDATE, DELETE ON care_progress TO {runtime_role};
