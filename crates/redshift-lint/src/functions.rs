//! Allow-list of functions: number of arguments, and where a call is allowed.
//!
//! The list covers loaders and reports. Functions for geometry, sketches and machine learning, and
//! the comparison functions of dates, are omitted and therefore violations.

use crate::rules::{Rule, RuleKind, dg};

/// Syntax of a call, and where it is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Scalar function.
    Plain,
    /// Scalar function without parentheses.
    Bare,
    /// Scalar function of the leader node only.
    Leader,
    /// Scalar function of the leader node only, without parentheses.
    BareLeader,
    /// Aggregate, also allowed with OVER.
    Aggregate,
    /// Aggregate, not allowed with OVER.
    AggregateOnly,
    /// Aggregate that takes its order from WITHIN GROUP, so OVER has none: listagg, median …
    Ordered,
    /// Window function without a frame: `row_number`, `rank` …
    Rank,
    /// Window function with a mandatory order and without a frame: lag, lead.
    Offset,
    /// Window function that needs a frame if it has an order: `first_value` …
    Frame,
}

/// Entry of the allow-list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Function {
    pub name: &'static str,
    pub min_arguments: usize,
    pub max_arguments: usize,
    pub class: Class,
    pub page: &'static str,
}

const UNLIMITED: usize = usize::MAX;

macro_rules! functions {
    ($($class:ident { $($name:literal $min:literal..=$max:tt $page:literal;)* })*) => {
        /// Functions that are called by name.
        pub(crate) const FUNCTIONS: &[Function] = &[$($(Function {
            name: $name,
            min_arguments: $min,
            max_arguments: $max,
            class: Class::$class,
            page: dg!($page),
        }),*),*];
    };
}

