//! Restrictions: the rules that a statement can violate, each with its documentation page.
//!
//! A restriction is a row of the table below and a constant in the code that checks it. `rules()`
//! returns these rows and all allow-list entries; `docs/reference/redshift-evidence.md` is generated from
//! them.

/// URL of a page of Amazon's Database Developer Guide.
macro_rules! dg {
    ($page:literal) => {
        concat!("https://docs.aws.amazon.com/redshift/latest/dg/", $page, ".html")
    };
}
pub(crate) use dg;

/// Kind of a [`Rule`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleKind {
    /// Syntax that is a violation.
    Restriction,
    /// Allowed statement.
    Statement,
    /// Allowed data type.
    Type,
    /// Allowed function.
    Function,
    /// Allowed option of COPY.
    CopyOption,
    /// Allowed option of UNLOAD.
    UnloadOption,
    /// Setting that SET, SHOW and RESET accept.
    Setting,
}

/// Restriction, or entry of an allow-list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Stable name: tools and tests may depend on it.
    pub id: &'static str,
    /// Distinguishes restrictions from the allow-lists.
    pub kind: RuleKind,
    /// What Redshift requires; empty for allow-list entries.
    pub summary: &'static str,
    /// URL of the page of Amazon's documentation from which the rule was derived.
    pub page: &'static str,
    /// Supported alternative; empty for allow-list entries.
    pub hint: &'static str,
}

impl Rule {
    /// Entry of an allow-list.
    pub(crate) const fn allowed(kind: RuleKind, id: &'static str, page: &'static str) -> Self {
        Self { id, kind, summary: "", page, hint: "" }
    }
}

macro_rules! restrictions {
    ($($name:ident = $id:literal, $page:literal, $summary:literal, $hint:literal;)*) => {
        $(pub(crate) const $name: Rule = Rule {
            id: $id,
            kind: RuleKind::Restriction,
            summary: $summary,
            page: dg!($page),
            hint: $hint,
        };)*
        /// All restrictions, by subject.
        pub(crate) const RESTRICTIONS: &[Rule] = &[$($name),*];
    };
}

