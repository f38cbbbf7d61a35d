//! Every rule by which a statement is refused, and the page that it was read from.
//!
//! A rule is a row here and a constant in the code that applies it. `rules()` gives these rows and every entry of the allow-lists; `docs/redshift-evidence.md`
//! is written from it.

/// The start of every page of Amazon's guide for database developers.
macro_rules! dg {
    ($page:literal) => {
        concat!("https://docs.aws.amazon.com/redshift/latest/dg/", $page, ".html")
    };
}
pub(crate) use dg;

/// What a [`Rule`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleKind {
    /// It refuses.
    Refuses,
    /// A form of statement that is let through.
    Statement,
    /// A data type that is let through.
    Type,
    /// A function that is let through.
    Function,
    /// An option of COPY that is let through.
    CopyOption,
    /// An option of UNLOAD that is let through.
    UnloadOption,
    /// A setting that SET, SHOW and RESET may name.
    Setting,
}

/// A rule, or an entry of an allow-list, with its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Its name, which does not change.
    pub id: &'static str,
    /// Whether it refuses or lets through.
    pub kind: RuleKind,
    /// What it says.
    pub says: &'static str,
    /// The page of Amazon's documentation that it was read from.
    pub page: &'static str,
    /// What to write instead; nothing for what is let through.
    pub hint: &'static str,
}

macro_rules! refusals {
    ($($name:ident = $id:literal, $page:literal, $says:literal, $hint:literal;)*) => {
        $(pub(crate) const $name: Rule = Rule {
            id: $id, kind: RuleKind::Refuses, says: $says, page: dg!($page), hint: $hint,
        };)*
        /// Every rule that refuses, by subject.
        pub(crate) const REFUSALS: &[Rule] = &[$($name),*];
    };
}

