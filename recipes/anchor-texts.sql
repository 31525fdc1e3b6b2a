-- How pages call each other: the texts of the links, those to :url or else the :limit (10) most frequent of all.
select to_url, text, count(*) as links from links
where text <> '' and (:url is null or to_url = :url)
group by to_url, text order by links desc, to_url, text limit coalesce(:limit, 10)
