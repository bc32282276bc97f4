-- What keeps a thread from harm: which messages were let through and stopped, and failures in a row.
create table thread_safety (
    thread text primary key,
    state  text not null
);

-- What the agent of a thread was told in its present conversation, as digests of sections; `pending`
-- is what it will have been told when the turn at work ends well.
create table thread_told (
    thread       text   primary key,
    conversation bigint not null,
    told         text   not null,
    pending      text
);

-- The tokens of threads' agents, as far as they are good. The tokens themselves are in files.
create table thread_grants (
    thread    text   primary key,
    repo      text,
    pma       boolean not null,
    token     text   not null,
    previous  text,
    issued_at bigint not null
);
