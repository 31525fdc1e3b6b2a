-- Pages that no other page links to: only a seed list or a redirect leads there.
select url, status, referrer from orphans order by url
