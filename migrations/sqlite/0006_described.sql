-- The views once more, each column with its meaning: SQLite keeps these words, `.schema pages` shows them, and
-- docs/queries.md repeats them. Some views are new, for the questions that are asked most.

-- What the last invocation was asked to crawl: its scope is drawn from these.
create table seed (url_id integer primary key);

drop view pages;
drop view bodies;
drop view headers;
drop view links;
drop view failures;
drop view skipped;
drop view queue;
drop view redirects;
drop view broken_links;
drop view duplicates;
drop view runs;
drop view hosts;
drop view fetches;
drop view accounting;

create view pages as -- One row for each URL that ever answered: its latest response.
select u.url, -- The canonical URL
    h.host, -- Scheme, host and port: what politeness and robots.txt are counted by
    p.status, -- HTTP status
    p.content_type, -- Content-Type as received
    p.charset, -- The encoding the text was read in
    p.language, -- What the page says of its language
    p.title, -- The title, white space collapsed
    p.description, -- The meta description
    p.canonical_url, -- What the page names as its canonical URL
    c.text, -- The readable text, without markup
    p.size, -- Bytes of the body
    p.content_hash, -- SHA-256 of the body, in hex
    p.etag, -- ETag as received
    p.last_modified, -- Last-Modified as received
    t.url as redirect_to, -- Where a redirect leads
    u.depth, -- Links away from a seed, on the shortest path known
    r.url as referrer, -- The page through which it was found; null for a seed
    strftime('%Y-%m-%dT%H:%M:%fZ', u.first_seen_at / 1000.0, 'unixepoch') as first_seen_at, -- When the URL was first seen
    strftime('%Y-%m-%dT%H:%M:%fZ', p.fetched_at / 1000.0, 'unixepoch') as fetched_at, -- When this response was received
    strftime('%Y-%m-%dT%H:%M:%fZ', p.changed_at / 1000.0, 'unixepoch') as changed_at, -- When the response last differed from the one before
    p.elapsed_ms -- Milliseconds from the request to the end of the body
from page p
join url u on u.id = p.url_id
join host h on h.id = u.host_id
left join content c on c.url_id = p.url_id
left join url t on t.id = p.redirect_to
left join url r on r.id = u.referrer_id;

create view bodies as -- One row for each stored body, the latest as received.
select u.url, -- The canonical URL
    c.body -- The bytes: content coding removed, charset untouched
from content c join url u on u.id = c.url_id where c.body is not null;

create view headers as -- One row for each header line of the latest response.
select u.url, -- The canonical URL
    json_extract(j.value, '$[0]') as name, -- The header's name, lower case
    json_extract(j.value, '$[1]') as value -- Its value as received
from page p join url u on u.id = p.url_id, json_each(p.headers) j;

create view links as -- One row for each link of each page, in its latest version.
select f.url as from_url, -- The page the link is on
    t.url as to_url, -- Where it leads
    l.text, -- The link's text, white space collapsed
    l.rel, -- Its rel attribute, lower case
    l.element -- The element it was found in: a, area, iframe, frame, link or meta
from link l join url f on f.id = l.from_id join url t on t.id = l.to_id;

create view failures as -- One row for each URL that gave no usable response.
select u.url, -- The canonical URL
    h.host, -- Scheme, host and port
    f.kind, -- What went wrong, in one word: dns, connect, tls, timeout, closed, protocol, decode, too_large or redirect
    f.message, -- What went wrong, in words
    f.attempts, -- Requests made for it in that run
    strftime('%Y-%m-%dT%H:%M:%fZ', f.last_attempt_at / 1000.0, 'unixepoch') as last_attempt_at, -- When the last one failed
    r.url as referrer -- The page through which it was found; null for a seed
from failure f
join url u on u.id = f.url_id
join host h on h.id = u.host_id
left join url r on r.id = u.referrer_id
where u.state = 2;

create view skipped as -- One row for each URL that is known and deliberately not requested.
select u.url, -- The canonical URL
    h.host, -- Scheme, host and port
    u.reason, -- Why, in one word, such as scope, excluded, depth, robots or nofollow
    r.url as referrer -- The page through which it was found; null for a seed
from url u join host h on h.id = u.host_id left join url r on r.id = u.referrer_id
where u.state = 3;

create view queue as -- One row for each URL that waits to be fetched.
select u.url, -- The canonical URL
    h.host, -- Scheme, host and port
    u.depth, -- Links away from a seed
    u.attempts, -- Requests made for it so far in this run
    -- A Crawl-delay asks for time as Retry-After does. Beyond the year 9999 SQLite writes no time.
    strftime('%Y-%m-%dT%H:%M:%fZ', nullif(min(253402300799999, max(coalesce(u.due_at, 0), h.blocked_until,
        iif(h.crawl_delay_ms > 0, h.asked_at + h.crawl_delay_ms, 0))), 0) / 1000.0, 'unixepoch') as due_at -- Not before this time; null is at once
