-- On PostgreSQL, several processes take part in one crawl; a file belongs to one process, which is no node.

create view nodes as -- The processes that took part in the last run; none in a SQLite file, which one process has alone.
select null as node, -- What it was called: --node
    null as state, -- alive; lost: its lease has ended, others may have its hosts; ended
    null as started_at, -- When it began
    null as seen_at, -- When it was heard of last
    null as lease_until, -- Until when what it holds is its own unless it is heard of again
    null as hosts, -- Hosts that it holds
    null as fetched -- Responses that it stored
where false;
