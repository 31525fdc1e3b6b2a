-- Hosts are taken by the processes of a crawl. `holder` is the number of the invocation that has taken the host, 0 for
-- none; that of an earlier one holds nothing any more. Whoever takes a host raises its epoch, so that what was done under
-- an older one is told apart.
alter table host add column epoch integer not null default 0;
alter table host add column holder integer not null default 0;
create index host_holder on host (holder);
