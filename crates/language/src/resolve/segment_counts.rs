//! The queries behind `venn`, `overlap` and `compare`, as text of the language that is resolved like any other.
//!
//! Their syntax has no places, so an error in what a caller gave points into the caller's text and nowhere else.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Query, visit_expressions_mut};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Tokenizer;

use crate::sql;

/// A segment among those that are counted.
pub(super) struct Member {
    pub(super) name: String,
    /// Of a row segment the table: those count who own a row.
    pub(super) rows_of: Option<String>,
}

impl Member {
    /// Whether a profile is in it: TRUE or FALSE.
    fn condition(&self) -> String {
        let column = format!("segments.{}", quoted(&self.name));
        match &self.rows_of {
            None => column,
            Some(table) => format!("has({}) FILTER (WHERE {column})", quoted(table)),
        }
    }
}

/// One row per region that anybody is in: a boolean per segment, and how many profiles. Whoever is in none of them is in
/// no region.
pub(super) fn venn(profiles: &str, members: &[Member]) -> Query {
    let columns = listed(members, |_, member| format!("{} AS {}", member.condition(), quoted(&member.name)));
    let regions = listed(members, |number, _| number.to_string());
    let any = members.iter().map(Member::condition).collect::<Vec<_>>().join(" OR ");
    let profiles = quoted(profiles);
    parsed(&format!("SELECT {columns}, count(*) AS profiles FROM {profiles} WHERE {any} GROUP BY {regions}"))
}

/// One row per ordered pair, each segment with itself too: how many profiles are in both.
///
/// Profiles are counted by the segments that they are in first, so that pairs are made of a few kinds of profiles, each told
/// by its lowest key, and not of all of them. A kind is a text with a sign per segment: one key to group by, and whether it is
/// in a segment is one sign of it, however many segments there are.
pub(super) fn overlap(profiles: &str, key: &str, members: &[Member]) -> Query {
    let names = listed(members, |number, member| format!("({number}, {})", literal(&member.name)));
    let numbers = listed(members, |number, _| format!("({number})"));
    let signs = listed(members, |_, member| format!("CASE WHEN {} THEN '1' ELSE '0' END", member.condition()));
    let (profiles, key) = (quoted(profiles), quoted(key));
    let kinds = format!(
        "(SELECT min({key}) AS kind, count(*) AS profiles, concat({signs}) AS signs FROM {profiles} GROUP BY 3)"
    );
    let members = format!(
        "(SELECT kinds.kind, kinds.profiles, numbers.number
          FROM {kinds} AS kinds CROSS JOIN (VALUES {numbers}) AS numbers (number)
          WHERE substr(kinds.signs, numbers.number, 1) = '1')"
    );
    parsed(&format!(
        "SELECT one.segment AS segment_a, other.segment AS segment_b, coalesce(pairs.profiles, 0) AS profiles
         FROM (VALUES {names}) AS one (number, segment) CROSS JOIN (VALUES {names}) AS other (number, segment)
         LEFT JOIN (
             SELECT one.number AS one, other.number AS other, CAST(sum(one.profiles) AS BIGINT) AS profiles
             FROM {members} AS one JOIN {members} AS other ON one.kind = other.kind
             GROUP BY one.number, other.number
         ) AS pairs ON pairs.one = one.number AND pairs.other = other.number"
    ))
}

/// The profiles with a column for each segment: whether it is in there.
pub(super) fn memberships(profiles: &str, members: &[Member]) -> Query {
    let columns = listed(members, |number, member| format!("{} AS \"{number}\"", member.condition()));
    parsed(&format!("SELECT {columns} FROM {}", quoted(profiles)))
}

/// One row per column and value (NULL is one too): how many profiles of the segment and of the base have it.
///
/// The segment counts as far as it lies in the base. With `a` of the segment's `A` profiles and `b` of the base's `B` in a
/// category, and `k` categories of the column:
///
/// - `segment_share` = a/A, `base_share` = b/B, `index` = 100 · segment_share / base_share;
/// - `z` = (a/b − P) / √(P·(1 − P)/b) with P = A/B: how many standard errors the segment's share of the category lies from
///   its share of the base; NULL where the segment is all or nothing of the base;
/// - `woe` = ln( ((a + ½)/(A + k/2)) / ((b − a + ½)/(B − A + k/2)) ): the weight of evidence of those in the segment against
///   those of the base who are not, with half a profile more in each cell, so that an empty one has a finite weight.
pub(super) fn compare(profiles: &str, segment: &Member, base: &Member, columns: Vec<(String, Expr)>) -> Query {
    let (profiles, inside, base) = (quoted(profiles), segment.condition(), base.condition());
    let counted = columns.iter().enumerate().map(|(index, (name, _))| {
        let (number, name) = (index + 1, literal(name));
        format!(
            "SELECT {number} AS number, {name} AS \"column\", CAST({} AS VARCHAR) AS category,
                    count(*) FILTER (WHERE {inside}) AS a, count(*) AS b
             FROM {profiles} WHERE {base} GROUP BY 3",
            placeholder(index)
        )
    });
    let counted = counted.collect::<Vec<_>>().join(" UNION ALL ");
    let mut query = parsed(&format!(
        "SELECT \"column\", category, a AS segment_profiles, b AS base_profiles,
                a / all_a AS segment_share, b / all_b AS base_share,
                100 * (a / all_a) / (b / all_b) AS \"index\",
                (CAST(a AS DOUBLE) / b - all_a / all_b) / sqrt(all_a / all_b * (1 - all_a / all_b) / b) AS z,
                ln(((a + half) / (all_a + half * categories)) / ((b - a + half) / (all_b - all_a + half * categories)))
                    AS woe
         FROM (
             SELECT \"column\", category, a, b, CAST(0.5 AS DOUBLE) AS half,
                    CAST(sum(a) OVER (PARTITION BY number) AS DOUBLE) AS all_a,
                    CAST(sum(b) OVER (PARTITION BY number) AS DOUBLE) AS all_b,
                    count(*) OVER (PARTITION BY number) AS categories
             FROM ({counted}) AS counted
         ) AS counted"
    ));
    fill(&mut query, columns);
    query
}

/// The name that stands for a column until the text is syntax.
fn placeholder(index: usize) -> String {
    quoted(&format!("?{index}"))
}

fn fill(query: &mut Query, columns: Vec<(String, Expr)>) {
    // Nothing breaks off.
    let _finished: ControlFlow<()> = visit_expressions_mut(query, |expr| {
        if let Expr::Identifier(name) = expr
            && let Some(index) = name.value.strip_prefix('?').and_then(|index| index.parse::<usize>().ok())
            && let Some((_, column)) = columns.get(index)
        {
            *expr = sql::nested(column.clone());
        }
        ControlFlow::Continue(())
    });
}

fn listed(members: &[Member], text: impl Fn(usize, &Member) -> String) -> String {
    let texts = members.iter().enumerate().map(|(index, member)| text(index + 1, member));
    texts.collect::<Vec<_>>().join(", ")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The query of a text of ours, without places.
fn parsed(text: &str) -> Query {
    let tokens = Tokenizer::new(&GenericDialect, text).tokenize().expect("names and texts are quoted");
    let mut parser = Parser::new(&GenericDialect).with_tokens(tokens);
    *parser.parse_query().expect("these texts are queries")
}
