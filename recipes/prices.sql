-- What is for sale and at what price, as pages state it in their mark-up. After `harvestman extract`.
select title, price, currency, availability, url from page_data where price is not null order by title, url
