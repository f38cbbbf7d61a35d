-- What prelude.sql defines in SQL and the program computes faster: the values are the same.
create or replace temp macro f_songplay_id(session_id, item_in_session, ts, user_id) as
    sparkify_identity(session_id, item_in_session, ts, coalesce(user_id, 0), user_id is null);
