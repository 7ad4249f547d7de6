-- Tables of codes and maps between them. A version is written once; which one is in force is told by the revision at which it was last put
-- in force. Replicas keep what is in force in memory and read `catalogue_revision` to see whether that is still so.

CREATE TABLE catalogue_revision (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    revision bigint NOT NULL
);
INSERT INTO catalogue_revision (revision) VALUES (0);

CREATE TABLE code_system_version (
    code_system text NOT NULL,
    version text NOT NULL,
    display_name text NOT NULL,
    source text NOT NULL,
    code_count integer NOT NULL CHECK (code_count > 0),
    content_sha256 bytea NOT NULL CHECK (octet_length(content_sha256) = 32),
    in_force_revision bigint NOT NULL UNIQUE,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (code_system, version)
);

CREATE TABLE code (
    code_system text NOT NULL,
    version text NOT NULL,
    -- The place in the file: a code may stand in a table more than once, with one meaning a period.
    position integer NOT NULL,
    code text NOT NULL,
    name_zh text NOT NULL,
    effective_from date,
    effective_until date,
    successors text[] NOT NULL,
    properties jsonb NOT NULL,
    PRIMARY KEY (code_system, version, position),
    FOREIGN KEY (code_system, version) REFERENCES code_system_version
);

CREATE TABLE concept_map_version (
    concept_map text NOT NULL,
    version text NOT NULL,
    source_code_system text NOT NULL,
    -- The tables whose codes the pairs were checked against.
    source_version text NOT NULL,
    target_code_system text NOT NULL,
    target_version text NOT NULL,
    effective_from date,
    effective_until date,
    pair_count integer NOT NULL CHECK (pair_count > 0),
    content_sha256 bytea NOT NULL CHECK (octet_length(content_sha256) = 32),
    in_force_revision bigint NOT NULL UNIQUE,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (concept_map, version),
    FOREIGN KEY (source_code_system, source_version) REFERENCES code_system_version (code_system, version),
    FOREIGN KEY (target_code_system, target_version) REFERENCES code_system_version (code_system, version)
);

CREATE TABLE concept_map_pair (
    concept_map text NOT NULL,
    version text NOT NULL,
    position integer NOT NULL,
    from_code text NOT NULL,
    to_code text NOT NULL,
    equivalence text NOT NULL CHECK (equivalence IN ('exact', 'broader', 'narrower', 'none')),
    effective_from date,
    effective_until date,
    note text NOT NULL,
    PRIMARY KEY (concept_map, version, position),
    FOREIGN KEY (concept_map, version) REFERENCES concept_map_version,
    CHECK ((to_code = '') = (equivalence = 'none'))
);

GRANT SELECT, INSERT ON code_system_version, code, concept_map_version, concept_map_pair TO {runtime_role};
GRANT UPDATE (in_force_revision) ON code_system_version, concept_map_version TO {runtime_role};
GRANT SELECT, UPDATE ON catalogue_revision TO {runtime_role};
