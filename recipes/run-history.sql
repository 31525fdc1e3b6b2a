-- Run by run, the latest first: how it ended, and what it found. The last :limit (10).
select r.id, r.started_at, r.outcome, r.fetched, r.failed, r.pending, r.requests,
    count(c.url) filter (where c.change = 'new') as new, count(c.url) filter (where c.change = 'changed') as changed,
    count(c.url) filter (where c.change = 'gone') as gone, count(c.url) filter (where c.change = 'restored') as restored
from runs r left join changes c on c.run = r.id
group by r.id, r.started_at, r.outcome, r.fetched, r.failed, r.pending, r.requests order by r.id desc limit coalesce(:limit, 10)