// Name, numbers of arguments, page.
functions! {
    Aggregate {
        "avg" 1..=1 "r_AVG";
        "bool_and" 1..=1 "r_BOOL_AND";
        "bool_or" 1..=1 "r_BOOL_OR";
        "count" 1..=1 "r_COUNT";
        "max" 1..=1 "r_MAX";
        "min" 1..=1 "r_MIN";
        "sum" 1..=1 "r_SUM";
        "stddev" 1..=1 "r_STDDEV_functions";
        "stddev_samp" 1..=1 "r_STDDEV_functions";
        "stddev_pop" 1..=1 "r_STDDEV_functions";
        "variance" 1..=1 "r_VARIANCE_functions";
        "var_samp" 1..=1 "r_VARIANCE_functions";
        "var_pop" 1..=1 "r_VARIANCE_functions";
    }
    AggregateOnly {
        "any_value" 1..=1 "r_ANY_VALUE";
        "bit_and" 1..=1 "r_BIT_AND";
        "bit_or" 1..=1 "r_BIT_OR";
        "grouping" 1..=UNLIMITED "r_GROUP_BY_aggregation-extensions";
    }
    Ordered {
        "listagg" 1..=2 "r_LISTAGG";
        "median" 1..=1 "r_MEDIAN";
        "percentile_cont" 1..=1 "r_PERCENTILE_CONT";
        "percentile_disc" 1..=1 "r_WF_PERCENTILE_DISC";
    }
    Rank {
        "cume_dist" 0..=0 "r_WF_CUME_DIST";
        "dense_rank" 0..=0 "r_WF_DENSE_RANK";
        "ntile" 1..=1 "r_WF_NTILE";
        "percent_rank" 0..=0 "r_WF_PERCENT_RANK";
        "rank" 0..=0 "r_WF_RANK";
        "ratio_to_report" 1..=1 "r_WF_RATIO_TO_REPORT";
        "row_number" 0..=0 "r_WF_ROW_NUMBER";
    }
    Offset {
        "lag" 1..=2 "r_WF_LAG";
        "lead" 1..=2 "r_WF_LEAD";
    }
    Frame {
        "first_value" 1..=1 "r_WF_first_value";
        "last_value" 1..=1 "r_WF_first_value";
        "nth_value" 2..=2 "r_WF_NTH";
    }
    Plain {
        // Conditions.
        "coalesce" 1..=UNLIMITED "r_NVL_function";
        "decode" 3..=UNLIMITED "r_DECODE_expression";
        "greatest" 1..=UNLIMITED "r_GREATEST_LEAST";
        "least" 1..=UNLIMITED "r_GREATEST_LEAST";
        "nullif" 2..=2 "r_NULLIF_function";
        "nvl" 1..=UNLIMITED "r_NVL_function";
        "nvl2" 3..=3 "r_NVL2";
        // Dates and times.
        "add_months" 2..=2 "r_ADD_MONTHS";
        "convert_timezone" 2..=3 "CONVERT_TIMEZONE";
        "date_cmp" 2..=2 "r_DATE_CMP";
        "date_part" 2..=2 "r_DATE_PART_function";
        "date_part_year" 1..=1 "r_DATE_PART_YEAR";
        "date_trunc" 2..=2 "r_DATE_TRUNC";
        "dateadd" 3..=3 "r_DATEADD_function";
        "datediff" 3..=3 "r_DATEDIFF_function";
        "getdate" 0..=0 "r_GETDATE";
        "last_day" 1..=1 "r_LAST_DAY";
        "months_between" 2..=2 "r_MONTHS_BETWEEN_function";
        "next_day" 2..=2 "r_NEXT_DAY";
        "timeofday" 0..=0 "r_TIMEOFDAY_function";
        "timezone" 2..=2 "r_TIMEZONE";
        "to_timestamp" 2..=3 "r_TO_TIMESTAMP";
        // Formats.
        "to_char" 2..=2 "r_TO_CHAR";
        "to_date" 2..=3 "r_TO_DATE_function";
        "to_number" 2..=2 "r_TO_NUMBER";
        // Text.
        "ascii" 1..=1 "r_ASCII";
        "btrim" 1..=2 "r_BTRIM";
        "char_length" 1..=1 "r_CHAR_LENGTH";
        "character_length" 1..=1 "r_CHARACTER_LENGTH";
        "charindex" 2..=2 "r_CHARINDEX";
        "chr" 1..=1 "r_CHR";
        "concat" 2..=2 "r_CONCAT";
        "crc32" 1..=1 "crc32-function";
        "initcap" 1..=1 "r_INITCAP";
        "left" 2..=2 "r_LEFT";
        "len" 1..=1 "r_LEN";
        "length" 1..=1 "r_LENGTH";
        "lower" 1..=1 "r_LOWER";
        "lpad" 2..=3 "r_LPAD";
        "ltrim" 1..=2 "r_LTRIM";
        "octet_length" 1..=1 "r_OCTET_LENGTH";
        "octetindex" 2..=2 "OCTETINDEX";
        "quote_ident" 1..=1 "r_QUOTE_IDENT";
        "quote_literal" 1..=1 "r_QUOTE_LITERAL";
        "regexp_count" 2..=4 "REGEXP_COUNT";
        "regexp_instr" 2..=6 "REGEXP_INSTR";
        "regexp_replace" 2..=5 "REGEXP_REPLACE";
        "regexp_substr" 2..=5 "REGEXP_SUBSTR";
        "repeat" 2..=2 "r_REPEAT";
        "replace" 3..=3 "r_REPLACE";
        "replicate" 2..=2 "r_REPLICATE";
        "reverse" 1..=1 "r_REVERSE";
        "right" 2..=2 "r_LEFT";
        "rpad" 2..=3 "r_LPAD";
        "rtrim" 1..=2 "r_RTRIM";
        "soundex" 1..=1 "SOUNDEX";
        "split_part" 3..=3 "SPLIT_PART";
        "strpos" 2..=2 "r_STRPOS";
        "strtol" 2..=2 "r_STRTOL";
        "substr" 2..=3 "r_SUBSTR";
        "substring" 2..=3 "r_SUBSTRING";
        "textlen" 1..=1 "r_TEXTLEN";
        "translate" 3..=3 "r_TRANSLATE";
        "upper" 1..=1 "r_UPPER";
        // Digests.
        "checksum" 1..=1 "r_CHECKSUM";
        "fnv_hash" 1..=2 "r_FNV_HASH";
        "func_sha1" 1..=1 "FUNC_SHA1";
        "md5" 1..=1 "r_MD5";
        "sha" 1..=1 "SHA";
        "sha1" 1..=1 "SHA1";
        "sha2" 2..=2 "SHA2";
        // Bytes.
        "from_hex" 1..=1 "r_FROM_HEX";
        "from_varbyte" 2..=2 "r_FROM_VARBYTE";
        "to_hex" 1..=1 "r_TO_HEX";
        "to_varbyte" 2..=2 "r_TO_VARBYTE";
        // Numbers.
        "abs" 1..=1 "r_ABS";
        "acos" 1..=1 "r_ACOS";
        "asin" 1..=1 "r_ASIN";
        "atan" 1..=1 "r_ATAN";
        "atan2" 2..=2 "r_ATAN2";
        "cbrt" 1..=1 "r_CBRT";
        "cos" 1..=1 "r_COS";
        "cot" 1..=1 "r_COT";
        "degrees" 1..=1 "r_DEGREES";
        "dexp" 1..=1 "r_DEXP";
        "dlog10" 1..=1 "r_DLOG10";
        "ceil" 1..=1 "r_CEILING_FLOOR";
        "ceiling" 1..=1 "r_CEILING_FLOOR";
        "exp" 1..=1 "r_EXP";
        "floor" 1..=1 "r_FLOOR";
        "ln" 1..=1 "r_LN";
        "log" 1..=1 "r_LOG";
        "mod" 2..=2 "r_MOD";
        "pi" 0..=0 "r_PI";
        "pow" 2..=2 "r_POWER";
        "power" 2..=2 "r_POWER";
        "radians" 1..=1 "r_RADIANS";
        "random" 0..=0 "r_RANDOM";
        "round" 1..=2 "r_ROUND";
        "sign" 1..=1 "r_SIGN";
        "sin" 1..=1 "r_SIN";
        "sqrt" 1..=1 "r_SQRT";
        "tan" 1..=1 "r_TAN";
        "trunc" 1..=2 "r_TRUNC";
        // JSON and super.
        "array" 0..=UNLIMITED "r_array";
        "can_json_parse" 1..=1 "CAN_JSON_PARSE";
        "get_array_length" 1..=1 "get_array_length";
        "is_array" 1..=1 "r_is_array";
        "is_object" 1..=1 "r_is_object";
        "is_valid_json" 1..=1 "IS_VALID_JSON";
        "is_valid_json_array" 1..=1 "IS_VALID_JSON_ARRAY";
        "json_array_length" 1..=2 "JSON_ARRAY_LENGTH";
        "json_extract_array_element_text" 2..=3 "JSON_EXTRACT_ARRAY_ELEMENT_TEXT";
        "json_extract_path_text" 2..=UNLIMITED "JSON_EXTRACT_PATH_TEXT";
        "json_parse" 1..=1 "JSON_PARSE";
        "json_serialize" 1..=1 "JSON_SERIALIZE";
        "json_size" 1..=1 "r_json_size";
        "json_typeof" 1..=1 "r_json_typeof";
        "object" 0..=UNLIMITED "r_object_function";
        "split_to_array" 2..=2 "split_to_array";
        // The system.
        "current_database" 0..=0 "r_CURRENT_DATABASE";
        "current_setting" 1..=2 "r_CURRENT_SETTING";
        "pg_backend_pid" 0..=0 "PG_BACKEND_PID";
        "pg_last_copy_count" 0..=0 "PG_LAST_COPY_COUNT";
        "pg_last_copy_id" 0..=0 "PG_LAST_COPY_ID";
        "pg_last_query_id" 0..=0 "PG_LAST_QUERY_ID";
        "pg_last_unload_count" 0..=0 "PG_LAST_UNLOAD_COUNT";
        "pg_last_unload_id" 0..=0 "PG_LAST_UNLOAD_ID";
        "version" 0..=0 "r_VERSION";
    }
    Bare {
        "current_date" 0..=0 "r_CURRENT_DATE_function";
        "current_user" 0..=0 "r_CURRENT_USER";
        "current_user_id" 0..=0 "r_CURRENT_USER_ID";
        "sysdate" 0..=0 "r_SYSDATE";
        "user" 0..=0 "r_USER";
    }
    Leader {
        "age" 1..=2 "c_SQL_functions_leader_node_only";
        "current_schema" 0..=0 "r_CURRENT_SCHEMA";
        "current_schemas" 1..=1 "r_CURRENT_SCHEMAS";
        "has_database_privilege" 2..=3 "r_HAS_DATABASE_PRIVILEGE";
        "has_schema_privilege" 2..=3 "r_HAS_SCHEMA_PRIVILEGE";
        "has_table_privilege" 2..=3 "r_HAS_TABLE_PRIVILEGE";
        "isfinite" 1..=1 "c_SQL_functions_leader_node_only";
        "now" 0..=0 "c_SQL_functions_leader_node_only";
        "to_ascii" 1..=1 "c_SQL_functions_leader_node_only";
    }
    BareLeader {
        "current_time" 0..=0 "c_SQL_functions_leader_node_only";
        "current_timestamp" 0..=0 "c_SQL_functions_leader_node_only";
        "localtime" 0..=0 "c_SQL_functions_leader_node_only";
    }
}

