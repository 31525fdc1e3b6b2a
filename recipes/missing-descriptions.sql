-- Pages with text but without a meta description.
select url, title from pages where status = 200 and text is not null and coalesce(description, '') = '' order by url
