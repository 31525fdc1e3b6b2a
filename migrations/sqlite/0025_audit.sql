-- What audits found wrong with the site, each as of the run that it was made after.

create table audit (run_id integer primary key, at integer not null);

-- What can be found, as the last audit knew it.
create table finding_kind (finding text primary key, severity text not null, advice text not null) without rowid;

create table finding (
    run_id integer not null,
    number integer not null,
    finding text not null,
    url text not null,
    other_url text,
    detail text,
    state text not null,
    primary key (run_id, number)
) without rowid;

create view findings as -- One row for each thing that an audit found wrong with the site.
select f.finding, -- Its name, such as broken-link: docs/audit.md has them all
    k.severity, -- error, warning or notice
    f.url, -- The page, or the URL, that is to be seen to
    f.other_url, -- The URL that it is about besides, such as the target of a link; null if there is none
    f.detail, -- What was found there, in words
    k.advice, -- What to do
    f.state, -- new: the audit of the run before did not have it; open: it did; fixed: it did, and it is gone
    f.run_id as run -- The run after which it was found
from finding f join finding_kind k on k.finding = f.finding;
