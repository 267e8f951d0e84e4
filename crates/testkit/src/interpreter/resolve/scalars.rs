//! Functions of single rows: which there are, and how many arguments they take.

use muster_catalog::Kind as TableKind;
use sqlparser::ast::{self, WindowType};

use super::call::Call;
use super::expressions::call as call_of;
use super::history::whole_number;
use super::level::is_aggregate;
use super::{Mode, Resolver};
use crate::interpreter::error::{Error, Kind, Result};
use crate::interpreter::meaning::{Expr, Ranking, Window};
use crate::world::Value;

/// Name, fewest and most arguments.
const SCALARS: [(&str, usize, usize); 33] = [
    ("now", 0, 0),
    ("today", 0, 0),
    ("age", 1, 1),
    ("days_between", 2, 2),
    ("days_to_anniversary", 1, 1),
    ("is_email", 1, 1),
    ("lower", 1, 1),
    ("upper", 1, 1),
    ("length", 1, 1),
    ("substr", 2, 3),
    ("btrim", 1, 2),
    ("ltrim", 1, 2),
    ("rtrim", 1, 2),
    ("concat", 1, usize::MAX),
    ("replace", 3, 3),
    ("starts_with", 2, 2),
    ("ends_with", 2, 2),
    ("contains", 2, 2),
    ("strpos", 2, 2),
    ("left", 2, 2),
    ("right", 2, 2),
    ("abs", 1, 1),
    ("round", 1, 2),
    ("floor", 1, 1),
    ("ceil", 1, 1),
    ("coalesce", 1, usize::MAX),
    ("nullif", 2, 2),
    ("greatest", 1, usize::MAX),
    ("least", 1, usize::MAX),
    ("array_has", 2, 2),
    ("date_trunc", 2, 2),
    ("date_part", 2, 2),
    ("cardinality", 1, 1),
];

/// Other names of the same functions.
const SYNONYMS: [(&str, &str); 6] = [
    ("current_date", "today"),
    ("char_length", "length"),
    ("character_length", "length"),
    ("trim", "btrim"),
    ("ceiling", "ceil"),
    ("substring", "substr"),
];

/// Functions that are not functions of their input (rule 8).
const FORBIDDEN: [&str; 6] = ["random", "uuid", "current_timestamp", "current_time", "localtimestamp", "localtime"];

