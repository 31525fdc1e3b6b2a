-- A URL that was named as a sitemap, and how many files from robots.txt (1 is named there); when a sitemap says that the
-- page changed last.
alter table url add column sitemap integer;
alter table url add column lastmod integer;
-- What a sitemap names is no deeper than the sitemap itself.
alter table edge add column step integer not null default 1;

drop view recrawl;
create view recrawl as -- One row for each known page that waits for a new run: when it is due, by the settings of the last crawl.
select u.url, -- The canonical URL
    h.host, -- Scheme, host and port
    p.interval_ms, -- The interval of --recrawl-after auto; null while only one answer is known
    strftime('%Y-%m-%dT%H:%M:%fZ', max(
        case when u.state = 2 or (s.sitemaps and u.sitemap is not null) then p.fetched_at
            when s.after_ms is not null then p.fetched_at + s.after_ms
            when s.sitemaps and u.lastmod > p.fetched_at then u.lastmod
            else p.fetched_at + max(min(coalesce(p.interval_ms, 86400000), s.max_ms), s.min_ms) end,
        iif(s.respect_cache and u.state = 1, coalesce(p.fresh_until, 0), 0)) / 1000.0,
        'unixepoch') as due_at, -- From when on a new run fetches it again
    strftime('%Y-%m-%dT%H:%M:%fZ', u.lastmod / 1000.0, 'unixepoch') as lastmod -- When it changed last, as a sitemap says
from page p
join url u on u.id = p.url_id
join host h on h.id = u.host_id
cross join (
    select max(iif(key = 'recrawl_after_ms' and value <> 'auto', cast(value as integer), null)) as after_ms,
        coalesce(max(iif(key = 'recrawl_min_ms', cast(value as integer), null)), 3600000) as min_ms,
        coalesce(max(iif(key = 'recrawl_max_ms', cast(value as integer), null)), 2592000000) as max_ms,
        coalesce(max(iif(key = 'respect_cache', cast(value as integer), null)), 0) as respect_cache,
        coalesce(max(iif(key = 'sitemaps', cast(value as integer), null)), 0) as sitemaps
    from meta) s
where u.state in (1, 2);
