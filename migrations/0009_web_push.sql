-- Tokens of pushed actions that were used, until they would have run out.
create table push_actions (
    token      text   primary key,
    used_at    bigint not null,
    expires_at bigint not null
);
create index push_actions_by_end on push_actions (expires_at);
