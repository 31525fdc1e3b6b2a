-- The languages that pages say they are in, and the encodings they come in.
select language, charset, count(*) as pages from pages
where language is not null group by language, charset order by pages desc, language
