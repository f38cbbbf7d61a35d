//! Words that are no names unless they are quoted, and words that end a table where an alias could stand.

/// Redshift's reserved words, sorted; read from `r_pg_keywords`.
const RESERVED: &[&str] = &[
    "aes128", "aes256", "all", "allowoverwrite", "analyse", "analyze", "and", "any", "array", "as",
    "asc", "authorization", "az64", "backup", "between", "binary", "blanksasnull", "both",
    "bytedict", "bzip2", "case", "cast", "check", "collate", "column", "constraint", "create",
    "credentials", "cross", "current_date", "current_time", "current_timestamp", "current_user",
    "current_user_id", "default", "deferrable", "deflate", "defrag", "delta", "delta32k", "desc",
    "disable", "distinct", "do", "else", "emptyasnull", "enable", "encode", "encrypt",
    "encryption", "end", "except", "explicit", "false", "for", "foreign", "freeze", "from", "full",
    "globaldict256", "globaldict64k", "grant", "group", "gzip", "having", "identity", "ignore",
    "ilike", "in", "initially", "inner", "intersect", "interval", "into", "is", "isnull", "join",
    "leading", "left", "like", "limit", "localtime", "localtimestamp", "lun", "luns", "lzo",
    "lzop", "minus", "mostly16", "mostly32", "mostly8", "natural", "new", "not", "notnull", "null",
    "nulls", "off", "offline", "offset", "oid", "old", "on", "only", "open", "or", "order",
    "outer", "overlaps", "parallel", "partition", "percent", "permissions", "pivot", "placing",
    "primary", "raw", "readratio", "recover", "references", "rejectlog", "resort", "respect",
    "restore", "right", "select", "session_user", "similar", "snapshot", "some", "sysdate",
    "system", "table", "tag", "tdes", "text255", "text32k", "then", "timestamp", "to", "top",
    "trailing", "true", "truncatecolumns", "union", "unique", "unnest", "unpivot", "user", "using",
    "verbose", "wallet", "when", "where", "with", "without",
];

/// Words that are not reserved and yet go on with the statement where an alias without AS could stand.
const NO_ALIAS: &[&str] = &[
    "at", "connect", "escape", "except", "fetch", "filter", "lateral", "over", "qualify",
    "remove", "returning", "set", "start", "tablesample", "values", "window", "within",
];

/// Whether a bare word is no name.
pub(crate) fn is_reserved(word: &str) -> bool {
    RESERVED.binary_search(&word.to_ascii_lowercase().as_str()).is_ok()
}

/// Whether a bare word may be an alias without AS before it.
pub(crate) fn may_be_alias(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    RESERVED.binary_search(&word.as_str()).is_err() && !NO_ALIAS.contains(&word.as_str())
}

/// What PostgreSQL calls the columns that it adds.
pub(crate) fn is_system_column(name: &str) -> bool {
    ["oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"].contains(&name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn reserved_words_are_sorted() {
        assert!(super::RESERVED.is_sorted());
    }
}
