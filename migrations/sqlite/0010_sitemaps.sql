-- A URL that was named as a sitemap, and how many files from robots.txt (1 is named there); when a sitemap says that the
-- page changed last.
alter table url add column sitemap integer;
alter table url add column lastmod integer;
-- What a sitemap names is no deeper than the sitemap itself.
alter table edge add column step integer not null default 1;
