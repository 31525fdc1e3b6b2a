-- The views as on SQLite: `search` with all its columns, seeds in the order in which they were given, runs in theirs.

-- Without a search there are no places and no rank, and the title stands for the snippet.
create or replace view search as
select i.words, u.url, h.host, p.status, p.title, p.description,
    left(p.title, 200) as snippet, null::float8 as rank
from page_index i
join url u on u.id = i.url_id
join page p on p.url_id = i.url_id
join host h on h.id = u.host_id
where not exists (select 1 from unindexed n where n.url_id = i.url_id);

-- The rows of the view that hold the words, with the places where these stand, each between [ and ], and a rank of which the
-- least is the best: a title weighs ten times as much as the text, a description four times, and what stands in a long page less.
create function search(query tsquery) returns setof search language sql stable parallel safe
begin atomic
    select i.words, u.url, h.host, p.status, p.title, p.description,
        ts_headline('simple', left(concat_ws(' … ', p.title, p.description, c.text), 100000), $1,
            'StartSel=[, StopSel=], MaxWords=24, MinWords=12'),
        -ts_rank('{0.1, 0.1, 0.4, 1}', i.words, $1, 1)::float8
    from page_index i
    join url u on u.id = i.url_id
    join page p on p.url_id = i.url_id
    join host h on h.id = u.host_id
    left join content c on c.url_id = i.url_id
    where i.words @@ $1 and not exists (select 1 from unindexed n where n.url_id = i.url_id);
end;

create or replace view runs as
select id, iso8601(started_at) as started_at, iso8601(finished_at) as finished_at, outcome, discovered, fetched, failed,
    skipped, pending, unchanged, bytes, requests
from run order by id;

create or replace view seeds as
with recursive hop (seed_id, id, nth) as (
    select url_id, url_id, 0 from seed
    union all
    select h.seed_id, p.redirect_to, h.nth + 1 from hop h join url u on u.id = h.id join page p on p.url_id = h.id
    where u.state = 1 and p.redirect_to is not null and h.nth < 100),
final (seed_id, id) as (select distinct on (seed_id) seed_id, id from hop order by seed_id, nth desc),
reach (seed_id, id) as (
    select url_id, url_id from seed
    union
    select r.seed_id, u.id from reach r join url u on u.referrer_id = r.id)
select s.url, case when l.problem is not null then 'rejected' else state_word(u.state) end as state,
    coalesce(l.problem, u.reason, f.kind) as reason, p.status, l.line, l.given, u.url as final_url, n.pages
from seed_line l
left join url s on s.id = l.url_id
left join final e on e.seed_id = l.url_id
left join url u on u.id = e.id
left join failure f on f.url_id = u.id and u.state = 2
left join page p on p.url_id = u.id
left join (select r.seed_id, count(*) filter (where u.state = 1) as pages
           from reach r join url u on u.id = r.id group by r.seed_id) n
    on n.seed_id = l.url_id
order by l.id;
