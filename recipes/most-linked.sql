-- The pages that most other pages link to: the first :limit (10).
select url, pages, links from inbound_links order by pages desc, links desc, url limit coalesce(:limit, 10)
