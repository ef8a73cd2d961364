-- Jobs: what was asked for and what became of it, whatever the engine that queues it forgets.

-- A row is a job that was asked for, whoever asked: a person, a schedule, an event of the stream.
-- It is queued together with the engine's own job (engine_id), in one transaction. One that waits
-- for others (after_runs) has none yet. What it counts is as of its last attempt.
CREATE TABLE ops.job_run (
    run_id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job          text        NOT NULL,
    name         text        NOT NULL,
    queue        text        NOT NULL,
    priority     integer     NOT NULL,
    config       jsonb       NOT NULL,
    who          text        NOT NULL,
    cause        text        NOT NULL CHECK (cause IN ('asked', 'schedule', 'event')),
    cause_key    text,
    due_at       timestamptz NOT NULL,
    after_runs   bigint[]    NOT NULL DEFAULT '{}',
    engine_id    bigint,
    status       text        NOT NULL
        CHECK (status IN ('waiting', 'queued', 'running', 'succeeded', 'failed', 'cancelled')),
    stage        text        NOT NULL DEFAULT '',
    percent      real,
    attempt      integer     NOT NULL DEFAULT 0,
    worker_id    bigint,
    extracted    bigint,
    transformed  bigint,
    loaded       bigint,
    failed       bigint,
    score        double precision,
    success_rate double precision GENERATED ALWAYS AS
        (CASE WHEN extracted > 0 THEN greatest(0, 1 - coalesce(failed, 0)::float8 / extracted) END)
        STORED,
    errors       jsonb       NOT NULL DEFAULT '[]',
    notes        jsonb       NOT NULL DEFAULT '{}',
    result       jsonb,
    asked_at     timestamptz NOT NULL DEFAULT now(),
    started_at   timestamptz,
    finished_at  timestamptz,
    duration     interval    GENERATED ALWAYS AS (finished_at - started_at) STORED
);
CREATE INDEX ON ops.job_run (job, asked_at DESC);
CREATE INDEX ON ops.job_run (status) WHERE status IN ('waiting', 'queued', 'running');
-- What starts a job starts it once: an event that is read again finds it there.
CREATE UNIQUE INDEX ON ops.job_run (cause_key) WHERE cause_key IS NOT NULL;

-- How far each schedule has been attended to; whoever attends to it holds its row.
CREATE TABLE ops.job_schedule (
    name     text        PRIMARY KEY,
    last_due timestamptz NOT NULL
);

-- Who is behind the engine's numbers of workers.
CREATE TABLE ops.job_worker (
    worker_id  bigint      PRIMARY KEY,
    host       text        NOT NULL,
    pid        integer     NOT NULL,
    queue      text        NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now()
);

-- The engine's own tables lie in a schema of their own, and are brought up to date by its own
-- scripts: this says up to which of them.
CREATE TABLE ops.job_engine (
    script     text        PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- Alerts that this process's own watch has raised: of each, one stands open at most.
CREATE TABLE ops.alert (
    alert_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text        NOT NULL,
    about       text        NOT NULL,
    severity    text        NOT NULL,
    summary     text        NOT NULL,
    runbook     text        NOT NULL,
    fired_at    timestamptz NOT NULL DEFAULT now(),
    told_at     timestamptz,
    cleared_at  timestamptz,
    cleared_told_at timestamptz
);
CREATE UNIQUE INDEX ON ops.alert (name, about) WHERE cleared_at IS NULL;
CREATE INDEX ON ops.alert (fired_at DESC);
