-- When the last request started, from which whatever pace holds is counted: kept so that a restart does not burst.
alter table host rename column next_at to asked_at;

drop view queue;
create view queue as
select u.url, h.host, u.depth, u.attempts,
    -- A Crawl-delay asks for time as Retry-After does. Beyond the year 9999 SQLite writes no time.
    strftime('%Y-%m-%dT%H:%M:%fZ', nullif(min(253402300799999, max(coalesce(u.due_at, 0), h.blocked_until,
        iif(h.crawl_delay_ms > 0, h.asked_at + h.crawl_delay_ms, 0))), 0) / 1000.0, 'unixepoch') as due_at
from url u join host h on h.id = u.host_id
where u.state = 0;
