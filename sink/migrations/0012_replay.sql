-- Replays: what was asked for, how far it has come, and where the stream stood when each began.

-- Tables of what replays found, one for each replay and parameter, made like the table of that
-- parameter when the replay begins.
CREATE SCHEMA weather_shadow;

-- ruleset_document: the limits by which it judges, null where it judges as the stream does.
-- problem: why it stopped; asked for again, it goes on. promotion: which of those it is that were
-- promoted behind one batch of the stream.
CREATE TABLE ops.replay (
    name             text        PRIMARY KEY,
    who              text        NOT NULL,
    since            timestamptz NOT NULL,
    until            timestamptz NOT NULL,
    stations         text[]      NOT NULL,
    parameters       text[]      NOT NULL,
    ruleset          text,
    ruleset_document jsonb,
    destination      text        NOT NULL CHECK (destination IN ('shadow', 'live')),
    state            text        NOT NULL CHECK (state IN
        ('judging', 'loading', 'ready', 'promoting', 'promoted', 'dropped')),
    problem          text,
    promotion        smallint,
    readings_done    bigint      NOT NULL DEFAULT 0,
    readings_total   bigint      NOT NULL DEFAULT 0,
    readings_sent    bigint      NOT NULL DEFAULT 0,
    started_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    promoted_at      timestamptz
);

-- Of each partition: the revision of the last batch that the stream had committed, and how far it
-- had read by then. Above that revision is what the stream has said since.
CREATE TABLE ops.replay_part (
    name      text    NOT NULL REFERENCES ops.replay ON DELETE CASCADE,
    partition integer NOT NULL,
    revision  bigint  NOT NULL,
    positions jsonb   NOT NULL,
    PRIMARY KEY (name, partition)
);
