-- Pages that have :word (scarecrow) in their text, how often, and what stands around it. The first :limit (5).
with found as (
    select url, text, coalesce(:word, 'scarecrow') as word,
        instr(lower(text), lower(coalesce(:word, 'scarecrow'))) as place
    from pages where text is not null)
select url, (length(text) - length(replace(lower(text), lower(word), ''))) / length(word) as times,
    replace(substr(text, case when place > 30 then place - 30 else 1 end, 60 + length(word)), '
', ' ') as around
from found where place > 0 order by times desc, url limit coalesce(:limit, 5)
