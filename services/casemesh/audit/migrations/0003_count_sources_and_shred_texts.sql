-- How far each source has told its events, and texts that are no longer to be kept.

-- Numbers of a source run from 1 without gaps; what is missing is what `received` lacks below its end. One row a source,
-- written in the transaction that appends.
CREATE TABLE source_progress (
    source text PRIMARY KEY,
    received int8multirange NOT NULL,
    -- Numbers that two different events bear.
    repeated int8multirange NOT NULL DEFAULT '{}',
    append_time timestamptz NOT NULL DEFAULT now(),
    lag_millis bigint NOT NULL
);

-- A proposal to shred the texts of a case's readings. `tombstone` is the event that tells of it, fixed when another
-- administrator approves.
CREATE TABLE shredding (
    shredding_id uuid PRIMARY KEY,
    case_name text NOT NULL,
    actions text[] NOT NULL CHECK (cardinality(actions) > 0),
    before_time timestamptz NOT NULL,
    reason text NOT NULL,
    proposed_by text NOT NULL,
    propose_time timestamptz NOT NULL,
    decided_by text,
    decide_time timestamptz,
    approved boolean,
    tombstone uuid,
    event_count integer NOT NULL DEFAULT 0,
    done_time timestamptz,
    CHECK (NOT approved OR decided_by <> proposed_by),
    CHECK (num_nulls(decided_by, decide_time, approved) IN (0, 3)),
    CHECK (coalesce(approved, false) = (tombstone IS NOT NULL)),
    CHECK (done_time IS NULL OR approved)
);
CREATE INDEX shredding_undone ON shredding (tombstone) WHERE approved AND done_time IS NULL;

CREATE TABLE shredded_event (
    log_index bigint PRIMARY KEY,
    shredding_id uuid NOT NULL REFERENCES shredding
);
CREATE INDEX shredded_event_of ON shredded_event (shredding_id);
CREATE TRIGGER shredded_event_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON shredded_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER shredding_kept BEFORE DELETE OR TRUNCATE ON shredding
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER shredding_decided_once BEFORE UPDATE ON shredding
    FOR EACH ROW WHEN (OLD.decided_by IS NOT NULL AND (OLD.done_time IS NOT NULL OR NEW.done_time IS NULL))
    EXECUTE FUNCTION refuse_change();

-- A text goes only once the log tells that it does, by whom and why. The runtime role may not delete at all; it may ask
-- for this.
CREATE FUNCTION refuse_unless_shredded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM shredded_event JOIN shredding USING (shredding_id) JOIN entry ON entry.event_id = shredding.tombstone
        WHERE shredded_event.log_index = OLD.log_index
    ) THEN
        RAISE EXCEPTION 'rows of % are written once', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END
$$;
DROP TRIGGER event_written_once ON event;
CREATE TRIGGER event_written_once BEFORE UPDATE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_deleted_shredded BEFORE DELETE ON event
    FOR EACH ROW EXECUTE FUNCTION refuse_unless_shredded();

CREATE FUNCTION shred(wanted uuid) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM event USING shredded_event
    WHERE event.log_index = shredded_event.log_index AND shredded_event.shredding_id = wanted;
    GET DIAGNOSTICS gone = ROW_COUNT;
    UPDATE shredding SET done_time = now() WHERE shredding_id = wanted AND done_time IS NULL;
    RETURN gone;
END
$$;
REVOKE EXECUTE ON FUNCTION shred(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shred(uuid) TO {runtime_role};

GRANT SELECT, INSERT, UPDATE ON source_progress TO {runtime_role};
GRANT SELECT, INSERT ON shredding, shredded_event TO {runtime_role};
GRANT UPDATE (decided_by, decide_time, approved, tombstone, event_count) ON shredding TO {runtime_role};
