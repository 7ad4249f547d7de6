-- Versions that wait for their activation, rules in maps, what was carried unmapped and waits for a decision, and how often codes were carried.

ALTER TABLE code_system_version
    ADD COLUMN state text NOT NULL DEFAULT 'active' CHECK (state IN ('draft', 'active', 'retired')),
    ADD COLUMN loaded_by text NOT NULL DEFAULT '',
    ADD COLUMN signer text NOT NULL DEFAULT '';

ALTER TABLE concept_map_version
    ADD COLUMN state text NOT NULL DEFAULT 'active' CHECK (state IN ('draft', 'active', 'retired')),
    ADD COLUMN loaded_by text NOT NULL DEFAULT '',
    ADD COLUMN signer text NOT NULL DEFAULT '';

ALTER TABLE concept_map_pair
    ADD COLUMN priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 999),
    ADD COLUMN condition text NOT NULL DEFAULT '';

-- Only codes that a loaded table has stand here, never what somebody typed.
CREATE TABLE unmapped_code (
    id uuid PRIMARY KEY,
    source_code_system text NOT NULL,
    code text NOT NULL,
    target_code_system text NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'decided', 'resolved')),
    seen_count bigint NOT NULL CHECK (seen_count > 0),
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    example text NOT NULL,
    decided_code text NOT NULL DEFAULT '',
    decided_equivalence text CHECK (decided_equivalence IN ('exact', 'broader', 'narrower', 'none')),
    decision_note text NOT NULL DEFAULT '',
    concept_map text NOT NULL DEFAULT '',
    concept_map_version text NOT NULL DEFAULT '',
    resolved_revision bigint,
    effective_from date,
    UNIQUE (source_code_system, target_code_system, code),
    CHECK ((state = 'resolved') = (resolved_revision IS NOT NULL)),
    CHECK (state <> 'decided' OR (decided_code = '') = (decided_equivalence = 'none'))
);
CREATE INDEX unmapped_code_waiting ON unmapped_code (state, seen_count DESC, id);
CREATE INDEX unmapped_code_resolved ON unmapped_code (resolved_revision, id) WHERE resolved_revision IS NOT NULL;

CREATE TABLE code_traffic (
    source_code_system text NOT NULL,
    target_code_system text NOT NULL,
    code text NOT NULL,
    -- The first day of the month.
    month date NOT NULL,
    use_count bigint NOT NULL CHECK (use_count > 0),
    PRIMARY KEY (source_code_system, target_code_system, code, month)
);

GRANT UPDATE (state, loaded_by) ON code_system_version TO {runtime_role};
GRANT UPDATE (state, loaded_by, effective_from, effective_until) ON concept_map_version TO {runtime_role};
GRANT SELECT, INSERT ON unmapped_code, code_traffic TO {runtime_role};
GRANT UPDATE (use_count) ON code_traffic TO {runtime_role};
GRANT UPDATE (
    state, seen_count, last_seen_at, example, decided_code, decided_equivalence, decision_note, concept_map, concept_map_version,
    resolved_revision, effective_from
) ON unmapped_code TO {runtime_role};
