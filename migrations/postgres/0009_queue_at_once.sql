-- When a run begins, millions of URLs become pending at once: their hosts are put into the queue by one statement for all of
-- them, in one order, and not by one for each URL.

drop trigger queue_changed on url;
drop function queue_host_of_changed();

-- What was pending before and still is changes nothing: its host is in the queue.
create function queue_hosts_of_changed() returns trigger language plpgsql as $$
declare
    ids bigint[] := array(select distinct host_id from changed where state = 0);
begin
    if ids <> '{}' then
        perform queue_hosts(ids);
    end if;
    return null;
end $$;

create trigger queue_changed after update on url referencing new table as changed
    for each statement execute function queue_hosts_of_changed();
