-- --global-rate is divided among the nodes by what they need.

alter table node
    -- Hosts that it has anything to do with.
    add column needs bigint not null default 0,
    -- Requests a second: the more of what it was told last and what it said that it makes.
    add column rate double precision not null default 0;
