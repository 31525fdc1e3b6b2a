-- Pages that a budget paid for without a sign that a site without an end would not have: those that led on, less those that
-- words or images never seen made good, and those that brought nothing and led to nothing.
alter table trap
    add column unproven bigint not null default 0,
    add column leaves bigint not null default 0;