/// Functions with their own syntax, which the expression grammar handles.
const SPECIAL_SYNTAX: &[(&str, &str)] = &[
    ("approximate count", dg!("r_COUNT")),
    ("approximate percentile_disc", dg!("r_APPROXIMATE_PERCENTILE_DISC")),
    ("case", dg!("r_CASE_function")),
    ("cast", dg!("r_CAST_function")),
    ("convert", dg!("r_CONVERT_function")),
    ("exists", dg!("r_exists_condition")),
    ("extract", dg!("r_EXTRACT_function")),
    ("position", dg!("r_POSITION")),
    ("trim", dg!("r_TRIM")),
];

/// PostgreSQL functions that are documented as unsupported.
const UNSUPPORTED: &[&str] = &[
    "array_agg",
    "bit_length",
    "clock_timestamp",
    "convert_from",
    "convert_to",
    "corr",
    "covar_pop",
    "covar_samp",
    "current_query",
    "currval",
    "div",
    "encode",
    "every",
    "format",
    "generate_series",
    "generate_subscripts",
    "gen_random_uuid",
    "inet_client_addr",
    "inet_server_addr",
    "json_agg",
    "json_build_object",
    "jsonb_agg",
    "justify_days",
    "justify_hours",
    "justify_interval",
    "lastval",
    "nextval",
    "overlay",
    "pg_sleep",
    "quote_nullable",
    "regexp_matches",
    "regexp_split_to_array",
    "regexp_split_to_table",
    "setseed",
    "setval",
    "statement_timestamp",
    "string_agg",
    "string_to_array",
    "to_tsvector",
    "to_tsquery",
    "transaction_timestamp",
    "txid_current",
    "width_bucket",
    "xmlagg",
    "pg_advisory_lock",
    "pg_advisory_xact_lock",
    "pg_try_advisory_lock",
    "pg_relation_size",
    "pg_total_relation_size",
];

