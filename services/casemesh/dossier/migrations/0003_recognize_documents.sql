-- Recognition of documents: what their bytes are, what type they have, what officers have taught, and what is left to do.

-- One row a content: whoever has it in a dossier of the case has the same findings. `due_at` is when it may be taken to
-- be examined, `attempts` how often that was begun; one that was never ended three times is given up as unreadable.
CREATE TABLE recognition (
    blob_id uuid PRIMARY KEY REFERENCES blob ON DELETE CASCADE,
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    examined_at timestamptz,
    format text NOT NULL DEFAULT '',
    page_count integer NOT NULL DEFAULT 0 CHECK (page_count >= 0),
    problems text[] NOT NULL DEFAULT '{}',
    -- The one line of the text that stands as its title, for rules and for who looks at the guess.
    title text NOT NULL DEFAULT ''
);
CREATE INDEX recognition_waiting ON recognition (due_at) WHERE examined_at IS NULL;

-- One row a document, by its name at first. An officer's word (`officer`) is never overwritten by a guess.
CREATE TABLE classification (
    document_id uuid PRIMARY KEY REFERENCES document (document_id) ON DELETE CASCADE,
    -- The type of the catalogue; null where none was found, or where an officer said that it is none of them.
    type_code text,
    confidence real NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    source text NOT NULL DEFAULT '' CHECK (source IN ('', 'name', 'text', 'ocr', 'rule', 'officer')),
    reason text NOT NULL,
    officer text,
    corrected_at timestamptz,
    CHECK ((source = 'officer') = (officer IS NOT NULL AND corrected_at IS NOT NULL))
);

-- What an agency's officers have taught: a name or a title line, as titles are compared, and the type it means.
CREATE TABLE recognition_rule (
    rule_id uuid PRIMARY KEY,
    agency text NOT NULL,
    title text NOT NULL,
    type_code text,
    officer text NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (agency, title)
);

-- Dossiers that may hold documents without a type yet. `due_at` moves out while nothing comes, and back when the dossier
-- changes.
CREATE TABLE recognition_due (
    dossier_id uuid PRIMARY KEY REFERENCES dossier ON DELETE CASCADE,
    due_at timestamptz NOT NULL DEFAULT now(),
    pause interval NOT NULL DEFAULT '1 second'
);
CREATE INDEX recognition_due_by_time ON recognition_due (due_at);
INSERT INTO recognition_due (dossier_id) SELECT dossier_id FROM dossier;

CREATE FUNCTION recognize_dossier() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recognition_due (dossier_id) VALUES (NEW.dossier_id)
    ON CONFLICT (dossier_id) DO UPDATE SET due_at = now(), pause = '1 second';
    RETURN NULL;
END
$$;
CREATE TRIGGER dossier_recognized AFTER INSERT OR UPDATE ON dossier
    FOR EACH ROW EXECUTE FUNCTION recognize_dossier();

GRANT SELECT, INSERT, UPDATE ON recognition, classification TO {runtime_role};
GRANT SELECT, INSERT, UPDATE, DELETE ON recognition_rule, recognition_due TO {runtime_role};
