-- What agents have used, one row a turn that has ended, of a run or of a thread, so that it can be
-- counted without reading turns. `repo` is where the turn was, also when that repo has left the hub.
create table usage (
    turn                text   primary key,
    run                 text,
    thread              text,
    repo                text,
    agent               text   not null,
    -- Where the agent tells.
    model               text,
    input_tokens        bigint not null,
    cached_input_tokens bigint not null,
    output_tokens       bigint not null,
    reasoning_tokens    bigint not null,
    -- In millionths of the hub's currency, at the price when it ended; absent without a price.
    cost                bigint,
    started_at          bigint not null,
    ended_at            bigint not null
);
create index usage_by_time on usage (ended_at);
create index usage_by_thread on usage (thread) where thread is not null;

-- The model a turn runs with, known before it ends.
alter table turns add column model text;

-- What there is by now. It had no price. (The functions that read JSON are SQLite's own.)
insert into usage (turn, run, repo, agent, input_tokens, cached_input_tokens, output_tokens,
        reasoning_tokens, started_at, ended_at)
    select turns.id, turns.run, runs.repo, turns.agent,
        coalesce(json_extract(turns.usage, '$.input_tokens'), 0),
        coalesce(json_extract(turns.usage, '$.cached_input_tokens'), 0),
        coalesce(json_extract(turns.usage, '$.output_tokens'), 0),
        coalesce(json_extract(turns.usage, '$.reasoning_tokens'), 0),
        turns.started_at, turns.ended_at
    from turns left join runs on runs.id = turns.run
    where turns.ended_at is not null;
-- A message may have had several turns; they are counted as its last one.
insert into usage (turn, thread, repo, agent, input_tokens, cached_input_tokens, output_tokens,
        reasoning_tokens, started_at, ended_at)
    select messages.turn, messages.thread, threads.repo, threads.agent,
        coalesce(json_extract(messages.usage, '$.input_tokens'), 0),
        coalesce(json_extract(messages.usage, '$.cached_input_tokens'), 0),
        coalesce(json_extract(messages.usage, '$.output_tokens'), 0),
        coalesce(json_extract(messages.usage, '$.reasoning_tokens'), 0),
        coalesce(messages.started_at, messages.created_at), messages.ended_at
    from messages join threads on threads.id = messages.thread
    where messages.ended_at is not null and messages.turn is not null;
