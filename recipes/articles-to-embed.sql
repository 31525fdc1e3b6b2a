-- Texts for retrieval: articles of :words (50) words or more, of copies and near copies one each. After `harvestman extract`.
with copies as (select url, min(url) over (partition by content_hash) as original from duplicates)
select a.url, a.title, a.language, a.published_at, a.words from articles a left join copies c on c.url = a.url
where a.words >= coalesce(:words, 50) and coalesce(c.original, a.url) = a.url
    and a.url not in (select other_url from near_duplicates)
order by a.url
