-- How deep the pages lie: by the number of links away from a seed.
select depth, count(*) as pages from pages group by depth order by depth
