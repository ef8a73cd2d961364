-- What operators did, and what comparisons of all hops found. Both are records: no row is deleted.

-- An action begins before anything is done and is finished behind it, so that one which stands as
-- begun for long was broken off, and nobody does it twice unknowingly: of two that begin the same
-- attempt one alone gets the row. origin_at parts topics that were created anew.
CREATE TABLE ops.audit (
    audit_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    who         text        NOT NULL,
    action      text        NOT NULL,
    origin      text        NOT NULL,
    origin_at   timestamptz NOT NULL,
    attempt     integer     NOT NULL,
    destination text        NOT NULL,
    state       text        NOT NULL CHECK (state IN ('begun', 'done', 'failed')),
    detail      jsonb       NOT NULL DEFAULT '{}',
    begun_at    timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    UNIQUE (action, origin, origin_at, attempt)
);
CREATE INDEX ON ops.audit (begun_at DESC);

-- Each comparison of source, topics and tables. counts: by parameter and hop; causes: how many
-- differences have which; findings: the first of them by name.
CREATE TABLE ops.reconcile_run (
    run_id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    who         text        NOT NULL,
    since       timestamp,
    until       timestamp,
    parameters  text[]      NOT NULL,
    stations    text[]      NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    counts      jsonb       NOT NULL DEFAULT '{}',
    causes      jsonb       NOT NULL DEFAULT '{}',
    findings    jsonb       NOT NULL DEFAULT '[]',
    repaired    integer     NOT NULL DEFAULT 0
);
