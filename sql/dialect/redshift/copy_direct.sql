-- Loads the source objects that $1 names into columns of a landing table, with role $2, from region
-- $3. $4 says how keys find their columns. Rejected records are logged and skipped, up to the
-- highest MAXERROR, and queried afterwards. `:form` is the compression, and `manifest` where $1 is
-- a list of objects instead of a prefix.
copy ":table" (":columns") from $1 iam_role $2 region $3 format as json $4 :form timeformat 'auto' compupdate off maxerror 100000;
