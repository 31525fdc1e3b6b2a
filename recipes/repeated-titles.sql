-- Titles that more than one page has.
select title, count(*) as pages, min(url) as example from pages
where status = 200 and title is not null group by title having count(*) > 1 order by pages desc, title
