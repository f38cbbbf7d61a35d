-- What a session ends with that would live on by itself: nothing stays open in it.
rollback;
