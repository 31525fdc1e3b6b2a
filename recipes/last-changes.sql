-- What the last run found: pages that are new, changed, gone or restored. The first :limit (10).
select change, url from changes where run = (select max(id) from runs)
order by case change when 'gone' then 1 when 'restored' then 2 when 'changed' then 3 else 4 end, url limit coalesce(:limit, 10)
