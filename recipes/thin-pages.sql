-- Pages with little text: fewer than :characters (200).
select url, length(text) as characters, title from pages
where status = 200 and length(text) < coalesce(:characters, 200) order by characters, url
