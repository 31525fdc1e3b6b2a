-- How the last pages that a budget paid for are linked: how many these are, how many of them led to nothing that nobody knew,
-- to how many URLs that nobody knew the others led, and how many they named that were found long before or after.
alter table trap add column web_pages integer not null default 0;
alter table trap add column web_ends integer not null default 0;
alter table trap add column web_new integer not null default 0;
alter table trap add column web_met integer not null default 0;

-- The least number of the budgets of patterns that name each other, time and again: they are parts of one thing.
alter table trap add column part_of integer;

-- What holds it back, in words; null if the counts of its pages say it.
alter table trap add column why text;

drop view traps;
create view traps as -- Patterns of URLs that have no end and bring nothing new, and what is held back of them.
select h.host, -- The host of the pages that brought nothing
    t.pattern, -- The pattern of their URLs, for --allow-trap: `*` stands for what differs, `…` for a rest that repeats itself
    coalesce(t.why, format('of %d pages %d brought nothing new', t.fruitful + t.barren, t.barren)
        || iif(t.identical > 0, format(', %d of them the same byte for byte as another', t.identical), '')) as reason, -- Why it is held back
    u.held_back, -- URLs that are skipped as trap: of this pattern, and of others that only its pages name
    e.url as example -- One of them
from (select trap_id, count(*) as held_back, min(id) as first from url
      where reason = 'trap' and state = 3 and trap_id is not null group by trap_id) u
join trap t on t.id = u.trap_id
join host h on h.id = t.host_id
join url e on e.id = u.first;
