-- question: who listens most?
select
    songplays.user_id,
    users.first_name,
    users.last_name,
    users.level,
    count(*) as plays
from songplays
join users on users.user_id = songplays.user_id
group by songplays.user_id, users.first_name, users.last_name, users.level
order by plays desc, songplays.user_id
limit 10;