refusals! {
    // The text.
    STATEMENT_SIZE = "statement-size", "r_INSERT_30", "a statement has at most 16 MB", "send less at once, or load with COPY";
    STATEMENT_COUNT = "statement-count", "r_SVL_MULTI_STATEMENT_VIOLATIONS", "one statement at a time: several in one text are one transaction, in which some may not stand", "send each statement by itself";
    CHARACTER = "character", "r_names", "outside strings and comments only printable characters and blanks, and nowhere a NUL", "remove the character";
    UNFINISHED = "unfinished", "r_Literals", "what begins with a quote, `$$` or `/*` ends; in a string a backslash takes the next character with it", "write `\\\\` for a backslash and `''` for a quote";
    STRING_PREFIX = "string-prefix", "r_Literals", "no string has a prefix: `E'…'` and its like are not known", "write a plain `'…'`: a backslash is an escape in it";
    NUMBER = "number", "r_numeric_literals201", "a number ends where its digits end", "put a blank behind it";
    DOLLAR = "dollar-quote", "r_CREATE_FUNCTION", "a dollar sign begins `$$`, or `$1` in the body of a function", "write `$$`";
    OPERATOR = "operator", "r_OPERATOR_SYMBOLS", "only operators that are documented", "put a blank between two operators, or use a function";
    PARAMETER = "parameter", "r_CREATE_FUNCTION", "`$1` stands for an argument in the body of a function, and nowhere else", "write the value as a literal, `\\` as `\\\\` and `'` as `''`";
    NESTING = "nesting", "r_SELECT_synopsis", "the gate's own limit: at most 64 levels of parentheses, queries and signs", "cut the statement into steps";
    UNEXPECTED = "unexpected", "c_SQL_commands", "what follows no documented form is refused", "look up the statement's form on the page";
    STATEMENT = "statement", "c_SQL_commands", "only statements that are on the list", "see `sparkify sql --rules`";

    // Names.
    NAME_LENGTH = "name-length", "r_names", "a name has 1 to 127 bytes", "choose a shorter name";
    RESERVED = "reserved-word", "r_pg_keywords", "a reserved word is a name only in double quotes", "write it in double quotes, or choose another name";
    SYSTEM_COLUMN = "system-column", "c_unsupported-postgresql-features", "no column is called like PostgreSQL's system columns", "choose another name";
    FUNCTION_NAME = "function-name", "udf-naming-udfs", "a function of one's own is called `f_…`: no function of Redshift ever will be", "begin the name with `f_`";

    // Types.
    TYPE_MISSING = "type-missing", "c_unsupported-postgresql-datatypes", "types of PostgreSQL that Redshift lacks: uuid, json, bytea, serial, arrays …", "text as varchar, identifiers as char(36), documents as super, bytes as varbyte";
    TYPE_UNKNOWN = "type-unknown", "c_Supported_data_types", "only types that are on the list", "see `sparkify sql --rules`";
    TYPE_LENGTH = "type-length", "r_Character_types", "char has at most 4096 bytes, varchar 65535; a length is at least 1", "count bytes, not characters";
    TYPE_PRECISION = "type-precision", "r_Numeric_types201", "decimal has 1 to 38 digits, at most 37 and no more than these behind the point", "choose a smaller precision";

    // Tables.
    CONSTRAINT_MISSING = "constraint-missing", "c_unsupported-postgresql-features", "check and exclude constraints do not exist", "check the rows by a query before the transaction commits";
    DISTKEY = "distkey", "r_CREATE_TABLE_NEW", "a table has one distkey, of the style KEY, and it is a column of the table", "name one column";
    SORTKEY = "sortkey", "r_CREATE_TABLE_NEW", "at most 400 columns in a compound sort key, 8 in an interleaved one; one sort key a table", "name fewer columns";
    ENCODING = "encoding", "c_Compression_encodings", "only encodings that are on the list, each for the types that it is for", "leave it out: ENCODE AUTO is the default";
    IDENTITY = "identity", "r_CREATE_TABLE_NEW", "an identity column is int or bigint, and says seed and step", "write `identity(0, 1)` on a bigint; or better a key made from the row";
    COLUMN_COUNT = "column-count", "r_CREATE_TABLE_NEW", "a table has 1 to 1600 columns, no two of one name", "split the table";
    SUPER_KEY = "super-key", "r_SUPER_type", "a super column is neither distkey nor sort key", "key the table by another column";
    DEFAULT_VALUE = "default-value", "r_CREATE_TABLE_NEW", "a default reads no column, asks no query, and calls no function of one's own", "write a literal or a function without columns";
    INDEX = "index", "c_unsupported-postgresql-features", "indexes, sequences, triggers, tablespaces do not exist", "choose a sort key";
    ADD_IDENTITY = "add-column", "r_ALTER_TABLE", "a column that is added is no identity, and no key", "create the table anew";

    // Changing rows.
    ON_CONFLICT = "on-conflict", "r_INSERT_30", "INSERT has no ON CONFLICT", "delete the rows with these keys first, in the same transaction";
    RETURNING = "returning", "r_INSERT_30", "no statement that changes rows has RETURNING", "select the rows afterwards";
    TARGET_ALIAS = "target-alias", "r_DELETE", "the target of DELETE and MERGE has no alias", "write the table's name";
    USING_TABLES = "using-tables", "r_DELETE", "behind USING of DELETE stand tables, no queries", "put the query into a temporary table first";
    VALUES_ROWS = "values-rows", "r_INSERT_30", "every row of VALUES has as many values, and as many as columns are named", "write the missing values";
    MERGE_SOURCE = "merge-source", "r_MERGE", "the source of MERGE is a table other than the target", "put the query into a temporary table first";
    MERGE_SHAPE = "merge-shape", "r_MERGE", "MERGE matches by equality, and has WHEN MATCHED THEN UPDATE or DELETE, then WHEN NOT MATCHED THEN INSERT, without further conditions; or REMOVE DUPLICATES", "filter the source instead; or DELETE … USING and INSERT … SELECT";
    SET_COLUMN = "set-column", "r_UPDATE", "SET names columns without their table", "leave the table's name out";
    TRUNCATE_ONE = "truncate-one", "r_TRUNCATE", "TRUNCATE takes one table and no option", "one statement a table; or DELETE, which does not commit";

    // Queries.
    DISTINCT_ON = "distinct-on", "r_SELECT_list", "there is no DISTINCT ON", "number the rows with row_number() and keep the first";
    IS_DISTINCT = "is-distinct-from", "c_unsupported-postgresql-functions", "there is no IS DISTINCT FROM", "write `(a = b or (a is null and b is null))`";
    FILTER = "filter", "c_Aggregate_Functions", "an aggregate has no FILTER", "write `count(case when … then 1 end)`";
    LATERAL = "lateral", "r_FROM_clause30", "a query in FROM sees no table beside it", "join, or unnest a super column";
    TABLE_FUNCTION = "table-function", "c_unsupported-postgresql-features", "no function stands as a table", "put the rows into a table";
    VALUES_TABLE = "values-table", "c_unsupported-postgresql-features", "VALUES is no table", "write `select … union all select …`";
    ROW_CONSTRUCTOR = "row-constructor", "c_unsupported-postgresql-features", "there are no row constructors", "compare column by column; join, or use EXISTS";
    ARRAY = "array", "c_unsupported-postgresql-features", "there are no array constructors nor slices", "use the function array(…), which makes a super value";
    SUBQUERY_ALIAS = "subquery-alias", "r_FROM_clause30", "a query in FROM has an alias", "write an alias behind the parenthesis";
    JOIN_CONDITION = "join-condition", "r_FROM_clause30", "inner and outer joins say ON or USING; a cross or natural join does not", "write `on …`, or `cross join`";
    JOIN_NESTED = "join-nested", "r_FROM_clause30", "no parentheses around joins", "join one after the other, or in a CTE";
    CTE_FORM = "cte-form", "r_WITH_clause", "a CTE is `name [(columns)] as (query)`, each name once, without MATERIALIZED", "leave the word out";
    CTE_RECURSIVE = "cte-recursive", "r_WITH_clause", "a CTE that reads itself says RECURSIVE and lists its columns", "write `with recursive name (columns) as (…)`";
    SET_OPERATION = "set-operation", "r_UNION", "UNION [ALL], INTERSECT, EXCEPT and MINUS; ALL only with UNION", "number the rows to keep duplicates";
    LIMIT = "limit-number", "r_ORDER_BY_clause", "LIMIT, OFFSET and TOP take whole numbers up to 2147483647, or ALL", "write the number itself";
    ORDER_LITERAL = "order-literal", "r_ORDER_BY_clause", "ORDER BY takes no string literal", "order by a column";
    QUALIFY_ALIAS = "qualify-alias", "r_QUALIFY_clause", "directly before QUALIFY the table has an alias", "write an alias behind the table";
    QUALIFY_WINDOW = "qualify-window", "r_QUALIFY_clause", "QUALIFY is about a window function", "use WHERE or HAVING";
    QUANTIFIED = "quantified", "r_comparison_condition", "ANY and SOME stand behind `=`, ALL behind `<>`, and before a query", "write IN, NOT IN, or compare with min() or max()";
    CORRELATION_SKIPS = "correlation-skips", "r_correlated_subqueries", "a subquery sees the query around it, none further out", "join instead";
    CORRELATION_JOIN = "correlation-join", "r_correlated_subqueries", "no correlated subquery in the condition of an outer join", "join the subquery's table first";
    CORRELATION_WINDOW = "correlation-window", "r_correlated_subqueries", "no window function in a correlated subquery", "compute the window in a CTE and join it";
    CORRELATION_GROUP = "correlation-group", "r_correlated_subqueries", "no grouped aggregate but min and max in a correlated subquery behind IN", "group in a CTE and join it";
    SELECT_INTO = "select-into", "r_SELECT_INTO", "the gate has no SELECT INTO", "create table … as select …";

    // Expressions and functions.
    INTERVAL = "interval", "r_interval_literals", "an interval is a quantity and a unit in one string, or a string and one unit behind it", "write `interval '3 days'`";
    DATE_PART = "date-part", "r_Dateparts_for_datetime_functions", "only the parts of dates that are listed", "see the page's table";
    FUNCTION_MISSING = "function-missing", "c_unsupported-postgresql-functions", "functions of PostgreSQL that Redshift lacks: generate_series, string_agg, …", "see the page; listagg for string_agg";
    FUNCTION_UNKNOWN = "function-unknown", "c_SQL_functions", "only functions that are on the list, and those called `f_…`", "see `sparkify sql --rules`; create it as a function of your own";
    ARGUMENTS = "arguments", "c_SQL_functions", "a function gets as many arguments as its page says, in its form", "see the page";
    AGGREGATE_PLACE = "aggregate-place", "c_Aggregate_Functions", "an aggregate stands in the select list, HAVING, QUALIFY or ORDER BY, not within another", "compute it in a CTE first";
    WINDOW_PLACE = "window-place", "c_Window_functions", "a window function stands in the select list, QUALIFY or ORDER BY, not within another", "compute it in a CTE first";
    WINDOW_FORM = "window-form", "c_Window_functions", "what a function of a window needs and takes: an order, a frame, neither", "see the function's page";
    WINDOW_FRAME = "window-frame", "c_Window_functions", "an aggregate over an order says its frame; a frame is `rows …` from an earlier row to a later one", "add `rows unbounded preceding`, or the frame that is meant";
    LEADER_NODE = "leader-node", "c_SQL_functions_leader_node_only", "functions of the leader node (now, current_schema, age …) fail beside a table", "getdate() or sysdate for the time";
    COMPUTE_NODE = "compute-node", "c_SQL_functions_compute_node_only", "functions of the compute nodes (listagg, median …) fail without a table", "read from a table";

    // Functions of one's own.
    UDF_FORM = "udf-form", "r_CREATE_FUNCTION", "`create [or replace] function f_name(types) returns type volatile|stable|immutable as $$ select … $$ language sql`, at most 32 types", "write this form; python is at its end";
    UDF_BODY = "udf-body", "udf-creating-a-scalar-sql-udf", "the body is one SELECT of one expression, without FROM, WHERE, GROUP BY, ORDER BY, LIMIT", "pass what it needs as arguments";
    UDF_ARGUMENT = "udf-argument", "udf-creating-a-scalar-sql-udf", "the body names the arguments `$1`, `$2` … as many as there are types", "number the arguments from 1";
    UDF_CALL = "udf-call", "r_CREATE_FUNCTION", "a function of one's own gets the arguments that it was created with", "call it as it was created";

    // COPY and UNLOAD.
    COPY_OPTION = "copy-option", "r_COPY-alphabetical-parm-list", "only options that are documented, each once", "see `sparkify sql --rules`";
    COPY_VALUE = "copy-value", "r_COPY-parameters", "an option's value has its form and lies in its range", "see the option's page";
    COPY_FORMAT = "copy-format", "copy-parameters-data-format", "options that the format does not take", "leave the option out";
    COPY_COLUMNAR = "copy-columnar", "copy-usage_notes-copy-from-columnar", "from Parquet and ORC only FROM, IAM_ROLE, CREDENTIALS, STATUPDATE, MANIFEST, ACCEPTINVCHARS, FILLRECORD, EXPLICIT_IDS", "leave the option out";
    COPY_JOB = "copy-job", "r_COPY-JOB", "a copy job has no MAXERROR, IGNOREALLERRORS, MANIFEST, keys nor default role, and no hyphen in its name", "name the role; or load by a plain COPY";
    COPY_TOGETHER = "copy-together", "r_COPY-parameters", "options that exclude each other", "choose one of them";
    S3_PATH = "s3-path", "copy-parameters-data-source-s3", "data lies at `s3://bucket/key`", "write the whole path";
    AUTHORIZATION = "authorization", "copy-parameters-authorization", "one of IAM_ROLE { default | 'arn:aws:iam::ACCOUNT:role/NAME' } and CREDENTIALS 'aws_iam_role=…'", "write `iam_role 'arn:aws:iam::…:role/…'`";
    ACCESS_KEY = "access-key", "copy-parameters-authorization", "no access key in a statement: it would stand in the logs of the cluster", "attach a role to the cluster and write `iam_role`";
    UNLOAD_QUERY = "unload-query", "r_UNLOAD", "UNLOAD takes one SELECT as a string, without LIMIT", "double the quotes in the string; limit in a subquery";
    UNLOAD_OPTION = "unload-option", "r_UNLOAD", "only options that are documented, each once, in their range, and together with the format", "see `sparkify sql --rules`";

    // Sessions.
    BLOCK = "transaction-block", "r_BEGIN", "VACUUM, ALTER TABLE APPEND, a column's new type and copy jobs may not stand in a transaction block", "commit first";
    COMMITS = "commits-block", "r_TRUNCATE", "what commits the transaction that it stands in: TRUNCATE", "use DELETE";
    SAVEPOINT = "savepoint", "c_unsupported-postgresql-functions", "there are no savepoints", "cut the transaction in two";
    CURSOR = "cursor", "declare", "one cursor a session, declared in a transaction block and read there", "begin a transaction; close the other cursor";
    SETTING = "setting", "r_SET", "only settings that are on the list", "see `sparkify sql --rules`";
    ISOLATION = "isolation", "r_BEGIN", "an isolation level is one of the four that the page names", "leave it out: the database decides";
    PRIVILEGE = "privilege", "r_GRANT", "only rights that are documented for the kind of object", "see the page";
}
