-- What an invocation was told is one document, under `config`. By its rules the times at which pages are due are stored;
-- `gated` in it says that more than its settings decided what is skipped: a hook, or an earlier version of the crawler.
update meta set value = json_set(value, '$.gated', json('true'))
where key = 'config' and json_valid(value) and exists (select 1 from meta where key in ('gated', 'settings'));

delete from meta where key in ('due', 'gated', 'settings');

drop view recrawl;
create view recrawl as -- One row for each known page that waits for a new run: when it is due, by the settings of the last crawl.
select u.url, -- The canonical URL
    h.host, -- Scheme, host and port
    p.interval_ms, -- The interval of --recrawl-after auto; null while only one answer is known
    strftime('%Y-%m-%dT%H:%M:%fZ', iif(p.fetched_at > n.now, n.now, p.fetched_at + u.recrawl_ms) / 1000.0, 'unixepoch')
        as due_at, -- From when on a new run fetches it again: now if, by a clock that was wrong, it was fetched in the future
    strftime('%Y-%m-%dT%H:%M:%fZ', u.lastmod / 1000.0, 'unixepoch') as lastmod -- When it changed last, as a sitemap says
from page p
join url u on u.id = p.url_id
join host h on h.id = u.host_id
cross join (select cast((julianday('now') - 2440587.5) * 86400000 as integer) as now) n
where u.state in (1, 2);
