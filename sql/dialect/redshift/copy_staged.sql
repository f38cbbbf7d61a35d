-- Loads the files of manifest $1 into a table, with role $2, from region $3. One bad row ends it:
-- no row is skipped silently.
copy ":table" from $1 iam_role $2 region $3 format as json 'auto' gzip manifest timeformat 'auto' compupdate off maxerror 0;