from url u join host h on h.id = u.host_id
where u.state = 0;

create view redirects as -- One row for each redirect.
select f.url as from_url, -- The URL that redirects
    t.url as to_url, -- Where its Location leads
    p.status -- HTTP status of the redirect
from page p join url f on f.id = p.url_id join url t on t.id = p.redirect_to;

create view broken_links as -- One row for each link to a page of status 400 or above, or to a failure.
select f.url as from_url, -- The page the link is on
    t.url as to_url, -- Where it leads
    l.text, -- The link's text
    p.status, -- HTTP status of the target; null for a failure
    x.kind as failure -- What went wrong there, in one word; null for a response
from link l
join url t on t.id = l.to_id
left join page p on p.url_id = l.to_id
left join failure x on x.url_id = l.to_id and t.state = 2
join url f on f.id = l.from_id
where p.status >= 400 or x.kind is not null;

create view duplicates as -- One row for each page of status 200 whose body another page has too, byte by byte.
select d.content_hash, -- SHA-256 of the body, in hex
    u.url, -- The canonical URL
    d.copies -- Pages with this body
from (select content_hash, count(*) as copies from page where status = 200 and content_hash is not null
      group by content_hash having count(*) > 1) d
join page p on p.content_hash = d.content_hash and p.status = 200
join url u on u.id = p.url_id;

create view runs as -- One row for each run: one sweep over everything until nothing is pending.
select id, -- Its number
    strftime('%Y-%m-%dT%H:%M:%fZ', started_at / 1000.0, 'unixepoch') as started_at, -- When it was begun
    strftime('%Y-%m-%dT%H:%M:%fZ', finished_at / 1000.0, 'unixepoch') as finished_at, -- When nothing was pending any more; null before
    outcome, -- How its last invocation ended: finished, limit, interrupted or waiting; null while it runs and after a crash
    discovered, -- URLs known at its end, or now
    fetched, -- Of these, with a stored response
    failed, -- Of these, without a usable response
    skipped, -- Of these, deliberately not requested
    pending, -- Of these, waiting
    unchanged, -- Responses with the same status and body as the one before
    bytes, -- Bytes of all bodies it received
    requests -- Requests it made, robots.txt included
from run;

create view hosts as -- One row for each host: scheme, name and port.
select h.host, -- Scheme, host and port
    count(u.id) as discovered, -- URLs known on it
    coalesce(sum(u.state = 1), 0) as fetched, -- Of these, with a stored response
    coalesce(sum(u.state = 2), 0) as failed, -- Of these, without a usable response
    coalesce(sum(u.state = 3), 0) as skipped, -- Of these, deliberately not requested
    coalesce(sum(u.state = 0), 0) as pending, -- Of these, waiting
    (select round(avg(p.elapsed_ms), 1) from page p join url v on v.id = p.url_id where v.host_id = h.id) as mean_elapsed_ms, -- Milliseconds a response took, on average
    coalesce(h.robots_status, h.robots_failure) as robots_status, -- HTTP status of its robots.txt, or the word of the failure
    h.crawl_delay_ms -- Milliseconds it asks crawlers to wait between requests
from host h left join url u on u.host_id = h.id
group by h.id;

create view fetches as -- One row for each request ever made, robots.txt included.
select f.run_id as run, -- The number of the run
    coalesce(u.url, f.url) as url, -- What was requested
    strftime('%Y-%m-%dT%H:%M:%fZ', f.at / 1000.0, 'unixepoch') as at, -- When the request started
    f.status, -- HTTP status; null without a usable response
    f.failure, -- What went wrong, in one word; null for a response
    f.elapsed_ms, -- Milliseconds until it ended
    f.bytes, -- Bytes of the body
    f.unchanged -- 1 if status and body were those of the response before
from fetch f left join url u on u.id = f.url_id;

create view accounting as -- One row: discovered = fetched + failed + skipped + pending.
select count(*) as discovered, -- URLs known
    coalesce(sum(state = 1), 0) as fetched, -- Of these, with a stored response
    coalesce(sum(state = 2), 0) as failed, -- Of these, without a usable response
    coalesce(sum(state = 3), 0) as skipped, -- Of these, deliberately not requested
    coalesce(sum(state = 0), 0) as pending -- Of these, waiting
from url;

create view urls as -- One row for each URL the crawl knows, whatever became of it.
select u.url, -- The canonical URL
    h.host, -- Scheme, host and port
    case u.state when 0 then 'pending' when 1 then 'fetched' when 2 then 'failed' else 'skipped' end as state, -- pending, fetched, failed or skipped
    coalesce(u.reason, f.kind) as reason, -- Why it is skipped or failed, in one word; null for the others
    u.depth, -- Links away from a seed, on the shortest path known
    r.url as referrer, -- The page through which it was found; null for a seed
    strftime('%Y-%m-%dT%H:%M:%fZ', u.first_seen_at / 1000.0, 'unixepoch') as first_seen_at -- When the URL was first seen