impl Resolver<'_> {
    pub(super) fn function(&mut self, function: &ast::Function) -> Result<Expr> {
        let call = Call::read(function)?;
        match call.function.as_str() {
            "row_number" | "rank" | "dense_rank" => self.window(&call),
            _ if is_aggregate(function) => self.aggregate(&call),
            "has_sequence" => self.sequence(&call),
            _ if function.over.is_some() || function.filter.is_some() => {
                Err(Error::unsupported(function, format!("`{}` with OVER or FILTER", call.function)))
            }
            _ if call.name.is_some() => Err(call.wrong("no named argument")),
            name if FORBIDDEN.contains(&name) => {
                let message = format!("`{name}` is no function of its input; now() is the as-of instant");
                Err(Error::at(Kind::Forbidden, function, message))
            }
            "was" => self.was(&call),
            "is_double" | "is_first_of" => self.among_profiles(&call),
            "sample" | "bucket" => self.chance(&call),
            _ => self.scalar(&call),
        }
    }

    fn scalar(&mut self, call: &Call) -> Result<Expr> {
        let arguments = call.arguments.iter().map(|argument| self.expr(argument)).collect::<Result<Vec<Expr>>>()?;
        let synonym = SYNONYMS.iter().find(|(synonym, _)| *synonym == call.function);
        let name = synonym.map_or(call.function.as_str(), |(_, name)| name);
        let Some((_, fewest, most)) = SCALARS.iter().find(|(scalar, ..)| *scalar == name) else {
            return Err(Error::unsupported(call.whole, format!("the function `{name}`")));
        };
        if call.is_star || call.is_distinct || !(*fewest..=*most).contains(&arguments.len()) {
            return Err(call.wrong(&format!("{fewest} arguments or more, not {}", arguments.len())));
        }
        let takes_any_of_them = ["coalesce", "greatest", "least"].contains(&name);
        Ok(call_of(name, if takes_any_of_them { self.alike(arguments) } else { arguments }))
    }

    /// `was(condition, instant)`: "the instant is one for the whole query", so it sees no row. The condition sees the row
    /// that it is about, and no other one around it.
    fn was(&mut self, call: &Call) -> Result<Expr> {
        let [condition, instant] = call.arguments.as_slice() else {
            return Err(call.wrong("a condition and an instant"));
        };
        if ast::visit_expressions(*instant, |inner| match inner {
            ast::Expr::Identifier(_) | ast::Expr::CompoundIdentifier(_) => std::ops::ControlFlow::Break(()),
            _ => std::ops::ControlFlow::Continue(()),
        })
        .is_break()
        {
            return Err(call.wrong("an instant that is the same for all rows"));
        }
        if matches!(self.mode, Mode::Group(_)) {
            return Err(Error::unsupported(call.whole, "was() of a group"));
        }
        let outside = std::mem::replace(&mut self.mode, Mode::Row);
        let instant = Box::new(self.expr(instant)?);
        self.mode = outside;
        let condition = Box::new(self.of_the_row_alone().expr(condition)?);
        Ok(Expr::Was { condition, instant })
    }

    /// A reader who sees the innermost row as if it were a query's grain.
    fn of_the_row_alone(&self) -> Self {
        let mut alone = Self::new(self.world, self.open.clone());
        let name = self.scopes.last().and_then(|scope| scope.name.as_ref());
        let row = alone.new_row(self.nodes[self.innermost()].table, None, name.is_some());
        alone.enter(row, name);
        alone
    }

    /// `is_double(x)` and `is_first_of(x)`, "both among all profiles at the instant".
    fn among_profiles(&mut self, call: &Call) -> Result<Expr> {
        self.check_owner(call)?;
        let [value] = call.arguments.as_slice() else { return Err(call.wrong("one expression")) };
        let value = Box::new(self.of_profile(|profile| profile.expr(value))?);
        Ok(if call.function == "is_double" { Expr::IsDouble(value) } else { Expr::IsFirstOf(value) })
    }

    fn check_owner(&self, call: &Call) -> Result<()> {
        let chain = self.chain(self.innermost());
        let top = chain.last().map(|node| &self.world.catalog.tables[self.nodes[*node].table].kind);
        if top == Some(&TableKind::Root) && !matches!(self.mode, Mode::Group(_)) {
            return Ok(());
        }
        Err(Error::at(Kind::Grain, call.whole, format!("`{}` needs a profile", call.function)))
    }

    /// `sample(fraction, 'seed' [, unit])` and `bucket(n, 'seed' [, unit])`.
    fn chance(&mut self, call: &Call) -> Result<Expr> {
        if call.arguments.len() < 3 {
            self.check_owner(call)?;
        }
        let (share, seed, unit) = match call.arguments.as_slice() {
            [share, seed] => (share, seed, None),
            [share, seed, unit] => (share, seed, Some(Box::new(self.expr(unit)?))),
            _ => return Err(call.wrong("a number, a seed and perhaps a unit")),
        };
        let Expr::Literal(Value::Text(seed)) = self.expr(seed)? else { return Err(call.wrong("a seed in quotes")) };
        if call.function == "bucket" {
            let count = whole_number(share).and_then(|count| u64::try_from(count).ok()).filter(|count| *count > 0);
            let count = count.ok_or_else(|| call.wrong("a number of buckets, at least 1"))?;
            return Ok(Expr::Bucket { count, seed, unit });
        }
        match self.expr(share)? {
            Expr::Literal(fraction) if fraction.double().is_some_and(|share| (0.0..=1.0).contains(&share)) => {
                Ok(Expr::Sample { fraction, seed, unit })
            }
            _ => Err(call.wrong("a fraction from 0 to 1")),
        }
    }

    /// A rank over the rows of an answer that is not grouped; history aggregates stand inside PARTITION BY and ORDER BY
    /// (rule 5).
    fn window(&mut self, call: &Call) -> Result<Expr> {
        let Some(WindowType::WindowSpec(spec)) = &call.whole.over else {
            return Err(Error::unsupported(call.whole, "a named window, or none"));
        };
        if spec.window_frame.is_some()
            || spec.window_name.is_some()
            || !call.arguments.is_empty()
            || call.filter.is_some()
        {
            return Err(Error::unsupported(call.whole, format!("`{}`", call.whole)));
        }
        if !matches!(self.mode, Mode::Answer) {
            return Err(Error::at(Kind::Aggregate, call.whole, "a window stands in SELECT, ORDER BY and QUALIFY"));
        }
        self.mode = Mode::Row;
        let partition = spec.partition_by.iter().map(|key| self.expr(key)).collect::<Result<_>>()?;
        let order = spec.order_by.iter().map(|key| self.order_key(key, &key.expr)).collect::<Result<_>>()?;
        self.mode = Mode::Answer;
        let rank = match call.function.as_str() {
            "row_number" => Ranking::RowNumber,
            "rank" => Ranking::Rank,
            _ => Ranking::Dense,
        };
        Ok(Expr::Window(Box::new(Window { rank, partition, order })))
    }
}
