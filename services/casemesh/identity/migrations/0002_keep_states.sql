-- Enrolment with a second administrator's approval, suspending and revoking: agencies and single certificates have a state
-- too, and every change of a state is kept.

ALTER TABLE agency
    ADD COLUMN state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'revoked')),
    -- The certificate of the agency's own CA in DER; none where systems are registered by fingerprint alone.
    ADD COLUMN authority bytea;

ALTER TABLE client
    DROP CONSTRAINT client_state_check,
    ADD CONSTRAINT client_state_check CHECK (state IN ('registered', 'active', 'suspended', 'revoked'));

ALTER TABLE client_certificate
    ADD COLUMN state text NOT NULL DEFAULT 'active' CHECK (state IN ('registered', 'active', 'revoked')),
    -- What was read of the certificate; unknown for one that was registered by its fingerprint.
    ADD COLUMN spiffe_id text,
    ADD COLUMN not_after timestamptz,
    -- The administrator, or the system that renewed its own.
    ADD COLUMN registered_by text NOT NULL DEFAULT '';
CREATE INDEX client_certificate_of ON client_certificate (client_id);

-- `resource` is the name of an agency, officer, system, workstation or certificate.
CREATE TABLE state_change (
    id uuid PRIMARY KEY,
    resource text NOT NULL,
    state text NOT NULL CHECK (state IN ('active', 'suspended', 'revoked')),
    reason text NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX state_change_of ON state_change (resource, changed_at);

GRANT SELECT, INSERT ON state_change TO {runtime_role};
GRANT UPDATE (state) ON agency, officer, client, client_certificate TO {runtime_role};
