-- Hosts are taken in the order of an index, so that it takes no longer the more of them and of their URLs there are.

-- Where the host stands among those that wait for a node: when it was asked last or may be asked again, as far as that was
-- known when it began to wait; or when it was taken. Null if nothing is pending of it and nobody holds it, or nothing ever
-- was. Not asked_at itself, which changes with each page: all indexes of the table would be written then.
alter table host add column queued_at bigint;

update host h set queued_at = greatest(asked_at, blocked_until)
where exists (select 1 from url where host_id = h.id and state = 0);

create index host_queue on host (queued_at, id) where queued_at is not null;

-- Whoever lets go of a host that nothing is pending of locks it for update, and looks again before it takes it out of the
-- queue. So either that is seen here, or what is pending is seen there.
create function queue_hosts(ids bigint[]) returns void language plpgsql as $$ begin
    perform 1 from host where id = any(ids) order by id for key share;
    update host set queued_at = greatest(asked_at, blocked_until) where id = any(ids) and queued_at is null;
end $$;

create function queue_hosts_of_new() returns trigger language plpgsql as $$ begin
    perform queue_hosts(array(select distinct host_id from fresh where state = 0));
    return null;
end $$;

create function queue_host_of_changed() returns trigger language plpgsql as $$ begin
    perform queue_hosts(array[new.host_id]);
    return null;
end $$;

create trigger queue_new after insert on url referencing new table as fresh
    for each statement execute function queue_hosts_of_new();

create trigger queue_changed after update of state on url
    for each row when (new.state = 0 and old.state <> 0) execute function queue_host_of_changed();
