-- When a new run fetches a known page again: so many milliseconds after `page.fetched_at`. The crawl computes it by
-- the settings that `meta` has under `due`, and anew for all pages when these change; null until the first time.
alter table url add column recrawl_ms integer;

drop view recrawl;
create view recrawl as -- One row for each known page that waits for a new run: when it is due, by the settings of the last crawl.
select u.url, -- The canonical URL
    h.host, -- Scheme, host and port
    p.interval_ms, -- The interval of --recrawl-after auto; null while only one answer is known
    strftime('%Y-%m-%dT%H:%M:%fZ', (p.fetched_at + u.recrawl_ms) / 1000.0, 'unixepoch') as due_at, -- From when on a new run fetches it again
    strftime('%Y-%m-%dT%H:%M:%fZ', u.lastmod / 1000.0, 'unixepoch') as lastmod -- When it changed last, as a sitemap says
from page p
join url u on u.id = p.url_id
join host h on h.id = u.host_id
where u.state in (1, 2);

delete from meta where key in ('recrawl_after_ms', 'recrawl_min_ms', 'recrawl_max_ms', 'respect_cache', 'sitemaps');
