-- The objects that $1 names, which the cluster fetches itself, into columns of a table: as the role $2, from the region $3, each record's values found by $4. What is refused is
-- noted and left out, to be asked for afterwards: the count of what may be is the greatest there is. `:form` is the compression, and whether $1 is a list of objects or how their names begin.
copy ":table" (":columns") from $1 iam_role $2 region $3 format as json $4 :form timeformat 'auto' compupdate off statupdate off maxerror 100000;
