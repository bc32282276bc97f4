-- What is known of the sources of templates, which the hub's own configuration names. A row belongs to
-- one address: another one under the same id begins anew.
create table template_sources (
    id         text   primary key,
    url        text   not null,
    -- The commit its templates are taken from.
    pinned     text   not null,
    -- What the source has by now, where its history was rewritten.
    rewritten  text,
    fetched_at bigint not null,
    -- Why it could not be fetched the last time.
    trouble    text
);

-- Files somebody has looked at and trusts, as they were: by what is in them, whatever commit it is of.
-- The text is kept to show how the next version differs.
create table template_trusts (
    source     text   not null,
    path       text   not null,
    sha256     text   not null,
    content    text   not null,
    trusted_at bigint not null,
    primary key (source, path, sha256)
);
