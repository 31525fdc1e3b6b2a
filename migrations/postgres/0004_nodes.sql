-- Several processes in one crawl, its nodes.

-- One invocation of the crawl: it begins with a node that begins while no other is alive, and ends with the last of its nodes.
create table invocation (
    id bigint generated always as identity primary key,
    run_id bigint not null,
    -- What its nodes are told, without secrets: whoever takes part is told the same.
    settings text not null,
    -- How it ended; null while it goes on.
    outcome text,
    -- Pages of --max-pages that are in no node's share; null if they are not limited.
    pages_left bigint,
    -- The run's tally before it.
    unchanged bigint not null,
    bytes bigint not null,
    requests bigint not null
);

alter table node
    add column invocation_id bigint references invocation,
    -- It has ended, or another node has noted that its lease had: for good, nothing that it holds is its own.
    add column gone boolean not null default false,
    -- What it told last: hosts that have something to do, more that it has room for, whether it has nothing to do, whether a
    -- limit keeps URLs from being asked for, whether it could ask for more pages.
    add column hosts bigint not null default 0,
    add column wants bigint not null default 0,
    add column rests boolean not null default false,
    add column is_limited boolean not null default false,
    add column lacks_pages boolean not null default false,
    -- The newest of the nodes that it divides --global-rate among.
    add column knows bigint not null default 0,
    -- Pages that it may store and those that it has stored.
    add column share bigint not null default 0,
    add column fetched bigint not null default 0,
    -- The number of its last transaction, by which one is known whose answer was lost.
    add column batch bigint not null default 0;
update node set gone = true where ended_at is not null;
create index node_alive on node (invocation_id) where not gone;

-- Pages of the host that nodes of this invocation stored, if they are limited.
alter table host
    add column stored bigint not null default 0,
    add column stored_in bigint not null default 0;

create view nodes as
select n.name as node,
    case when n.ended_at is not null then 'ended' when n.gone or n.leased_until < clock_timestamp() then 'lost' else 'alive' end
        as state,
    iso8601((extract(epoch from n.started_at) * 1000)::bigint) as started_at,
    iso8601((extract(epoch from n.seen_at) * 1000)::bigint) as seen_at,
    iso8601((extract(epoch from n.leased_until) * 1000)::bigint) as lease_until,
    coalesce(h.hosts, 0) as hosts, n.fetched
from node n
join invocation i on i.id = n.invocation_id
left join (select holder, count(*) as hosts from host where holder <> 0 group by holder) h on h.holder = n.id and not n.gone
where i.run_id = (select max(id) from run);
