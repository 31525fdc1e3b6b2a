-- Which headers the responses carry, and on how many pages: what is missing somewhere shows here.
select name, count(distinct url) as pages, min(value) as example from headers
where name <> 'date' group by name order by pages desc, name