from url u
join host h on h.id = u.host_id
left join failure f on f.url_id = u.id and u.state = 2
left join url r on r.id = u.referrer_id;

create view seeds as -- One row for each seed of the last invocation.
select u.url, -- The canonical URL
    case u.state when 0 then 'pending' when 1 then 'fetched' when 2 then 'failed' else 'skipped' end as state, -- pending, fetched, failed or skipped
    coalesce(u.reason, f.kind) as reason, -- Why it is skipped or failed, in one word; null for the others
    p.status -- HTTP status of its latest response; null if there never was one
from seed s
join url u on u.id = s.url_id
left join failure f on f.url_id = u.id and u.state = 2
left join page p on p.url_id = u.id;

create view inbound_links as -- One row for each URL that another page links to.
select u.url, -- The canonical URL
    n.links, -- Links that lead to it from other pages
    n.pages -- Pages these links are on
from (select to_id, count(*) as links, count(distinct from_id) as pages from link where from_id <> to_id group by to_id) n
join url u on u.id = n.to_id;

create view host_links as -- One row for each pair of hosts of which one links to the other.
select f.host as from_host, -- The host of the pages with the links
    t.host as to_host, -- The host they lead to
    n.links -- How many there are
from (select a.host_id as from_id, b.host_id as to_id, count(*) as links
      from link l join url a on a.id = l.from_id join url b on b.id = l.to_id
      where a.host_id <> b.host_id group by a.host_id, b.host_id) n
join host f on f.id = n.from_id
join host t on t.id = n.to_id;

create view orphans as -- One row for each page that no other page links to: it is a seed, or a redirect leads there.
select u.url, -- The canonical URL
    h.host, -- Scheme, host and port
    p.status, -- HTTP status
    u.depth, -- Links away from a seed
    r.url as referrer -- The URL that redirects there; null for a seed
from page p
join url u on u.id = p.url_id
join host h on h.id = u.host_id
left join url r on r.id = u.referrer_id
where p.url_id not in (select to_id from link where from_id <> to_id);

create view redirect_chains as -- One row for each URL that redirects: where that ends after all hops, twenty at most.
with recursive chain (start, at, hops, path) as (
    select p.url_id, p.redirect_to, 1, f.url || ' > ' || t.url
    from page p join url f on f.id = p.url_id join url t on t.id = p.redirect_to
    union all
    select c.start, p.redirect_to, c.hops + 1, c.path || ' > ' || t.url
    from chain c join page p on p.url_id = c.at join url t on t.id = p.redirect_to
    where p.redirect_to <> c.start and c.hops < 20)
select f.url as from_url, -- The URL that redirects
    t.url as to_url, -- Where the last hop leads
    c.hops, -- Redirects in a row
    c.path, -- All URLs on the way
    p.status -- HTTP status at the end; null if that was not fetched, 3xx for a loop
from chain c
join url f on f.id = c.start
join url t on t.id = c.at
left join page p on p.url_id = c.at
where p.redirect_to is null or p.redirect_to = c.start or c.hops = 20;

create view page_ranks as -- One row for each page of status 200: its weight, as in PageRank, after four rounds.
with way (from_id, to_id) as (
    select from_id, to_id from link where follow and from_id <> to_id
    union select url_id, redirect_to from page where redirect_to is not null and redirect_to <> url_id),
share (from_id, to_id, part) as materialized (
    select from_id, to_id, 0.85 / count(*) over (partition by from_id) from way),
-- A page that nothing leads to keeps the 0.15 that every page has.
one (id, weight) as materialized (select to_id, 0.15 + sum(part) from share group by to_id),
two (id, weight) as materialized (
    select s.to_id, 0.15 + sum(s.part * coalesce(r.weight, 0.15)) from share s left join one r on r.id = s.from_id group by s.to_id),
three (id, weight) as materialized (
    select s.to_id, 0.15 + sum(s.part * coalesce(r.weight, 0.15)) from share s left join two r on r.id = s.from_id group by s.to_id),
four (id, weight) as materialized (
    select s.to_id, 0.15 + sum(s.part * coalesce(r.weight, 0.15)) from share s left join three r on r.id = s.from_id group by s.to_id)
select u.url, -- The canonical URL
    round(coalesce(r.weight, 0.15), 3) as rank -- Its weight: each page hands on 0.85 of its own, in equal parts along its links
from page p
join url u on u.id = p.url_id
left join four r on r.id = p.url_id
where p.status = 200;
