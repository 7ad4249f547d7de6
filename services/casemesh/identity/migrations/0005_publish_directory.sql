-- Versions of the signed directory. What was signed never changes, so rows are only added.

CREATE TABLE directory_version (
    version bigint PRIMARY KEY,
    -- SHA-256 of the signed bytes; the next version names it.
    payload_sha256 bytea NOT NULL CHECK (octet_length(payload_sha256) = 32),
    -- SHA-256 of what the version says of agencies, without its number and time: a change of it makes the next version.
    content_sha256 bytea NOT NULL CHECK (octet_length(content_sha256) = 32),
    envelope bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT ON directory_version TO {runtime_role};
