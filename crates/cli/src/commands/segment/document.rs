//! The JSON documents of `muster segment`: why somebody is in it, and how its members differ.

use muster_language::Joined;
use muster_segment::{DecidingRow, Difference, ExplainedCondition, Explanation, Missing, Move, Moved, Turning};
use serde_json::{Map, Value, json};

use crate::workspace::Workspace;

/// Why a row is in a segment or not.
pub fn explanation(why: &Explanation, workspace: &Workspace) -> Value {
    json!({
        "segment": why.segment,
        "table": why.table,
        "key": why.key,
        "as_of": why.as_of.rfc3339(workspace.catalog.workspace.time_zone),
        "member": why.is_member,
        "condition": why.condition.as_ref().map(|part| condition(part, workspace)),
        "choice": why.choice,
        "chosen": why.is_chosen(),
    })
}

fn condition(part: &ExplainedCondition, workspace: &Workspace) -> Value {
    json!({
        "condition": part.text,
        "joined": joined(part.joined),
        "truth": part.truth,
        "values": part.values.iter().map(|(text, value)| json!({ "expression": text, "value": value })).collect::<Vec<_>>(),
        "turned_by": part.turning.as_ref().map(turning),
        "parts": part.parts.iter().map(|part| condition(part, workspace)).collect::<Vec<_>>(),
        "definition": part.definition.as_ref().map(|why| explanation(why, workspace)),
    })
}

fn joined(joined: Joined) -> Option<&'static str> {
    match joined {
        Joined::Alone => None,
        Joined::All => Some("AND"),
        Joined::Any => Some("OR"),
        Joined::Not => Some("NOT"),
    }
}

fn turning(turning: &Turning) -> Value {
    json!({
        "table": turning.table,
        "rows": turning.rows.iter().map(row).collect::<Vec<_>>(),
        "missing": turning.missing.as_ref().map(missing),
    })
}

fn row(row: &DecidingRow) -> Value {
    let values: Map<String, Value> = row.values.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({ "key": row.key, "time": row.time, "values": values })
}

fn missing(missing: &Missing) -> Value {
    json!({ "rows": missing.rows, "conditions": missing.conditions, "text": missing.to_string() })
}

/// How the members of a segment differ.
pub fn difference(difference: &Difference) -> Value {
    let moved = |moved: Moved| {
        let moves = difference.moves.iter().filter(|one| one.moved == moved);
        moves.map(|Move { key, by, .. }| json!({ "key": key, "by": by })).collect::<Vec<_>>()
    };
    json!({
        "before": difference.before,
        "after": difference.after,
        "came": moved(Moved::Came),
        "went": moved(Moved::Went),
    })
}
