-- test: a user has at most one open span in `user_levels`
select
    user_id,
    count(*) as open_spans
from user_levels
/*incremental join scope_users using (user_id) */
where is_current
group by user_id
having count(*) > 1;
