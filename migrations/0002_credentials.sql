-- What credentials allow and reach. Tokens made before there were scopes keep every right.
alter table tokens add column scopes text not null
    default '["read","write","run","approve","terminal","admin"]';
-- Repos a token reaches, as a JSON list; all when it is empty.
alter table tokens add column repos text not null default '[]';
alter table tokens add column run text;

-- Browsers that were paired. Neither secret is kept, only its hash.
create table devices (
    id            text   primary key,
    name          text   not null,
    scopes        text   not null,
    repos         text   not null,
    secret_hash   text   not null unique,
    -- The secret before the last rotation, until the new one was seen.
    previous_hash text,
    proof_hash    text   not null,
    rotated_at    bigint not null,
    created_at    bigint not null,
    last_used_at  bigint not null,
    revoked_at    bigint
);

-- The token of a run's agent, as far as it is good: the run goes, its row goes.
create table run_grants (
    run       text   primary key,
    repo      text   not null,
    token     text   not null,
    -- Ends with the next renewal but one, so that a call under way is not cut off.
    previous  text,
    issued_at bigint not null
);
