-- What a shorter depth is passed on along where links are not kept (--no-links with --max-depth); emptied at the run's end.
create table edge (from_id integer not null, to_id integer not null, primary key (from_id, to_id)) without rowid;
