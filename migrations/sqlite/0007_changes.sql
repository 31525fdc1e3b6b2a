-- What became of pages from run to run, and when each is worth asking for again.

-- Pending URLs of which a page is stored come after those that are new.
alter table url add column known integer not null default 0;
drop index url_queue;
create index url_queue on url (host_id, state, known, depth);

-- What the page was when it answered last with 2xx or 3xx, whatever statuses followed.
alter table page add column fingerprint text;
alter table page add column gone integer not null default 0;
-- The run in which it answered for the first time, and when.
alter table page add column new_run integer;
alter table page add column new_at integer;
-- The adaptive interval; null until there were two answers.
alter table page add column interval_ms integer;
-- Until when the response itself said that it is fresh.
alter table page add column fresh_until integer;
-- What was kept of it: 1 its body, 2 its links, 4 its text, 8 what it names as a sitemap.
alter table page add column kept integer not null default 0;

update page set fingerprint = coalesce('to ' || redirect_to, 'sha256 ' || content_hash, 'etag ' || replace(etag, 'W/', ''),
        'modified ' || last_modified, ''),
    new_run = coalesce((select max(id) from run where started_at <= changed_at), (select min(id) from run)),
    new_at = changed_at
where status between 200 and 399;

-- Pages that are new are found in page.
create table change (
    id integer primary key,
    run_id integer not null,
    url_id integer not null,
    kind text not null,
    at integer not null
);

create view changes as -- One row for each page that a run found new, changed, gone or restored.
select c.run_id as run, -- The run that found it
    u.url, -- The canonical URL
    c.kind as change, -- new, changed, gone (404 or 410) or restored
    strftime('%Y-%m-%dT%H:%M:%fZ', c.at / 1000.0, 'unixepoch') as at -- When the answer came
from (select new_run as run_id, url_id, 'new' as kind, new_at as at from page where new_run is not null
      union all select run_id, url_id, kind, at from change) c
join url u on u.id = c.url_id;

create view recrawl as -- One row for each fetched page: when it is due again, by the settings of the last crawl.
select u.url, -- The canonical URL
    h.host, -- Scheme, host and port
    p.interval_ms, -- The interval of --recrawl-after auto; null while only one answer is known
    strftime('%Y-%m-%dT%H:%M:%fZ', (p.fetched_at + coalesce(
        (select cast(value as integer) from meta where key = 'recrawl_after_ms' and value <> 'auto'),
        max(min(coalesce(p.interval_ms, 86400000),
                coalesce((select cast(value as integer) from meta where key = 'recrawl_max_ms'), 2592000000)),
            coalesce((select cast(value as integer) from meta where key = 'recrawl_min_ms'), 3600000)))) / 1000.0,
        'unixepoch') as due_at -- From when on a new run fetches it again
from page p join url u on u.id = p.url_id join host h on h.id = u.host_id
where u.state = 1;
