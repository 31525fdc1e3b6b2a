-- What audits found wrong with the site, each as of the run that it was made after.

create table audit (run_id bigint primary key, at bigint not null);

-- What can be found, as the last audit knew it.
create table finding_kind (finding text collate "C" primary key, severity text collate "C" not null, advice text not null);

create table finding (
    run_id bigint not null,
    number bigint not null,
    finding text collate "C" not null,
    url text collate "C" not null,
    other_url text collate "C",
    detail text,
    state text collate "C" not null,
    primary key (run_id, number)
);

create view findings as
select f.finding, k.severity, f.url, f.other_url, f.detail, k.advice, f.state, f.run_id as run
from finding f join finding_kind k on k.finding = f.finding;

create view _audit as select run_id, at from audit;

create or replace view _page as
select url_id, status, content_type, title, description, size, content_hash, redirect_to, fetched_at, elapsed_ms, headers,
    interval_ms, fresh_until, canonical_url, language
from page;
