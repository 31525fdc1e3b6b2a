-- The largest bodies: the first :limit (10).
select url, size, content_type from pages order by size desc, url limit coalesce(:limit, 10)
