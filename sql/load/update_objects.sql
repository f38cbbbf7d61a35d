-- Records new keys and versions of loaded objects whose content is unchanged.
update etl_objects
set object_key = known_objects.object_key, modified_ns = known_objects.modified_ns, etag = known_objects.etag
from known_objects
where etl_objects.object_id = known_objects.object_id;
drop table known_objects;
