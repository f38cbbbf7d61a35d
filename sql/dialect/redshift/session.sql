-- What each session begins with: the schema of our tables, and doubles in as many digits as read back the same.
set search_path to ":schema";
set extra_float_digits to 2;
