-- Whether a link that crawlers may follow leads to the URL, or it is a seed: what only nofollow links lead to stays
-- skipped, whatever else held it back before.
alter table url add column followed integer not null default 1;
update url set followed = 0 where state = 3 and reason = 'nofollow';
