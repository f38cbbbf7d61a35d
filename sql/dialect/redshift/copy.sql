-- Rows that lie in the files of the manifest $1, into a table, as the role $2, from the region $3. Nothing is refused quietly: one wrong row ends it.
copy ":table" from $1 iam_role $2 region $3 format as json 'auto' gzip manifest timeformat 'auto' compupdate off statupdate off maxerror 0;
