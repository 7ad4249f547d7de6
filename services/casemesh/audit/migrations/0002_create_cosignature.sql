-- Cosignatures of log witnesses under checkpoints, one a witness and checkpoint.

CREATE TABLE cosignature (
    size bigint NOT NULL REFERENCES checkpoint (size),
    -- The witness's name in its signature lines.
    witness text NOT NULL,
    line text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (size, witness)
);
CREATE TRIGGER cosignature_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON cosignature
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON cosignature TO {runtime_role};
