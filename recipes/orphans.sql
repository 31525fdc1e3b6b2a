-- Pages of status 200, no seeds, that no other page links to: only a sitemap or a redirect leads there, or an earlier run knew them.
select url, status, referrer from orphans order by url
