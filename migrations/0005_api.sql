-- Requests that carried an `Idempotency-Key`, kept for a day. `made` is written in the transaction
-- of what the request did, so that a repetition after a crash finds it; the answer follows.
create table idempotency (
    owner      text   not null,
    key        text   not null,
    -- SHA-256 of the operation and its body.
    request    text   not null,
    created_at bigint not null,
    made       text,
    status     bigint,
    headers    text,
    -- Absent although there is a status: the answer held a secret, which is not kept.
    body       text,
    primary key (owner, key)
);
create index idempotency_by_time on idempotency (created_at);

-- What a job had to say, line by line.
create table job_lines (
    job  text   not null,
    seq  bigint not null,
    at   bigint not null,
    line text   not null,
    primary key (job, seq)
);
alter table jobs add column kind text;
alter table jobs add column repo text;
create index jobs_at_work on jobs (id) where status = 'running';
alter table salvages add column repo text;
