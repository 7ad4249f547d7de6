-- Exchanges that wait for a person to decide what a code stands for.

ALTER TABLE exchange
    DROP CONSTRAINT exchange_state_check,
    ADD CONSTRAINT exchange_state_check CHECK (
        state IN ('SUBMITTED', 'DELIVERED', 'ACCEPTED', 'ANSWERED', 'RETURNED', 'SUPPLEMENTED', 'WITHDRAWN', 'EXPIRED', 'HELD')
    );

CREATE TABLE held_exchange (
    exchange_id uuid PRIMARY KEY REFERENCES exchange,
    -- The state of all maps by which it was last translated; 0 before that.
    revision bigint NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX held_exchange_due ON held_exchange (next_try_at);

GRANT SELECT, INSERT, DELETE ON held_exchange TO {runtime_role};
GRANT UPDATE (revision, next_try_at) ON held_exchange TO {runtime_role};
