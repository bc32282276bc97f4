-- Shells on the hub's machine, also those that have ended.
create table terminals (
    id         text   primary key,
    status     text   not null,
    created_at bigint not null,
    ended_at   bigint,
    body       text   not null
);
create index terminals_by_end on terminals (ended_at);
