-- The log. Everything is written once but `log_state`, the one row that all writers lock and move on.

CREATE TABLE log_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- The log's name in its checkpoints; set when it is first opened, then never again.
    origin text,
    size bigint NOT NULL CHECK (size >= 0),
    root bytea NOT NULL CHECK (octet_length(root) = 32)
);
INSERT INTO log_state (size, root) VALUES (0, sha256(''::bytea));

-- What the tree is made of. It tells nothing about a case but how many events it has, and stays for ever.
CREATE TABLE entry (
    log_index bigint PRIMARY KEY,
    event_id uuid NOT NULL UNIQUE,
    case_name text,
    case_sequence bigint,
    commitment bytea NOT NULL CHECK (octet_length(commitment) = 32),
    CHECK ((case_name IS NULL) = (case_sequence IS NULL)),
    UNIQUE (case_name, case_sequence)
);

-- What the commitments are to. Apart from `entry`, so that salt and event can go one day and the tree stays.
CREATE TABLE event (
    log_index bigint PRIMARY KEY,
    salt bytea NOT NULL CHECK (octet_length(salt) = 32),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    canonical_json bytea NOT NULL
);

-- Full tiles of 256 hashes. `root` repeats what they hash to, so that the level above is read without them.
CREATE TABLE tile (
    level smallint NOT NULL,
    tile_index bigint NOT NULL,
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    hashes bytea NOT NULL CHECK (octet_length(hashes) = 8192),
    PRIMARY KEY (level, tile_index)
);
-- Hashes do not compress, and lie apart from the rows.
ALTER TABLE tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

CREATE TABLE checkpoint (
    size bigint PRIMARY KEY,
    note text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Against mistakes of people with more rights than the service; against intent there are checkpoints held elsewhere.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are written once', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER entry_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER tile_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON tile
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER checkpoint_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON entry, event, tile, checkpoint TO {runtime_role};
GRANT SELECT, UPDATE ON log_state TO {runtime_role};
