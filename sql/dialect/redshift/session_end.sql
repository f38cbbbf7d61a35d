-- Ends the open transaction of a Data API session, which would outlive sparkify.
rollback;
