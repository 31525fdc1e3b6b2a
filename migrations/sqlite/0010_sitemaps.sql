-- A URL that was named as a sitemap, and how many files from robots.txt (1 is named there); when a sitemap says that the
-- page changed last.
alter table url add column sitemap integer;
alter table url add column lastmod integer;
-- What a sitemap names is no deeper than the sitemap itself.
alter table edge add column step integer not null default 1;

drop view recrawl;
create view recrawl as -- One row for each fetched page: when it is due again, by the settings of the last crawl.
select u.url, -- The canonical URL
    h.host, -- Scheme, host and port
    p.interval_ms, -- The interval of --recrawl-after auto; null while only one answer is known
    strftime('%Y-%m-%dT%H:%M:%fZ', (p.fetched_at + coalesce(
        (select cast(value as integer) from meta where key = 'recrawl_after_ms' and value <> 'auto'),
        max(min(coalesce(p.interval_ms, 86400000),
                coalesce((select cast(value as integer) from meta where key = 'recrawl_max_ms'), 2592000000)),
            coalesce((select cast(value as integer) from meta where key = 'recrawl_min_ms'), 3600000)))) / 1000.0,
        'unixepoch') as due_at, -- From when on a new run fetches it again
    strftime('%Y-%m-%dT%H:%M:%fZ', u.lastmod / 1000.0, 'unixepoch') as lastmod -- When it changed last, as a sitemap says
from page p join url u on u.id = p.url_id join host h on h.id = u.host_id
where u.state = 1;
