-- Budgets of URL patterns, and what is held back because one is spent.

create table trap (
    id integer primary key,
    host_id integer not null references host,
    pattern text not null,
    budget integer not null,
    -- Pages that brought something, pages that did not, and of these the ones that are the same byte for byte as another.
    fruitful integer not null,
    barren integer not null,
    identical integer not null,
    held integer not null
);
create index trap_host on trap (host_id);

-- Whose pages alone name the URL; null if a seed, a sitemap or a page of another pattern names it.
alter table url add column trap_id integer;
create index url_trap on url (trap_id) where reason = 'trap';

create view traps as -- Patterns of URLs that have no end and bring nothing new, and what is held back of them.
select h.host, -- The host of the pages that brought nothing
    t.pattern, -- The pattern of their URLs, for --allow-trap: `*` stands for what differs, `…` for a rest that repeats itself
    format('of %d pages %d brought nothing new', t.fruitful + t.barren, t.barren)
        || iif(t.identical > 0, format(', %d of them the same byte for byte as another', t.identical), '') as reason, -- Why it is held back
    u.held_back, -- URLs that are skipped as trap: of this pattern, and of others that only its pages name
    e.url as example -- One of them
from (select trap_id, count(*) as held_back, min(id) as first from url
      where reason = 'trap' and state = 3 and trap_id is not null group by trap_id) u
join trap t on t.id = u.trap_id
join host h on h.id = t.host_id
join url e on e.id = u.first;
