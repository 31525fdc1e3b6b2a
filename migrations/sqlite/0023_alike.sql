-- A status or a word is text, as on PostgreSQL, whose columns hold values of one type. Compared with a number it is equal
-- to it all the same. Tenths of a mean are rounded up at the half, as there.
drop view hosts;
create view hosts as -- One row for each host: scheme, name and port.
select h.host, -- Scheme, host and port
    count(u.id) as discovered, -- URLs known on it
    coalesce(sum(u.state = 1), 0) as fetched, -- Of these, with a stored response
    coalesce(sum(u.state = 2), 0) as failed, -- Of these, without a usable response
    coalesce(sum(u.state = 3), 0) as skipped, -- Of these, deliberately not requested
    coalesce(sum(u.state = 0), 0) as pending, -- Of these, waiting
    (select (20 * sum(p.elapsed_ms) + count(*)) / (2 * count(*)) / 10.0 from page p join url v on v.id = p.url_id where v.host_id = h.id) as mean_elapsed_ms, -- Milliseconds a response took, on average
    cast(coalesce(h.robots_status, h.robots_failure) as text) as robots_status, -- HTTP status of its robots.txt, or the word of the failure: text
    h.crawl_delay_ms -- Milliseconds it asks crawlers to wait between requests
from host h left join url u on u.host_id = h.id
group by h.id;
