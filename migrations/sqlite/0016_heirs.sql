-- The pages that redirects of a seed led to: each counts for the seed, for good.
create table heir (url_id integer not null, seed_id integer not null, primary key (url_id, seed_id)) without rowid;

insert into heir
with recursive chain (id, seed_id) as (
    select p.redirect_to, s.url_id from seed s join page p on p.url_id = s.url_id where p.redirect_to is not null
    union select p.redirect_to, c.seed_id from chain c join page p on p.url_id = c.id where p.redirect_to is not null)
select id, seed_id from chain where id <> seed_id;

-- Redirects are no step in depth from now on.
update url set depth = 0 where id in (select url_id from heir);

-- With this key the next crawl judges anew whatever was left out.
insert or replace into meta (key, value) select 'settings', '' where exists (select 1 from heir);
