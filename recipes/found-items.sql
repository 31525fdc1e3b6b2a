-- What the rules of `harvestman extract items` found: the first :limit (10).
select item, url, position, data from items order by item, url, position limit coalesce(:limit, 10)