/// Returns the function with this name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| name.eq_ignore_ascii_case(function.name))
}

/// Returns true if Redshift documents the function as unsupported.
pub(crate) fn is_unsupported(name: &str) -> bool {
    UNSUPPORTED.iter().any(|it| name.eq_ignore_ascii_case(it))
}

/// The functions as allow-list entries.
pub(crate) fn entries() -> impl Iterator<Item = Rule> {
    let functions = FUNCTIONS.iter().map(|function| (function.name, function.page));
    let all = functions.chain(SPECIAL_SYNTAX.iter().copied());
    all.map(|(id, page)| Rule::allowed(RuleKind::Function, id, page))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a call with `count` arguments, with the clauses that the function needs.
    fn call(function: &Function, count: usize) -> String {
        let Function { name, class, .. } = *function;
        let first = match name {
            "dateadd" | "datediff" | "date_part" => "day",
            "date_trunc" => "'day'",
            _ => "a",
        };
        let arguments: Vec<&str> =
            (0..count).map(|index| if index == 0 { first } else { "b" }).collect();
        let arguments = arguments.join(", ");
        let clauses = match (class, name) {
            (Class::Bare | Class::BareLeader, _) => return name.into(),
            (_, "percentile_cont") => " within group (order by a)",
            (_, "percentile_disc") => " within group (order by a) over (partition by b)",
            (_, "ratio_to_report") => " over (partition by b)",
            (Class::Rank | Class::Offset, _) => " over (order by a)",
            (Class::Frame, _) => " over (order by a rows unbounded preceding)",
            _ => "",
        };
        format!("{name}({arguments}){clauses}")
    }

    fn is_leader_only(function: &Function) -> bool {
        matches!(function.class, Class::Leader | Class::BareLeader)
    }

    #[test]
    fn functions_accept_exactly_the_documented_argument_counts() {
        for function in FUNCTIONS {
            let from = if is_leader_only(function) { "pg_tables" } else { "t" };
            let check =
                |count| crate::check(&format!("select {} from {from}", call(function, count)));
            let max = function.max_arguments.min(40);
            for count in [function.min_arguments, max] {
                assert!(check(count).is_ok(), "{}: {}", function.name, check(count).unwrap_err());
            }
            if matches!(function.class, Class::Bare | Class::BareLeader) {
                continue;
            }
            if function.min_arguments > 0 {
                let count = function.min_arguments - 1;
                assert!(check(count).is_err(), "{} with {count} arguments", function.name);
            }
            if function.max_arguments < UNLIMITED {
                let count = function.max_arguments + 1;
                assert!(check(count).is_err(), "{} with {count} arguments", function.name);
            }
        }
    }

    #[test]
    fn leader_node_functions_are_rejected_with_a_table() {
        for function in FUNCTIONS.iter().filter(|function| is_leader_only(function)) {
            let statement = format!("select {} from t", call(function, function.min_arguments));
            assert_eq!(crate::check(&statement).unwrap_err().rule, "leader-node", "{statement}");
        }
    }

    #[test]
    fn names_are_unique_and_unsupported_functions_are_not_listed() {
        let mut names: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for name in UNSUPPORTED {
            assert!(find(name).is_none(), "{name}");
            let violation = crate::check(&format!("select {name}(a) from t")).unwrap_err();
            assert_eq!(violation.rule, "function-missing", "{name}");
        }
    }
}
