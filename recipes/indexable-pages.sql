-- Pages for an index of one's own: good answers with text that do not name another page as the original. The first :limit (10).
select url, title, language, length(text) as characters from pages
where status = 200 and text <> '' and coalesce(canonical_url, url) = url order by url limit coalesce(:limit, 10)
