-- Events are fetched once more, without the objects of which some were refused.
delete from landing_events;
