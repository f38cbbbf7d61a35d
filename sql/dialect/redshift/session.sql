-- Session settings: the schema of sparkify's tables, and doubles with as many digits as restore the
-- same value.
set search_path to ":schema";
set extra_float_digits to 2;
