//! The inside of a level: what stands there is resolved for one of its rows, and the enclosing rows that it compares with are
//! joined beside them.

use sqlparser::tokenizer::Span;

use super::Resolver;
use super::call::misplaced;
use super::enclosing::{Beside, Range};
use super::level::Level;
use super::reach::Reach;
use super::scope::{Scope, Source};
use crate::resolved::{GroupKey, Relation};
use crate::source::Fault;

impl<'a> Resolver<'a> {
    /// What `resolve` makes where a row of the level is at hand, and what was reached from that row.
    pub(super) fn inside<T>(
        &mut self,
        level: &Level<'a>,
        span: Span,
        resolve: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<(T, Box<Reach<'a>>), Fault> {
        let reach = Reach::of_level(level.table, level.name.as_deref(), self.rows_around(span)?, level.range);
        self.scopes.push(Scope::of_history(reach));
        let resolved = resolve(self);
        match self.scopes.pop().map(|scope| scope.source) {
            Some(Source::Rows(reach)) => Ok((resolved?, reach)),
            _ => unreachable!("the scope of the level was pushed above"),
        }
    }

    /// The rows for which a history aggregate is taken.
    pub(super) fn rows_around(&mut self, span: Span) -> Result<&mut Reach<'a>, Fault> {
        match &mut self.scope().source {
            Source::Rows(around) => Ok(around),
            Source::Tables(_) => Err(misplaced(span, "a history aggregate needs a grain")),
        }
    }
}

/// The enclosing rows that are joined beside a level's rows.
pub(super) struct Joined {
    /// Themselves, with what leads to them and what is reached from them.
    pub(super) relations: Vec<Relation>,
    /// The `__row` of each, here and where the level is reduced.
    pub(super) keys: Vec<GroupKey>,
    /// Whether the row whose history it is, is one of them.
    pub(super) with_own: bool,
}

/// Joins the enclosing rows that `inside` compares with; `outside` is where the keys must be found again.
pub(super) fn joined<'a>(inside: &mut Reach<'a>, range: Range<'a>, outside: &mut Reach<'a>) -> Joined {
    let mut joined = Joined { relations: Vec::new(), keys: Vec::new(), with_own: false };
    for Beside { frame, table, row, relations } in inside.take_besides(range) {
        joined.with_own |= frame == range.of;
        joined.keys.push(GroupKey { inner: row, outer: outside.key_of_frame(frame, table) });
        joined.relations.extend(relations);
    }
    joined
}
