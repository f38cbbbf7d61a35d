//! Amazon Redshift's manners in front of a real PostgreSQL server, for tests.

pub mod copy;