// Name = ID, page, summary, hint.
restrictions! {
    // Lexical rules.
    STATEMENT_SIZE = "statement-size", "r_INSERT_30",
        "a statement has at most 16 MB",
        "send fewer rows per statement, or load with COPY";
    STATEMENT_COUNT = "statement-count", "r_SVL_MULTI_STATEMENT_VIOLATIONS",
        "one statement at a time: several in one text are one transaction, in which some are not allowed",
        "send each statement separately";
    CHARACTER = "character", "r_names",
        "outside strings and comments only printable characters and blanks; NUL nowhere",
        "remove the character";
    UNFINISHED = "unfinished", "r_Literals",
        "quotes, `$$` and `/*` are closed; a backslash in a string escapes the next character",
        "write `\\\\` for a backslash and `''` for a quote";
    STRING_PREFIX = "string-prefix", "r_Literals",
        "string literals have no prefix (`E'…'` and similar)",
        "write a plain `'…'`: a backslash is an escape in it";
    NUMBER = "number", "r_numeric_literals201",
        "a number is not directly followed by letters, digits or a dot",
        "put a blank after the number";
    DOLLAR = "dollar-quote", "r_CREATE_FUNCTION",
        "a dollar sign starts `$$`, or `$1` in a function body",
        "write `$$`";
    OPERATOR = "operator", "r_OPERATOR_SYMBOLS",
        "only documented operators",
        "put a blank between two operators, or use a function";
    PARAMETER = "parameter", "r_CREATE_FUNCTION",
        "`$1` is an argument in a function body, and not allowed elsewhere",
        "write the value as a literal, `\\` as `\\\\` and `'` as `''`";
    NESTING = "nesting", "r_SELECT_synopsis",
        "limit of this linter: at most 64 levels of parentheses, subqueries and prefix operators",
        "split the statement into steps";
    UNEXPECTED = "unexpected", "c_SQL_commands",
        "only documented syntax",
        "see the statement's page";
    STATEMENT = "statement", "c_SQL_commands",
        "only statements on the allow-list",
        "see `sparkify sql --rules`";

    // Names.
    NAME_LENGTH = "name-length", "r_names",
        "a name has 1 to 127 bytes",
        "choose a shorter name";
    RESERVED = "reserved-word", "r_pg_keywords",
        "a reserved word is a name only in double quotes, after a dot, or as a column's alias after AS",
        "write it in double quotes, or choose another name";
    SYSTEM_COLUMN = "system-column", "c_unsupported-postgresql-features",
        "a column is not named like a PostgreSQL system column",
        "choose another name";
    FUNCTION_NAME = "function-name", "udf-naming-udfs",
        "the name of a UDF starts with `f_`, which Redshift reserves for UDFs",
        "start the name with `f_`";

    // Types.
    TYPE_MISSING = "type-missing", "c_unsupported-postgresql-datatypes",
        "PostgreSQL types that Redshift lacks: uuid, json, bytea, serial, arrays …",
        "text as varchar, identifiers as char(36), documents as super, bytes as varbyte";
    TYPE_UNKNOWN = "type-unknown", "c_Supported_data_types",
        "only types on the allow-list",
        "see `sparkify sql --rules`";
    TYPE_LENGTH = "type-length", "r_Character_types",
        "char has at most 4096 bytes, varchar 65535; a length is at least 1",
        "count bytes, not characters";
    TYPE_PRECISION = "type-precision", "r_Numeric_types201",
        "decimal has a precision of 1 to 38 and a scale of at most 37, not above the precision",
        "choose a smaller precision";

    // Tables.
    CONSTRAINT_MISSING = "constraint-missing", "c_unsupported-postgresql-features",
        "CHECK and EXCLUDE constraints are not supported",
        "check the rows by a query before the transaction commits";
    DISTKEY = "distkey", "r_CREATE_TABLE_NEW",
        "a table has at most one distkey, which is one of its columns, and DISTSTYLE KEY with it",
        "name one column";
    SORTKEY = "sortkey", "r_CREATE_TABLE_NEW",
        "one sort key per table: at most 400 columns if compound, 8 if interleaved",
        "name fewer columns";
    ENCODING = "encoding", "c_Compression_encodings",
        "only encodings on the allow-list, each for the types that it supports",
        "omit it: ENCODE AUTO is the default";
    IDENTITY = "identity", "r_CREATE_TABLE_NEW",
        "an identity column is int or bigint, and has both a seed and a step or neither",
        "write `identity(0, 1)` on a bigint; or better, derive a key from the row";
    COLUMN_COUNT = "column-count", "r_CREATE_TABLE_NEW",
        "a table has 1 to 1600 columns with different names",
        "split the table";
    SUPER_KEY = "super-key", "r_SUPER_type",
        "a super column is neither distkey nor sort key",
        "choose another column as the key";
    DEFAULT_VALUE = "default-value", "r_CREATE_TABLE_NEW",
        "a default contains no column, subquery or UDF",
        "write a literal or a function without columns";
    INDEX = "index", "c_unsupported-postgresql-features",
        "indexes, sequences, triggers and tablespaces are not supported",
        "choose a sort key";
    ADD_COLUMN = "add-column", "r_ALTER_TABLE",
        "ADD COLUMN adds one column, which is neither identity nor key",
        "recreate the table";

    // Data changes.
    ON_CONFLICT = "on-conflict", "r_INSERT_30",
        "INSERT has no ON CONFLICT",
        "delete the rows with these keys first, in the same transaction";
    RETURNING = "returning", "r_INSERT_30",
        "INSERT, UPDATE and DELETE have no RETURNING",
        "select the rows afterwards";
    TARGET_ALIAS = "target-alias", "r_DELETE",
        "the target of DELETE and MERGE has no alias",
        "write the table's name";
    USING_TABLES = "using-tables", "r_DELETE",
        "DELETE … USING takes table names: no subqueries, aliases or joins",
        "put the query into a temporary table first";
    VALUES_ROWS = "values-rows", "r_INSERT_30",
        "all rows of VALUES have the same number of values, that of the column list if there is one",
        "write the missing values";
    MERGE_SOURCE = "merge-source", "r_MERGE",
        "the source of MERGE is a table other than the target",
        "put the query into a temporary table first";
    MERGE_SHAPE = "merge-shape", "r_MERGE",
        "MERGE matches by equality, and has WHEN MATCHED THEN UPDATE or DELETE, then WHEN NOT MATCHED THEN INSERT, without further conditions; or REMOVE DUPLICATES",
        "filter the source instead; or DELETE … USING and INSERT … SELECT";
    SET_COLUMN = "set-column", "r_UPDATE",
        "SET takes column names without their table",
        "omit the table's name";
    TRUNCATE_ONE = "truncate-one", "r_TRUNCATE",
        "TRUNCATE takes one table and no option",
        "one statement per table; or DELETE, which does not commit";

    // Queries.
    DISTINCT_ON = "distinct-on", "r_SELECT_list",
        "DISTINCT ON is not supported",
        "number the rows with row_number() and keep the first";
    IS_DISTINCT = "is-distinct-from", "c_unsupported-postgresql-functions",
        "IS DISTINCT FROM is not supported",
        "write `(a = b or (a is null and b is null))`";
    FILTER = "filter", "c_Aggregate_Functions",
        "aggregates have no FILTER",
        "write `count(case when … then 1 end)`";
    LATERAL = "lateral", "r_FROM_clause30",
        "a subquery in FROM does not refer to other tables of the FROM clause",
        "join, or unnest a super column";
    TABLE_FUNCTION = "table-function", "c_unsupported-postgresql-features",
        "table functions are not supported",
        "put the rows into a table";
    VALUES_TABLE = "values-table", "c_unsupported-postgresql-features",
        "VALUES is not a table or query",
        "write `select … union all select …`";
    ROW_CONSTRUCTOR = "row-constructor", "c_unsupported-postgresql-features",
        "a list of expressions is compared only with IN and lists of the same length; no row constructors",
        "compare column by column; join, or use EXISTS";
    ARRAY = "array", "c_unsupported-postgresql-features",
        "array constructors and slices are not supported",
        "use the function array(…), which makes a super value";
    SUBQUERY_ALIAS = "subquery-alias", "r_FROM_clause30",
        "an unnested super value in FROM has an alias",
        "write an alias after the path";
    JOIN_CONDITION = "join-condition", "r_FROM_clause30",
        "inner and outer joins have ON or USING; cross and natural joins do not",
        "write `on …`, or `cross join`";
    JOIN_NESTED = "join-nested", "r_FROM_clause30",
        "joins are not parenthesized",
        "join one table after the other, or in a CTE";
    CTE_FORM = "cte-form", "r_WITH_clause",
        "a CTE is `name [(columns)] as (query)`, each name once, without MATERIALIZED",
        "omit the keyword";
    CTE_RECURSIVE = "cte-recursive", "r_WITH_clause",
        "a CTE that reads itself has RECURSIVE and a column list",
        "write `with recursive name (columns) as (…)`";
    SET_OPERATION = "set-operation", "r_UNION",
        "UNION [ALL], INTERSECT, EXCEPT and MINUS; ALL only with UNION",
        "number the rows to keep duplicates";
    LIMIT = "limit-number", "r_ORDER_BY_clause",
        "LIMIT, OFFSET and TOP take whole numbers up to 2147483647, LIMIT also ALL",
        "write the number itself";
    ORDER_LITERAL = "order-literal", "r_ORDER_BY_clause",
        "ORDER BY takes no string literal",
        "order by a column";
    QUALIFY_ALIAS = "qualify-alias", "r_QUALIFY_clause",
        "a table directly before QUALIFY has an alias",
        "write an alias after the table";
    QUALIFY_WINDOW = "qualify-window", "r_QUALIFY_clause",
        "QUALIFY needs a window function in the query",
        "use WHERE or HAVING";
    QUANTIFIED = "quantified", "r_comparison_condition",
        "ANY and SOME follow `=`, ALL follows `<>`; all three take a subquery",
        "write IN, NOT IN, or compare with min() or max()";
    CORRELATION_SKIPS = "correlation-skips", "r_correlated_subqueries",
        "a correlated subquery refers only to the query directly around it",
        "join instead";
    CORRELATION_JOIN = "correlation-join", "r_correlated_subqueries",
        "no correlated subquery in the condition of an outer join",
        "join the subquery's table first";
    CORRELATION_WINDOW = "correlation-window", "r_correlated_subqueries",
        "no window function in a correlated subquery",
        "compute the window in a CTE and join it";
    CORRELATION_GROUP = "correlation-group", "r_correlated_subqueries",
        "no grouped aggregate except min and max in a correlated subquery after IN",
        "group in a CTE and join it";
    SELECT_INTO = "select-into", "r_SELECT_INTO",
        "INTO follows the select list of a statement's own first SELECT",
        "create table … as select …";

    // Expressions and functions.
    INTERVAL = "interval", "r_interval_literals",
        "an interval has quantities and units in one string, or a quantity as a string and one unit after it",
        "write `interval '3 days'`";
    DATE_PART = "date-part", "r_Dateparts_for_datetime_functions",
        "only documented date parts",
        "see the page's table";
    FUNCTION_MISSING = "function-missing", "c_unsupported-postgresql-functions",
        "PostgreSQL functions that Redshift lacks: generate_series, string_agg, …",
        "see the page; listagg for string_agg";
    FUNCTION_UNKNOWN = "function-unknown", "c_SQL_functions",
        "only functions on the allow-list, and UDFs named `f_…`",
        "see `sparkify sql --rules`; or create a UDF";
    ARGUMENTS = "arguments", "c_SQL_functions",
        "a function takes the arguments that its page documents",
        "see the page";
    AGGREGATE_PLACE = "aggregate-place", "c_Aggregate_Functions",
        "aggregates are allowed in the select list, HAVING, QUALIFY and ORDER BY, not inside another aggregate",
        "compute it in a CTE first";
    WINDOW_PLACE = "window-place", "c_Window_functions",
        "window functions are allowed in the select list, QUALIFY and ORDER BY, not inside another one",
        "compute it in a CTE first";
    WINDOW_FORM = "window-form", "c_Window_functions",
        "a window function has the OVER clause, order and frame that its page documents",
        "see the function's page";
    WINDOW_FRAME = "window-frame", "c_Window_functions",
        "an ordered aggregate has an explicit frame; a frame is `rows …` from an earlier row to a later one",
        "add `rows unbounded preceding`, or the intended frame";
    LEADER_NODE = "leader-node", "c_SQL_functions_leader_node_only",
        "leader-node functions (now, current_schema, age …) are not used with tables",
        "getdate() or sysdate for the time";
    COMPUTE_NODE = "compute-node", "c_SQL_functions_compute_node_only",
        "compute-node functions (listagg, median …) are not used without a table",
        "read from a table";

    // UDFs.
    UDF_FORM = "udf-form", "r_CREATE_FUNCTION",
        "`create [or replace] function f_name(types) returns type volatile|stable|immutable as $$ select … $$ language sql`, at most 32 types",
        "use this syntax; Redshift is retiring Python UDFs";
    UDF_BODY = "udf-body", "udf-creating-a-scalar-sql-udf",
        "the body is one SELECT of one expression, without FROM, WHERE, GROUP BY, ORDER BY, LIMIT",
        "pass the required values as arguments";
    UDF_ARGUMENT = "udf-argument", "udf-creating-a-scalar-sql-udf",
        "the body refers to its arguments as `$1`, `$2` … up to the number of argument types",
        "number the arguments from 1";
    UDF_CALL = "udf-call", "r_CREATE_FUNCTION",
        "a UDF is called with the number of arguments with which it was created",
        "pass that number of arguments";

    // COPY and UNLOAD.
    COPY_OPTION = "copy-option", "r_COPY-alphabetical-parm-list",
        "only documented options, each once",
        "see `sparkify sql --rules`";
    COPY_VALUE = "copy-value", "r_COPY-parameters",
        "an option has a value of the documented syntax and range",
        "see the option's page";
    COPY_FORMAT = "copy-format", "copy-parameters-data-format",
        "one documented format, and only options that it supports",
        "omit the option";
    COPY_COLUMNAR = "copy-columnar", "copy-usage_notes-copy-from-columnar",
        "Parquet and ORC support only FROM, IAM_ROLE, CREDENTIALS, STATUPDATE, MANIFEST, ACCEPTINVCHARS, FILLRECORD, EXPLICIT_IDS",
        "omit the option";
    COPY_JOB = "copy-job", "r_COPY-JOB",
        "a copy job has no MAXERROR, IGNOREALLERRORS, MANIFEST, access keys or default role, and no hyphen in its name",
        "name the role; or load by a plain COPY";
    COPY_TOGETHER = "copy-together", "r_COPY-parameters",
        "one option of each mutually exclusive group",
        "choose one of them";
    S3_PATH = "s3-path", "copy-parameters-data-source-s3",
        "the data is at `s3://bucket/key`",
        "write the whole path";
    AUTHORIZATION = "authorization", "copy-parameters-authorization",
        "one of IAM_ROLE { default | 'arn:aws:iam::ACCOUNT:role/NAME' } and CREDENTIALS 'aws_iam_role=…'",
        "write `iam_role 'arn:aws:iam::…:role/…'`";
    ACCESS_KEY = "access-key", "copy-parameters-authorization",
        "no access keys in a statement: the logs of the cluster would contain them",
        "attach a role to the cluster and write `iam_role`";
    UNLOAD_QUERY = "unload-query", "r_UNLOAD",
        "UNLOAD takes one SELECT as a string, without an outer LIMIT",
        "double the quotes in the string; limit in a subquery";
    UNLOAD_OPTION = "unload-option", "r_UNLOAD",
        "only documented options, each once, within their range, and supported by the format",
        "see `sparkify sql --rules`";

    // Sessions.
    BLOCK = "transaction-block", "r_BEGIN",
        "VACUUM, ALTER TABLE APPEND, ALTER COLUMN TYPE and copy jobs are not allowed in a transaction block",
        "commit first";
    COMMITS = "commits-block", "r_TRUNCATE",
        "no implicit commit in a transaction block: TRUNCATE commits it",
        "use DELETE";
    SAVEPOINT = "savepoint", "c_unsupported-postgresql-functions",
        "savepoints are not supported",
        "split the transaction";
    CURSOR = "cursor", "declare",
        "one cursor per session, declared and read in the same transaction block",
        "begin a transaction; close the other cursor";
    SETTING = "setting", "r_SET",
        "only settings on the allow-list",
        "see `sparkify sql --rules`";
    ISOLATION = "isolation", "r_BEGIN",
        "only documented isolation levels",
        "omit it: the database's level applies";
    PRIVILEGE = "privilege", "r_GRANT",
        "only privileges that are documented for the kind of object",
        "see the page";
}
