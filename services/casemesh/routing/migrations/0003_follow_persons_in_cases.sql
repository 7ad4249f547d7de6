-- What becomes of each person in a case, the agencies' own numbers with their history, and who takes whose place.

ALTER TABLE party ADD COLUMN identity_unknown boolean NOT NULL DEFAULT false;

-- Charges that were stated anew stay, with the time from which they no longer hold.
ALTER TABLE charge ADD COLUMN superseded_time timestamptz;

-- Only ever added to. `effective_time` is since when it holds, `record_time` when it became known here.
CREATE TABLE party_history (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    party_id uuid NOT NULL REFERENCES party,
    case_id uuid NOT NULL,
    aspect text NOT NULL
        CHECK (aspect IN ('stage', 'measure', 'custody', 'custodian', 'authority', 'place', 'charges', 'identity')),
    value text NOT NULL,
    effective_time timestamptz NOT NULL,
    record_time timestamptz NOT NULL,
    -- The exchange, the succession, or the case or party itself, by which it was stated; and the exchange's node.
    cause text NOT NULL,
    node text NOT NULL DEFAULT '',
    agency uuid NOT NULL,
    reason text NOT NULL DEFAULT ''
);
CREATE INDEX party_history_of ON party_history (party_id, aspect, effective_time DESC, sequence DESC);

-- The last of it by effective time, so that where a person stands costs one row an aspect.
CREATE TABLE party_state (
    party_id uuid NOT NULL REFERENCES party,
    aspect text NOT NULL,
    value text NOT NULL,
    since timestamptz NOT NULL,
    PRIMARY KEY (party_id, aspect)
);

-- A merging or splitting, with the links it made. A link holds until another succession ends it. The party columns are null
-- in a link between cases.
CREATE TABLE succession (
    succession_id uuid PRIMARY KEY,
    case_id uuid NOT NULL REFERENCES registered_case,
    kind smallint NOT NULL CHECK (kind BETWEEN 1 AND 5),
    agency uuid NOT NULL,
    reason text NOT NULL,
    create_time timestamptz NOT NULL,
    undoes uuid UNIQUE REFERENCES succession
);
CREATE INDEX succession_of_case ON succession (case_id);

CREATE TABLE successor_link (
    link_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    succession_id uuid NOT NULL REFERENCES succession,
    predecessor_case uuid NOT NULL REFERENCES registered_case,
    successor_case uuid NOT NULL REFERENCES registered_case,
    predecessor_party uuid REFERENCES party,
    successor_party uuid REFERENCES party,
    -- Whether the predecessor's place is taken, as in all but the link of a case to those that were split from it.
    replaces boolean NOT NULL,
    -- Whether the successor was made by this succession.
    made boolean NOT NULL,
    end_time timestamptz,
    CHECK ((predecessor_party IS NULL) = (successor_party IS NULL))
);
CREATE INDEX successor_link_of ON successor_link (succession_id);
CREATE INDEX successor_link_from_case ON successor_link (predecessor_case);
CREATE INDEX successor_link_to_case ON successor_link (successor_case);
CREATE INDEX successor_link_from_party ON successor_link (predecessor_party) WHERE predecessor_party IS NOT NULL;
CREATE INDEX successor_link_to_party ON successor_link (successor_party) WHERE successor_party IS NOT NULL;

-- Cases whose stages identity is still to be told: `version` counts the moves, `told_version` those it knows.
CREATE TABLE stage_notice (
    case_id uuid PRIMARY KEY REFERENCES registered_case,
    version bigint NOT NULL,
    told_version bigint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stage_notice_open ON stage_notice (next_attempt_at) WHERE told_version < version;

-- A number that was unlinked may be linked again, so it no longer is the key.
ALTER TABLE local_number
    DROP CONSTRAINT local_number_pkey,
    ADD COLUMN link_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The one form in which two ways of writing it compare equal, and the format it was recognised by.
    ADD COLUMN normalised text NOT NULL DEFAULT '',
    ADD COLUMN format text NOT NULL DEFAULT '',
    ADD COLUMN unlink_time timestamptz,
    ADD COLUMN unlink_reason text NOT NULL DEFAULT '';
UPDATE local_number SET normalised = upper(regexp_replace(normalize(number, NFKC), '\s', '', 'g'));
CREATE UNIQUE INDEX local_number_standing ON local_number (case_id, agency, number) WHERE unlink_time IS NULL;
CREATE INDEX local_number_normalised ON local_number (normalised, link_id) WHERE unlink_time IS NULL;

INSERT INTO party_history (party_id, case_id, aspect, value, effective_time, record_time, cause, agency)
SELECT party.party_id, party.case_id, stated.aspect, stated.value,
    coalesce(party.custody_since::timestamp AT TIME ZONE 'Asia/Shanghai', registered_case.create_time),
    registered_case.create_time, 'cases/' || party.case_id, registered_case.agency
FROM party
JOIN registered_case USING (case_id)
CROSS JOIN LATERAL (
    VALUES
        ('measure', (ARRAY['AT_LIBERTY', 'BAIL', 'RESIDENTIAL_SURVEILLANCE', 'DETAINED', 'ARRESTED'])[party.custody_state]),
        ('custody', CASE WHEN party.custody_state IN (4, 5) THEN 'HELD' ELSE 'NOT_HELD' END),
        ('place', nullif(party.custody_place, ''))
) AS stated (aspect, value)
WHERE party.custody_state IS NOT NULL AND party.custody_state > 0 AND stated.value IS NOT NULL;
INSERT INTO party_state (party_id, aspect, value, since)
SELECT party_id, aspect, value, effective_time FROM party_history;

GRANT SELECT, INSERT ON party_history, succession, successor_link TO {runtime_role};
GRANT SELECT, INSERT, UPDATE ON party_state, stage_notice TO {runtime_role};
GRANT UPDATE (end_time) ON successor_link TO {runtime_role};
GRANT UPDATE (superseded_time) ON charge TO {runtime_role};
GRANT UPDATE (unlink_time, unlink_reason) ON local_number TO {runtime_role};
