//! The functions that a query may call, by name.
//!
//! An allow-list: what the engine offers and is a function of its input alone, at a cost that its input bounds. So the
//! wall clock, chance and the engine's own workings are out, and for now everything that makes its output longer than
//! a caller can foresee (`repeat`, `lpad`, `rpad`, `array_repeat`, `array_resize`, `range`).

/// How a function is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// One value per row, from that row's values.
    Scalar,
    /// One value per group, or per row with OVER.
    Aggregate,
    /// One value per row, only with OVER.
    Window,
    /// Rows, in FROM.
    Table,
}

/// The functions that give rows counted from segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SegmentTable {
    Venn,
    Overlap,
    Compare,
}

impl SegmentTable {
    const ALL: [Self; 3] = [Self::Venn, Self::Overlap, Self::Compare];

    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Venn => "venn",
            Self::Overlap => "overlap",
            Self::Compare => "compare",
        }
    }

    /// How it is called.
    pub(crate) fn shape(self) -> &'static str {
        match self {
            Self::Venn => "FROM venn('a', 'b', 'c')",
            Self::Overlap => "FROM overlap('a', 'b', 'c')",
            Self::Compare => "FROM compare('segment', 'base', country, age(birth_date))",
        }
    }
}

/// Scalar functions of text.
const TEXT: [&str; 42] = [
    "ascii",
    "bit_length",
    "btrim",
    "char_length",
    "character_length",
    "chr",
    "concat",
    "concat_ws",
    "contains",
    "decode",
    "encode",
    "ends_with",
    "find_in_set",
    "initcap",
    "instr",
    "left",
    "length",
    "levenshtein",
    "lower",
    "ltrim",
    "octet_length",
    "position",
    "regexp_count",
    "regexp_instr",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    "replace",
    "reverse",
    "right",
    "rtrim",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "substr_index",
    "substring",
    "substring_index",
    "to_hex",
    "translate",
    "trim",
    "upper",
];

/// Scalar functions of numbers.
const NUMBERS: [&str; 38] = [
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "cot",
    "degrees",
    "exp",
    "factorial",
    "floor",
    "gcd",
    "isnan",
    "iszero",
    "lcm",
    "ln",
    "log",
    "log10",
    "log2",
    "nanvl",
    "pi",
    "pow",
    "power",
    "radians",
    "round",
    "signum",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
];

/// Scalar functions of dates and instants.
const TIMES: [&str; 15] = [
    "date_bin",
    "date_format",
    "date_part",
    "date_trunc",
    "datepart",
    "datetrunc",
    "make_date",
    "to_char",
    "to_date",
    "to_local_time",
    "to_timestamp",
    "to_timestamp_micros",
    "to_timestamp_millis",
    "to_timestamp_seconds",
    "to_unixtime",
];

/// Scalar functions that choose among their arguments.
const CHOICES: [&str; 7] = ["coalesce", "greatest", "ifnull", "least", "nullif", "nvl", "nvl2"];

/// Scalar functions of sets.
const SETS: [&str; 33] = [
    "array_any_value",
    "array_append",
    "array_concat",
    "array_contains",
    "array_distinct",
    "array_element",
    "array_except",
    "array_has",
    "array_has_all",
    "array_has_any",
    "array_intersect",
    "array_length",
    "array_max",
    "array_min",
    "array_position",
    "array_positions",
    "array_prepend",
    "array_remove",
    "array_remove_all",
    "array_replace",
    "array_replace_all",
    "array_reverse",
    "array_slice",
    "array_sort",
    "array_sum",
    "array_to_string",
    "array_union",
    "arrays_overlap",
    "cardinality",
    "empty",
    "flatten",
    "list_contains",
    "string_to_array",
];

/// Aggregate functions over the rows of a group or a window.
const AGGREGATES: [&str; 32] = [
    "any_value",
    "approx_distinct",
    "approx_median",
    "approx_percentile_cont",
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "first_value",
    "grouping",
    "last_value",
    "max",
    "mean",
    "median",
    "min",
    "mode",
    "nth_value",
    "percentile_cont",
    "quantile_cont",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var",
    "var_pop",
    "var_samp",
    "var_sample",
];

/// Functions that need OVER.
const WINDOWS: [&str; 8] = ["cume_dist", "dense_rank", "lag", "lead", "ntile", "percent_rank", "rank", "row_number"];

/// Functions that reduce the rows of a history.
const HISTORY_AGGREGATES: [&str; 13] =
    ["avg", "count", "every", "first", "has", "last", "max", "median", "min", "mode", "nth", "stddev", "sum"];

