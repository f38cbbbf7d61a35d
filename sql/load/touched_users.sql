-- Times from which on the events of affected users are read, and the number of touched song records.
-- A user's latest event is not before a new event of the user, nor before the event that began the
-- current level, unless events of the user were deleted. It can be any if the user has no new event.
select
    min(scope_users.since) as since,
    min(
        case
            when scope_users.has_replaced = 0 and user_levels.valid_from > f_epoch_ms(scope_users.newest)
                then f_ms(user_levels.valid_from)
            else scope_users.newest
        end
    ) as latest,
    count(*) - count(scope_users.newest) as users_without_new_events,
    (select count(*) from touched_songs) as songs
from scope_users
left join user_levels on user_levels.user_id = scope_users.user_id and user_levels.is_current;
