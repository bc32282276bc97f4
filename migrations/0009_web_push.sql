-- Browsers that are sent pushes. The address is a secret: whoever has it can send there.
create table push_subscriptions (
    device     text   primary key,
    channel    text   not null unique,
    address    text   not null,
    created_at bigint not null
);

-- Tokens of pushed actions that were used, until they would have run out.
create table push_actions (
    token      text   primary key,
    used_at    bigint not null,
    expires_at bigint not null
);
create index push_actions_by_end on push_actions (expires_at);
