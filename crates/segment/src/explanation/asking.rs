//! Asks the questions that a definition's conditions put to one row, and reads the answers.

use std::cmp::Ordering;

use muster_catalog::Timestamp;
use muster_language::{Condition, Deciding, Reasons, Reduced};
use muster_query::Answer;

use super::turning::{MissingRows, Side, Turn, turn};
use super::{DecidingRow, ExplainedCondition, Explanation, Missing, MissingPlace, Turning};
use crate::cells::{counted, shown, truths};
use crate::{Error, Evaluator};

impl Evaluator<'_> {
    /// Why the row with this key is in the segment `name` or not, as of an instant.
    ///
    /// # Errors
    /// [`Error::UnknownRow`] if there is no such row then; as [`Evaluator::rows`].
    pub fn explanation(&self, name: &str, key: &str, as_of: Timestamp) -> Result<Explanation, Error> {
        // What is wrong with the definition is said before anything about the row.
        self.rows(name, as_of)?;
        let definition = self.definition(name)?;
        let reasons = definition.query.reasons(&definition.name, key, self.names(), as_of);
        let reasons = reasons.expect("a definition selects rows of one table with a key");
        let answer = self.answer(&reasons.question, as_of)?;
        if answer.row_count() == 0 {
            let instant = as_of.rfc3339(self.names().zone);
            return Err(Error::UnknownRow { table: reasons.grain, key: key.to_owned(), instant });
        }
        let asked = Asked { evaluator: self, key, as_of, reasons: &reasons, answer };
        Ok(Explanation {
            segment: definition.name.clone(),
            table: reasons.grain.clone(),
            key: key.to_owned(),
            as_of,
            is_member: asked.truth(reasons.member)? == Some(true),
            condition: reasons.condition.as_ref().map(|condition| asked.explained(condition)).transpose()?,
            choice: reasons.choice.clone(),
        })
    }
}

/// What is known of one row.
struct Asked<'a> {
    evaluator: &'a Evaluator<'a>,
    key: &'a str,
    as_of: Timestamp,
    reasons: &'a Reasons,
    answer: Answer,
}

impl Asked<'_> {
    fn truth(&self, column: usize) -> Result<Option<bool>, Error> {
        Ok(truths(&self.answer, column)?.remove(0))
    }

    fn value(&self, column: usize) -> Result<Option<String>, Error> {
        Ok(shown(&self.answer, column)?.remove(0))
    }

    fn explained(&self, condition: &Condition) -> Result<ExplainedCondition, Error> {
        let values = condition.inputs.iter().map(|input| Ok((input.text.clone(), self.value(input.column)?)));
        Ok(ExplainedCondition {
            text: condition.text.clone(),
            joined: condition.joined,
            truth: self.truth(condition.truth)?,
            values: values.collect::<Result<_, Error>>()?,
            turning: condition.deciding.as_ref().map(|deciding| self.turning(deciding)).transpose()?.flatten(),
            parts: condition.parts.iter().map(|part| self.explained(part)).collect::<Result<_, _>>()?,
            definition: condition.segment.as_deref().map(|name| self.definition(name)).transpose()?.flatten(),
        })
    }

    /// Why the same row is in another segment, if that selects from the same table.
    fn definition(&self, name: &str) -> Result<Option<Box<Explanation>>, Error> {
        let grain = self.evaluator.names().segment(name).map(|segment| segment.grain.as_str());
        if grain.is_none_or(|grain| !grain.eq_ignore_ascii_case(&self.reasons.grain)) {
            return Ok(None);
        }
        self.evaluator.explanation(name, self.key, self.as_of).map(|why| Some(Box::new(why)))
    }

    /// What would turn a comparison; `None` where nothing of its rows would.
    fn turning(&self, deciding: &Deciding) -> Result<Option<Turning>, Error> {
        let Some(bound) = self.value(deciding.bound_column)? else { return Ok(None) };
        let answer = self.evaluator.answer(&deciding.rows, self.as_of)?;
        let turn = turn(deciding.reduced, deciding.comparison, bound.parse().ok(), &sides(&answer)?);
        turn.map(|turn| {
            let rows = rows(&answer, &deciding.shown, &turn)?;
            let missing = turn.missing.map(|missing| missing_rows(deciding, missing));
            Ok(Turning { table: deciding.table.clone(), rows, missing })
        })
        .transpose()
    }
}

/// Of each row whether its value is NULL, and on which side of the bound it lies.
fn sides(answer: &Answer) -> Result<Vec<Side>, Error> {
    let rows = truths(answer, 2)?.into_iter().zip(counted(answer, 3)?);
    let side = |(is_null, side): (Option<bool>, Option<i64>)| Side {
        is_null: is_null == Some(true),
        of_bound: side.map(|side| side.cmp(&0)).filter(|_: &Ordering| is_null != Some(true)),
    };
    Ok(rows.map(side).collect())
}

fn rows(answer: &Answer, names: &[String], turn: &Turn) -> Result<Vec<DecidingRow>, Error> {
    let (keys, times) = (shown(answer, 0)?, shown(answer, 1)?);
    let columns = (4..).take(names.len()).map(|column| shown(answer, column)).collect::<Result<Vec<_>, _>>()?;
    let row = |place: &usize| DecidingRow {
        key: keys[*place].clone(),
        time: times[*place].clone(),
        values: names.iter().zip(&columns).map(|(name, column)| (name.clone(), column[*place].clone())).collect(),
    };
    Ok(turn.gone.iter().map(row).collect())
}

fn missing_rows(deciding: &Deciding, missing: MissingRows) -> Missing {
    let value = deciding.value.as_ref().map(|value| match missing.value {
        Some(comparison) => format!("{value} {} {}", comparison.sign(), deciding.bound),
        None => format!("{value} IS NOT NULL"),
    });
    let end = if deciding.reduced == Reduced::First { MissingPlace::First } else { MissingPlace::Last };
    Missing {
        rows: missing.count,
        table: deciding.table.clone(),
        conditions: deciding.filter.iter().cloned().chain(value).collect(),
        place: missing.at_end.then_some(end),
    }
}
