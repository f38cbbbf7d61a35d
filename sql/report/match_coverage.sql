-- question: for how many plays does the catalogue know the song?
select
    coalesce(match_method, 'not in the catalogue') as match_method,
    count(*) as plays,
    round(100.0 * count(*) / sum(count(*)) over (), 2) as percent
from songplays
group by match_method
order by plays desc, match_method;
