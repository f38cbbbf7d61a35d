-- Undoes what doctor's tests wrote.
rollback;
