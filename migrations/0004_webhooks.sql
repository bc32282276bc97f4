-- Addresses that events are posted to. `cursor` is the last event that was looked at: the lines of
-- the ledger it gave rise to are written in the same transaction.
create table webhooks (
    id               text    primary key,
    url              text    not null,
    description      text    not null,
    filter           text    not null,
    enabled          boolean not null,
    disabled_reason  text,
    failing_since    bigint,
    -- The keys must be known to sign with; the directory of the database is its owner's alone.
    secret           text    not null,
    old_secret       text,
    old_secret_until bigint,
    cursor           bigint  not null,
    created_at       bigint  not null
);

-- The ledger: what is on its way, and what became of it. The body is kept, so that it is sent as it
-- was however often, and when the event itself is no longer kept.
create table deliveries (
    id              text   primary key,
    webhook         text   not null,
    seq             bigint,
    kind            text   not null,
    body            text   not null,
    status          text   not null,
    attempts        bigint not null,
    created_at      bigint not null,
    last_attempt_at bigint,
    last_status     bigint,
    last_error      text,
    next_attempt_at bigint
);
create index deliveries_by_webhook on deliveries (webhook, id);
create index deliveries_due on deliveries (webhook, next_attempt_at) where status = 'pending';
create index deliveries_ended on deliveries (created_at) where status <> 'pending';

-- What was being written in a turn at the last journal line that was committed, so that live text
-- goes on at the right place after a restart. A row goes when nothing is being written.
create table writings (
    turn   text primary key,
    pieces text not null
);
