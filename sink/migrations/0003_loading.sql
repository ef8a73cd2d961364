-- How far each group has loaded each partition, and who may: only a writer that knows the epoch.

CREATE TABLE ops.sink_offset (
    consumer_group text        NOT NULL,
    topic          text        NOT NULL,
    partition      integer     NOT NULL,
    topic_id       text        NOT NULL,
    next_offset    bigint      NOT NULL,
    epoch          bigint      NOT NULL,
    updated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer_group, topic, partition)
);

-- What each batch did to the table of each topic. offsets: {"partition": [first, next]}.
CREATE TABLE ops.sink_batch (
    batch_id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer_group text        NOT NULL,
    topic          text        NOT NULL,
    offsets        jsonb       NOT NULL,
    records        integer     NOT NULL,
    inserted       integer     NOT NULL,
    updated        integer     NOT NULL,
    skipped        integer     NOT NULL,
    deleted        integer     NOT NULL,
    dead_lettered  integer     NOT NULL,
    started_at     timestamptz NOT NULL DEFAULT now(),
    duration       interval    NOT NULL
);
CREATE INDEX ON ops.sink_batch (consumer_group, topic, started_at DESC);