/// Functions of the language itself; the resolver gives them their meaning.
const OWN: [&str; 22] = [
    "age",
    "bucket",
    "current_date",
    "current_timestamp",
    "days_between",
    "days_to_anniversary",
    "earliest",
    "every",
    "first",
    "has",
    "has_sequence",
    "is_double",
    "is_email",
    "is_first_of",
    "last",
    "latest",
    "now",
    "nth",
    "offer_score",
    "sample",
    "today",
    "was",
];

/// Functions of the language's page that this version does not have, with what they are called in the message.
const NOT_YET: [(&str, &str); 2] = [("distance_km", "`distance_km`"), ("travel_time", "`travel_time`")];

/// Functions that are no function of their input: chance and the wall clock.
const IMPURE: [&str; 27] = [
    "clock_timestamp",
    "curdate",
    "current_time",
    "curtime",
    "gen_random_uuid",
    "getdate",
    "localtime",
    "localtimestamp",
    "newid",
    "nextval",
    "rand",
    "random",
    "random_uuid",
    "rowid",
    "setseed",
    "statement_timestamp",
    "sysdate",
    "sysdatetime",
    "timeofday",
    "transaction_timestamp",
    "unix_timestamp",
    "utc_date",
    "utc_time",
    "utc_timestamp",
    "uuid",
    "uuidv4",
    "uuidv7",
];

/// The function that gives rows of what is bought together.
pub(crate) const AFFINITY: &str = "affinity";

/// All functions that a query may call, each name once, with how it is used: those of the language first.
pub fn functions() -> impl Iterator<Item = (&'static str, Use)> {
    let reduces = |name| HISTORY_AGGREGATES.contains(&name) || name == "has_sequence";
    let own = OWN.into_iter().map(move |name| (name, if reduces(name) { Use::Aggregate } else { Use::Scalar }));
    let aggregates = AGGREGATES.into_iter().map(|name| (name, Use::Aggregate));
    let windows = WINDOWS.into_iter().map(|name| (name, Use::Window));
    let tables = SegmentTable::ALL.into_iter().map(SegmentTable::name).chain([AFFINITY]);
    own.chain(tables.map(|name| (name, Use::Table)))
        .chain(aggregates)
        .chain(windows)
        .chain(scalars().map(|name| (name, Use::Scalar)))
}

/// How the function of this lower-case name is used; `None` if a query may not call it.
pub(crate) fn used_as(function: &str) -> Option<Use> {
    if AGGREGATES.contains(&function) {
        Some(Use::Aggregate)
    } else if WINDOWS.contains(&function) {
        Some(Use::Window)
    } else {
        scalars().any(|known| known == function).then_some(Use::Scalar)
    }
}

/// The function of this lower-case name that gives rows.
pub(crate) fn segment_table(function: &str) -> Option<SegmentTable> {
    SegmentTable::ALL.into_iter().find(|table| table.name() == function)
}

/// What the message calls a function that this version does not have.
pub(crate) fn not_yet(function: &str) -> Option<&'static str> {
    NOT_YET.iter().find(|(known, _)| *known == function).map(|(_, feature)| *feature)
}

/// Whether the function depends on chance or the wall clock.
pub(crate) fn is_impure(function: &str) -> bool {
    IMPURE.contains(&function)
}

/// Whether the function reduces the rows of a history, where it is given some.
pub(crate) fn is_history_aggregate(function: &str) -> bool {
    HISTORY_AGGREGATES.contains(&function)
}

/// The name that was most likely meant.
pub(crate) fn nearest(function: &str) -> Option<&'static str> {
    let names = scalars().chain(AGGREGATES).chain(WINDOWS).chain(OWN);
    muster_catalog::nearest(function, names.collect::<Vec<&'static str>>())
}

fn scalars() -> impl Iterator<Item = &'static str> {
    TEXT.into_iter().chain(NUMBERS).chain(TIMES).chain(CHOICES).chain(SETS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_function_is_listed_once_and_can_be_called() {
        let listed: Vec<&str> = functions().map(|(name, _)| name).collect();
        assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), listed.len());
        for (name, used) in functions() {
            let known = OWN.contains(&name) || segment_table(name).is_some() || name == AFFINITY;
            assert!(known || used_as(name) == Some(used), "{name}");
            assert!(not_yet(name).is_none() && !is_impure(name), "{name}");
        }
    }
}
