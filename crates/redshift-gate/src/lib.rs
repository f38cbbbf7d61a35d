//! Is this a statement that Amazon Redshift documents? Whatever is not on the list is refused.
