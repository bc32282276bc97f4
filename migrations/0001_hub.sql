-- The hub's database. Portable subset (see README.md here): text ids, bigint microseconds,
-- JSON as text. Files decide; what is here is history, queues and indexes.

create table counters (
    name  text   primary key,
    value bigint not null
);
insert into counters (name, value) values ('events', 0);

-- Facts about this database, such as the hub's instance id.
create table facts (
    name  text primary key,
    value text not null
);

-- The log. `seq` comes from `counters` in the writing transaction, so it has no gaps and a
-- reader that follows it never skips one.
create table events (
    seq     bigint primary key,
    at      bigint not null,
    kind    text   not null,
    repo    text,
    run     text,
    payload text   not null
);
create index events_by_run  on events (run, seq)  where run is not null;
create index events_by_repo on events (repo, seq) where repo is not null;

create table runs (
    id          text   primary key,
    repo        text   not null,
    status      text   not null,
    flow        text   not null,
    base_commit text,
    created_at  bigint not null,
    queued_at   bigint not null,
    started_at  bigint,
    ended_at    bigint
);
-- Never two runs in one working tree, not even while one waits.
create unique index runs_active on runs (repo)
    where status in ('pending', 'running', 'paused', 'parked', 'stopping');
create index runs_by_time on runs (created_at);

-- What a committed transition obliges the hub to do. A row goes when it was done.
create table effects (
    run    text   not null,
    step   bigint not null,
    place  bigint not null,
    effect text   not null,
    primary key (run, step, place)
);

create table turns (
    id          text   primary key,
    run         text   not null,
    number      bigint not null,
    ticket      text   not null,
    ticket_file text   not null,
    agent       text   not null,
    purpose     text   not null,
    status      text   not null,
    session     text,
    thread      text,
    prompt_hash text,
    started_at  bigint not null,
    ended_at    bigint,
    usage       text   not null,
    message     text,
    error       text,
    diff        text,
    -- The tree's fingerprint when the turn began: whether an interrupted turn changed anything.
    fingerprint text
);
create index turns_by_run on turns (run, number);

create table items (
    turn      text   not null,
    place     bigint not null,
    item      text   not null,
    completed boolean not null,
    body      text   not null,
    primary key (turn, item)
);

-- One agent process under its shim, and how far its journal was taken in.
create table sessions (
    id         text   primary key,
    run        text   not null,
    agent      text   not null,
    dir        text   not null,
    line       bigint not null,
    driver     text,
    started_at bigint not null,
    ended_at   bigint
);
create index sessions_open on sessions (run) where ended_at is null;

create table approvals (
    id          text   primary key,
    run         text   not null,
    turn        text   not null,
    session     text   not null,
    key         text   not null,
    request     text   not null,
    asked_at    bigint not null,
    decision    text,
    resolved_at bigint
);
create index approvals_open on approvals (run) where resolved_at is null;

-- The latest verdict on each ticket.
create table verdicts (
    repo    text   not null,
    ticket  text   not null,
    verdict text   not null,
    run     text   not null,
    tree    text,
    at      bigint not null,
    primary key (repo, ticket)
);

-- The ticket index: what was read of each file, so that a start reads only what changed.
create table ticket_files (
    repo  text   not null,
    file  text   not null,
    size  bigint not null,
    mtime bigint not null,
    hash  text   not null,
    entry text   not null,
    primary key (repo, file)
);

create table jobs (
    id         text   primary key,
    status     text   not null,
    created_at bigint not null,
    body       text   not null
);

create table tokens (
    id           text   primary key,
    name         text   not null,
    secret_hash  text   not null unique,
    created_at   bigint not null,
    expires_at   bigint,
    last_used_at bigint,
    revoked_at   bigint
);

create table salvages (
    id         text   primary key,
    created_at bigint not null,
    body       text   not null
);

-- Accounts whose quota is used up, and what they last reported.
create table accounts (
    account    text   primary key,
    held_until bigint,
    limits     text   not null
);
