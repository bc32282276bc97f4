-- Who did what: a chain in which every line carries the hash of the one before, so that an edited,
-- moved or missing line shows. Lines are only ever added.

create table audit (
    seq        bigint primary key,
    at         bigint not null,
    actor_kind text   not null,
    actor_id   text   not null,
    actor_name text   not null,
    -- Where the request says it came from; nobody has checked that.
    ip_claimed text,
    -- The operation's id in the API, or what the hub did by itself.
    verb       text   not null,
    object     text   not null,
    outcome    text   not null,
    detail     text,
    prev       text   not null,
    hash       text   not null
);
create index audit_by_verb   on audit (verb, seq);
create index audit_by_actor  on audit (actor_id, seq);
create index audit_by_object on audit (object, seq);
