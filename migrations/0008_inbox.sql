-- What waits for a person, each thing once, and what became of it.
create table inbox (
    id          text    primary key,
    -- What it belongs to: whenever that changes, all of its items are brought up to date.
    subject     text    not null,
    -- What waits. The same thing is one item for as long as it stands.
    key         text    not null,
    -- Whether what it is about still stands; one that was put away may.
    stands      boolean not null,
    kind        text    not null,
    status      text    not null,
    rank        bigint  not null,
    repo        text,
    run         text,
    created_at  bigint  not null,
    held_until  bigint,
    seen_at     bigint,
    resolved_at bigint,
    acted       text,
    resolution  text,
    -- The item as it was when it last changed; the columns above have the last word.
    item        text    not null
);
create unique index inbox_standing on inbox (key) where stands;
create index inbox_by_subject on inbox (subject) where stands;
create index inbox_open on inbox (rank, created_at, id) where status = 'open';
create index inbox_ended on inbox (resolved_at, id) where status <> 'open';

-- Ways out for notifications.
create table channels (
    id            text    primary key,
    kind          text    not null,
    name          text    not null,
    -- For people, without anything secret; `address` is what is sent to.
    target        text    not null,
    address       text    not null,
    -- The keys must be known to sign with; the directory of the database is its owner's alone.
    secrets       text    not null,
    device        text,
    kinds         text    not null,
    enabled       boolean not null,
    quiet         text,
    failing_since bigint,
    created_at    bigint  not null
);

-- One word to the outside for each thing that needs a person, written with what caused it.
create table notifications (
    id         text   primary key,
    dedupe_key text   not null unique,
    kind       text   not null,
    title      text   not null,
    line       text   not null,
    actions    text   not null,
    item       text,
    repo       text,
    run        text,
    thread     text,
    created_at bigint not null,
    seen_at    bigint,
    acted_at   bigint
);
create index notifications_by_item on notifications (item) where item is not null;

-- The ledger: a notification on each way out, and what became of it there.
create table notification_deliveries (
    notification    text   not null,
    channel         text   not null,
    channel_kind    text   not null,
    status          text   not null,
    attempts        bigint not null,
    last_error      text,
    last_attempt_at bigint,
    next_attempt_at bigint,
    delivered_at    bigint,
    primary key (notification, channel)
);
create index notification_deliveries_due on notification_deliveries (channel, next_attempt_at)
    where status = 'pending';

-- What the hub has to tell the project manager, until it was told.
create table wakes (
    seq        bigint primary key,
    at         bigint not null,
    rule       text   not null,
    line       text   not null,
    repo       text,
    run        text,
    -- The message it goes in, once that is decided: posted again after a crash it is the same one.
    message    text
);
