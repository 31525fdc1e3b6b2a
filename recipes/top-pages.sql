-- The pages that weigh most, as in PageRank: a link counts more from a page that counts more. The first :limit (10).
select url, rank from page_ranks order by rank desc, url limit coalesce(:limit, 10)
