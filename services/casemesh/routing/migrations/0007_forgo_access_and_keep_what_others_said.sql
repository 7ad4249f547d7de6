-- What a withdrawn exchange no longer owes, what others said that it said, and whom an exchange is about.

-- `forgone_time`: nobody is to get this access any more. `join_time`: the agency was brought into the case, though the rest
-- is still owed; where that rest is forgone, it becomes the fulfil_time, which is the evidence of taking part.
ALTER TABLE obligation
    ADD COLUMN forgone_time timestamptz,
    ADD COLUMN join_time timestamptz;

-- A delivery that is withheld has no number, so that those after it move up and leave no gap. Checked at the end of each
-- statement, since moving up passes through numbers that are taken.
ALTER TABLE delivery
    ALTER COLUMN delivery_sequence DROP NOT NULL,
    DROP CONSTRAINT delivery_case_id_recipient_delivery_sequence_key,
    ADD CONSTRAINT delivery_number UNIQUE (case_id, recipient, delivery_sequence) DEFERRABLE INITIALLY IMMEDIATE;

-- A draft that was discarded holds nothing; its case stays known to whoever repeats that.
ALTER TABLE exchange_draft ADD COLUMN discard_time timestamptz;

-- Whom it is about, so that nobody needs to read the content for it. Null for what was committed before.
ALTER TABLE exchange ADD COLUMN parties uuid[];

-- Since when a row no longer counts, because its exchange was withdrawn. A row that tells of what then stood again never
-- counts: it ended as it was written.
ALTER TABLE party_history ADD COLUMN end_time timestamptz;
UPDATE party_history SET end_time = record_time WHERE cause LIKE 'exchanges/%' AND reason IN ('withdrawn', 'supplemented');
UPDATE party_history AS said SET end_time = ending.record_time FROM party_history AS ending
WHERE said.end_time IS NULL AND ending.end_time = ending.record_time AND ending.cause = said.cause
    AND ending.party_id = said.party_id AND ending.aspect = said.aspect AND ending.sequence > said.sequence;

-- Who said what stood already: it stays when the row it restates ends.
CREATE TABLE party_restatement (
    party_id uuid NOT NULL REFERENCES party,
    aspect text NOT NULL,
    restates bigint NOT NULL,
    effective_time timestamptz NOT NULL,
    record_time timestamptz NOT NULL,
    cause text NOT NULL,
    node text NOT NULL DEFAULT '',
    agency uuid NOT NULL,
    PRIMARY KEY (party_id, cause, aspect)
);

GRANT UPDATE (forgone_time, join_time) ON obligation TO {runtime_role};
GRANT UPDATE (delivery_sequence) ON delivery TO {runtime_role};
GRANT UPDATE (discard_time) ON exchange_draft TO {runtime_role};
GRANT UPDATE (parties) ON exchange TO {runtime_role};
GRANT UPDATE (end_time) ON party_history TO {runtime_role};
GRANT SELECT, INSERT, DELETE ON party_restatement TO {runtime_role};
GRANT UPDATE (restates, effective_time, record_time, node) ON party_restatement TO {runtime_role};
