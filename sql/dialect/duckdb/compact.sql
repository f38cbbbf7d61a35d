-- Copies the whole file, without the free space that deleted rows left in it.
checkpoint;
set preserve_insertion_order = true;
attach ':path' as sparkify_compacted (storage_version ':storage_version');
copy from database ":database" to sparkify_compacted;
detach sparkify_compacted;
