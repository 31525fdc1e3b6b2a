-- How the last pages that a budget paid for are linked: how many these are, how many of them led to nothing that nobody knew,
-- to how many URLs that nobody knew the others led, and how many they named that were found long before or after. The
-- least number of the budgets of patterns that name each other, time and again: they are parts of one thing. What holds it
-- back, in words; null if the counts of its pages say it.
alter table trap
    add column web_pages bigint not null default 0,
    add column web_ends bigint not null default 0,
    add column web_new bigint not null default 0,
    add column web_met bigint not null default 0,
    add column part_of bigint,
    add column why text;

create or replace view traps as
select h.host, t.pattern,
    coalesce(t.why, format('of %s pages %s brought nothing new', t.fruitful + t.barren, t.barren)
        || case when t.identical > 0 then format(', %s of them the same byte for byte as another', t.identical) else '' end)
        as reason,
    u.held_back, e.url as example
from (select trap_id, count(*) as held_back, min(id) as first from url
      where reason = 'trap' and state = 3 and trap_id is not null group by trap_id) u
join trap t on t.id = u.trap_id
join host h on h.id = t.host_id
join url e on e.id = u.first;
