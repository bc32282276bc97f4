-- Conversations with agents outside any run. A message is one turn: there is no other row for it.
create table threads (
    id          text   primary key,
    kind        text   not null,
    name        text   not null,
    repo        text,
    agent       text   not null,
    model       text,
    effort      text,
    approvals   text   not null,
    -- What the engine remembers of it, its queue included.
    lane        text   not null,
    -- Whether it has something to do: what is taken up after a start.
    at_work     boolean not null,
    -- Number of its last message.
    messages    bigint not null,
    preview     text,
    usage       text   not null,
    -- Tokens used so far in the agent's present conversation, as the agent counts them.
    spent       text   not null,
    forked_from text,
    created_at  bigint not null,
    updated_at  bigint not null,
    archived_at bigint
);
-- There is exactly one thread of the project manager.
create unique index threads_pma on threads (kind) where kind = 'pma';
create index threads_by_time on threads (updated_at, id);
create index threads_at_work on threads (id) where at_work;

create table messages (
    id             text   primary key,
    thread         text   not null,
    number         bigint not null,
    conversation   bigint not null,
    origin         text   not null,
    author         text   not null,
    client_turn_id text,
    body           text   not null,
    attachments    text   not null,
    status         text   not null,
    detail         text,
    continues      text,
    turn           text,
    session        text,
    answer         text,
    error          text,
    usage          text   not null,
    plan           text   not null,
    created_at     bigint not null,
    started_at     bigint,
    ended_at       bigint
);
create unique index messages_by_thread on messages (thread, number);
-- Posted again, it is the same message.
create unique index messages_by_client_turn on messages (thread, client_turn_id)
    where client_turn_id is not null;

-- What can be searched, in the order it was written: a message's own words, or its answer's. The
-- index over it is the store's own (`message_search.rs`), because each database has another kind.
create table message_texts (
    id        bigint  primary key,
    message   text    not null,
    in_answer boolean not null
);
create unique index message_texts_by_message on message_texts (message, in_answer);
insert into counters (name, value) values ('message_texts', 0);

alter table events add column thread text;
create index events_by_thread on events (thread, seq) where thread is not null;

-- An agent's process works for a run or for a thread; so do its questions.
create table sessions_of_both (
    id         text   primary key,
    run        text,
    thread     text,
    agent      text   not null,
    dir        text   not null,
    line       bigint not null,
    driver     text,
    started_at bigint not null,
    ended_at   bigint
);
insert into sessions_of_both (id, run, agent, dir, line, driver, started_at, ended_at)
    select id, run, agent, dir, line, driver, started_at, ended_at from sessions;
drop table sessions;
alter table sessions_of_both rename to sessions;
create index sessions_open on sessions (run, thread) where ended_at is null;

create table approvals_of_both (
    id          text   primary key,
    run         text,
    thread      text,
    turn        text   not null,
    session     text   not null,
    key         text   not null,
    request     text   not null,
    asked_at    bigint not null,
    decision    text,
    resolved_at bigint
);
insert into approvals_of_both
        (id, run, turn, session, key, request, asked_at, decision, resolved_at)
    select id, run, turn, session, key, request, asked_at, decision, resolved_at from approvals;
drop table approvals;
alter table approvals_of_both rename to approvals;
create index approvals_open on approvals (run, thread) where resolved_at is null;
