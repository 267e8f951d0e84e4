//! Expressions of a wanted kind, over what is in sight.

use muster_catalog::Timestamp;

use super::chance::Chance;
use super::functions::{AGGREGATES, Aggregate, LITERALS, SCALARS, Takes, VALUES};
use super::mix::Mix;
use super::sight::{Kind, Mention, Range, Sight, Whose, is_variable};
use crate::world::{Value, World};

/// How many history aggregates a question has at most.
const AGGREGATES_AT_MOST: usize = 4;

/// How many rows are around one another at most.
const ROWS_AT_MOST: usize = 3;

/// One question while it is written.
pub struct Writing<'c> {
    pub chance: Chance,
    pub mix: Mix,
    pub sight: Sight<'c>,
    world: &'c World,
    /// The instants of which one may ask.
    instants: &'c [Timestamp],
    /// Whether the condition is one of another instant already.
    is_past: bool,
    /// Whether columns of the innermost row may stand without its name.
    bare: bool,
    aggregates_left: usize,
    /// What the aggregate before ranged over, as it is written.
    range_before: Option<String>,
}

impl<'c> Writing<'c> {
    pub fn new(world: &'c World, instants: &'c [Timestamp], chance: Chance, sight: Sight<'c>) -> Self {
        Self {
            chance,
            mix: Mix::default(),
            sight,
            world,
            instants,
            is_past: false,
            bare: true,
            aggregates_left: AGGREGATES_AT_MOST,
            range_before: None,
        }
    }

    /// An expression that gives this kind; `depth` says how deep it may grow.
    pub fn value(&mut self, kind: Kind, depth: usize) -> String {
        if kind == Kind::Bool && depth > 0 {
            return self.condition(depth);
        }
        let ways = [(6, 0), (if depth > 0 { 7 } else { 0 }, 1), (if depth > 0 { 6 } else { 0 }, 2), (1, 3)];
        let written = match self.chance.weighted(&ways) {
            0 => self.mention(kind),
            1 => self.scalar(kind, depth),
            2 => self.aggregate_of(kind, depth),
            _ => None,
        };
        written.or_else(|| self.mention(kind)).unwrap_or_else(|| self.literal(kind))
    }

    /// A condition that some rows meet and some do not, as far as that can be known.
    pub fn condition(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.compared().unwrap_or_else(|| self.literal(Kind::Bool));
        }
        let is_inside = usize::from(self.sight.depth() > 0);
        let ways = [
            (if is_inside > 0 { 5 } else { 2 }, 0),
            (12, 1),
            (11, 2),
            (3, 3),
            (1, 4),
            (4 * is_inside, 5),
            (4, 6),
            (usize::from(!self.is_past), 7),
        ];
        let written = match self.chance.weighted(&ways) {
            0 => self.compared(),
            1 => self.aggregate_compared(depth),
            2 => self.scalar(Kind::Bool, depth),
            3 => self.junction(depth),
            4 => self.membership(),
            6 => self.scalar_compared(depth),
            7 => Some(self.was(depth)),
            _ => self.beside_an_enclosing_row(),
        };
        written.or_else(|| self.compared()).unwrap_or_else(|| self.literal(Kind::Bool))
    }

    fn junction(&mut self, depth: usize) -> Option<String> {
        let (left, right) = (self.condition(depth - 1), self.condition(depth - 1));
        let (name, operator) = *self.chance.pick(&[("and", "AND"), ("or", "OR"), ("and", "AND")]);
        self.mix.calls(name);
        let is_negated = self.chance.percent(15);
        Some(if is_negated {
            format!("NOT ({left} {operator} {right})")
        } else {
            format!("({left} {operator} {right})")
        })
    }

    /// A column beside a value that it has somewhere.
    fn compared(&mut self) -> Option<String> {
        let kinds = [Kind::Text, Kind::Int, Kind::Decimal, Kind::Date, Kind::Instant, Kind::Double];
        let kind = *self.chance.pick(&kinds);
        let mention = self.some_mention(|mention| mention.kind == kind)?;
        let value = self.value_of(&mention.table, &mention.column).unwrap_or_else(|| self.literal(kind));
        Some(format!("{} {} {value}", mention.text, self.comparison(kind)))
    }

    fn comparison(&mut self, kind: Kind) -> &'static str {
        let operator = match kind {
            Kind::Text => *self.chance.pick(&["=", "=", "<>", "<", ">="]),
            _ => *self.chance.pick(&["<", "<=", ">", ">=", "=", "<>"]),
        };
        self.mix.calls(operator);
        operator
    }

    /// An aggregate beside a value that it may well have; `has` and `every` as they are.
    fn aggregate_compared(&mut self, depth: usize) -> Option<String> {
        if self.chance.percent(18) {
            return self.sequence(depth);
        }
        let kind = *self.chance.pick(&[
            Kind::Bool,
            Kind::Bool,
            Kind::Int,
            Kind::Int,
            Kind::Decimal,
            Kind::Double,
            Kind::Text,
            Kind::Instant,
            Kind::Date,
        ]);
        let aggregate = self.aggregate_of(kind, depth)?;
        if kind == Kind::Bool {
            return Some(if self.chance.percent(30) { format!("NOT {aggregate}") } else { aggregate });
        }
        if self.chance.percent(8) {
            return Some(format!("{aggregate} IS NULL"));
        }
        let other = self.value(kind, 0);
        let value = if self.chance.percent(60) { self.literal(kind) } else { other };
        Some(format!("{aggregate} {} {value}", self.comparison(kind)))
    }

    /// A function of one row beside a value.
    fn scalar_compared(&mut self, depth: usize) -> Option<String> {
        let kind = *self.chance.pick(&[Kind::Int, Kind::Int, Kind::Int, Kind::Double, Kind::Text, Kind::Text]);
        let written = self.scalar(kind, depth)?;
        Some(format!("{written} {} {}", self.comparison(kind), self.literal(kind)))
    }

    /// A segment or a list.
    fn membership(&mut self) -> Option<String> {
        let mut names: Vec<String> = self.world.segments.keys().map(|name| format!("segments.{name}")).collect();
        names.push("lists.staff".to_owned());
        let name = self.chance.pick(&names).clone();
        self.mix.calls(name.split('.').next().unwrap_or_default());
        Some(if self.chance.percent(40) { format!("NOT {name}") } else { name })
    }

    /// What held for the innermost row at another instant; no other row is in sight there.
    fn was(&mut self, depth: usize) -> String {
        let alone = self.sight.of_innermost();
        let outside = std::mem::replace(&mut self.sight, alone);
        self.is_past = true;
        let condition = self.condition(depth - 1);
        self.is_past = false;
        self.sight = outside;
        self.mix.calls("was");
        let instant = if self.chance.percent(75) {
            format!("'{}'", self.chance.pick(self.instants))
        } else {
            format!("now() - {}", self.hole("calendar").unwrap_or_default())
        };
        format!("was({condition}, {instant})")
    }

    /// The innermost row compared with one around it.
    fn beside_an_enclosing_row(&mut self) -> Option<String> {
        let around = self.some_mention(|mention| mention.of == Whose::Around && mention.kind != Kind::Set)?;
        let own = self.some_mention(|mention| mention.of == Whose::Own && mention.kind == around.kind)?;
        self.mix.has("enclosing");
        if around.kind == Kind::Instant && self.chance.percent(40) {
            let span = self.hole("calendar").unwrap_or_default();
            return Some(format!("{} <= {} + {span}", own.text, around.text));
        }
        Some(format!("{} {} {}", own.text, self.comparison(around.kind), around.text))
    }

    fn some_mention(&mut self, is_wanted: impl Fn(&Mention) -> bool) -> Option<Mention> {
        let mentions = self.sight.mentions(self.bare).into_iter().filter(|mention| is_wanted(mention));
        let mut by_row: Vec<(usize, Vec<Mention>)> =
            [(6, Whose::Own), (2, Whose::Above), (2, Whose::Around), (2, Whose::Lookup)]
                .map(|(weight, _)| (weight, Vec::new()))
                .into();
        for mention in mentions {
            let place = match mention.of {
                Whose::Own => 0,
                Whose::Above => 1,
                Whose::Around => 2,
                Whose::Lookup => 3,
            };
            by_row[place].1.push(mention);
        }
        by_row.retain(|(_, mentions)| !mentions.is_empty());
        if by_row.is_empty() {
            return None;
        }
        let of_row = self.chance.weighted(&by_row).clone();
        let mention = self.chance.pick(&of_row).clone();
        if is_variable(&mention) {
            self.mix.calls("variable");
        }
        Some(mention)
    }

    fn mention(&mut self, kind: Kind) -> Option<String> {
        self.some_mention(|mention| mention.kind == kind).map(|mention| mention.text)
    }

    /// A value that stands in this column somewhere, as a literal.
    fn value_of(&mut self, table: &str, column: &str) -> Option<String> {
        let rows = &self.world.tables[table];
        let place = rows.columns.iter().position(|(name, _)| name == column)?;
        if rows.rows.is_empty() {
            return None;
        }
        match &self.chance.pick(&rows.rows)[place] {
            Value::Null | Value::Set(_) | Value::Interval { .. } => None,
            Value::Bool(truth) => Some(if *truth { "TRUE".to_owned() } else { "FALSE".to_owned() }),
            Value::Text(text) => Some(format!("'{}'", text.replace('\'', "''"))),
            Value::Date(_) if self.chance.percent(20) => Some("'2025-04-01'".to_owned()),
            day @ Value::Date(_) => Some(format!("DATE '{day}'")),
            // A day beside an instant is its midnight there.
            Value::Instant(micros) if self.chance.percent(30) => {
                let zone = self.world.catalog.workspace.time_zone;
                let day = Timestamp::from_micros(*micros).local(zone).date_naive();
                Some(if self.chance.percent(70) { format!("DATE '{day}'") } else { format!("'{day}'") })
            }
            Value::Instant(_) if self.chance.percent(25) => {
                self.mix.calls("now");
                Some(format!("now() - {}", self.hole("calendar").unwrap_or_default()))
            }
            instant @ Value::Instant(_) => Some(format!("TIMESTAMP '{instant}'")),
            Value::Double(double) => Some(format!("{double}e0")),
            number @ (Value::Int(_) | Value::Decimal { .. }) => Some(format!("{number}")),
        }
    }

    pub fn literal(&mut self, kind: Kind) -> String {
        let values = VALUES.iter().find(|(of, _)| *of == kind).map(|(_, values)| *values).unwrap_or_default();
        // No literal is a set.
        if values.is_empty() { "profiles.interests".to_owned() } else { (*self.chance.pick(values)).to_owned() }
    }

    /// A function or operator of one row.
    fn scalar(&mut self, kind: Kind, depth: usize) -> Option<String> {
        let profile = self.sight.profile();
        let is_fitting = |template: &str| profile.is_some() || !template.contains("{profile}");
        let fitting: Vec<_> =
            SCALARS.iter().filter(|(_, gives, template)| *gives == kind && is_fitting(template)).collect();
        if fitting.is_empty() {
            return None;
        }
        let (name, _, template) = **self.chance.pick(&fitting);
        self.mix.calls(name);
        Some(self.filled(template, depth.saturating_sub(1), None))
    }

    /// The template with its holes filled, the first of a kind with what is given.
    fn filled(&mut self, template: &str, depth: usize, mut given: Option<(Kind, String)>) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, behind)) = rest.split_once('{') {
            let (hole, behind) = behind.split_once('}').expect("every hole ends");
            text.push_str(before);
            let filling = match (kind_named(hole), given.take()) {
                (Some(kind), Some((its, value))) if its == kind => value,
                (Some(kind), other) => {
                    given = other;
                    self.value(kind, depth)
                }
                (None, other) => {
                    given = other;
                    self.hole(hole).expect("every hole of a template is known")
                }
            };
            text.push_str(&filling);
            rest = behind;
        }
        text + rest
    }

    fn hole(&mut self, name: &str) -> Option<String> {
        if name == "profile" {
            return self.sight.profile();
        }
        let (_, values) = LITERALS.iter().find(|(hole, _)| *hole == name)?;
        Some((*self.chance.pick(values)).to_owned())
    }
}

fn kind_named(name: &str) -> Option<Kind> {
    Some(match name {
        "bool" => Kind::Bool,
        "int" => Kind::Int,
        "decimal" => Kind::Decimal,
        "double" => Kind::Double,
        "text" => Kind::Text,
        "date" => Kind::Date,
        "instant" => Kind::Instant,
        "set" => Kind::Set,
        _ => return None,
    })
}

impl Writing<'_> {
    /// A history aggregate that gives this kind.
    pub fn aggregate_of(&mut self, kind: Kind, depth: usize) -> Option<String> {
        let fitting: Vec<Aggregate> = AGGREGATES.iter().filter(|(_, gives, _)| *gives == kind).copied().collect();
        if fitting.is_empty() || self.aggregates_left == 0 || self.sight.depth() >= ROWS_AT_MOST {
            return None;
        }
        let (name, _, takes) = *self.chance.pick(&fitting);
        let range = self.range()?;
        self.aggregates_left -= 1;
        let written = self.aggregate(name, takes, &range, depth);
        if written.is_none() {
            self.aggregates_left += 1;
        }
        written
    }

    fn range(&mut self) -> Option<Range> {
        let ranges = self.sight.ranges();
        // Two aggregates over the same rows are reduced together, so that is to happen often.
        let again = ranges.iter().find(|range| Some(&range.text) == self.range_before.as_ref()).cloned();
        if let Some(range) = again.filter(|_| self.chance.percent(30)) {
            return Some(range);
        }
        // Few rows have rows below them of a table that is around already: only those that are around themselves.
        let above = self.sight.above();
        let weight = |range: &Range| match (range.is_again, range.is_beside) {
            (true, false) => 24,
            (true, true) if above.contains(&range.table) => 12,
            (true, true) => 5,
            (false, _) => 4,
        };
        let weighted: Vec<(usize, Range)> = ranges.into_iter().map(|range| (weight(&range), range)).collect();
        (!weighted.is_empty()).then(|| self.chance.weighted(&weighted).clone())
    }

    fn aggregate(&mut self, name: &str, takes: Takes, range: &Range, depth: usize) -> Option<String> {
        let is_named = range.must_be_named || self.chance.percent(20);
        let row = is_named.then(|| self.new_name());
        let outside = self.sight.clone();
        self.sight = outside.inside(range, row.as_deref());
        let written = self.aggregate_inside(name, takes, range, row.as_deref(), depth.saturating_sub(1));
        self.sight = outside;
        let written = written?;
        self.note(name, range);
        Some(written)
    }

    fn note(&mut self, name: &str, range: &Range) {
        self.range_before = Some(range.text.clone());
        self.mix.calls(name);
        if self.sight.depth() > 0 {
            self.mix.has("nested");
        }
        if range.is_beside {
            self.mix.has("beside");
        }
        if range.is_again {
            self.mix.has("again");
        }
    }

    fn aggregate_inside(
        &mut self,
        name: &str,
        takes: Takes,
        range: &Range,
        row: Option<&str>,
        depth: usize,
    ) -> Option<String> {
        let may_pick = row.is_some() || takes == Takes::Rows;
        let rows = if may_pick && self.chance.percent(20) { self.picked(range, depth) } else { range.text.clone() };
        let filter =
            if self.chance.percent(68) { format!(" FILTER (WHERE {})", self.condition(depth)) } else { String::new() };
        let named = row.map(|row| format!("{row} => {rows}"));
        let (distinct, kind) = match takes {
            Takes::Rows => return Some(format!("{name}({}){filter}", named.unwrap_or(rows))),
            Takes::Of(kind) | Takes::Nth(kind) => ("", kind),
            Takes::Distinct(kind) => ("DISTINCT ", kind),
        };
        let argument = match row {
            Some(_) => self.value(kind, depth.min(1)),
            None => self.argument(kind, depth)?,
        };
        let place = match takes {
            Takes::Nth(_) => format!(", {}", self.chance.pick(&["2", "-2", "1", "-1", "3"])),
            _ => String::new(),
        };
        let named = named.map(|named| named + ", ").unwrap_or_default();
        Some(format!("{name}({distinct}{named}{argument}{place}){filter}"))
    }

    /// `latest(…)` or `earliest(…)`.
    fn picked(&mut self, range: &Range, depth: usize) -> String {
        let function = *self.chance.pick(&["latest", "earliest"]);
        self.mix.calls(function);
        self.mix.has("picked");
        let count = self.chance.between(1, 3);
        let condition =
            if self.chance.percent(50) { format!(", {}", self.condition(depth.min(1))) } else { String::new() };
        format!("{function}({}, {count}{condition})", range.text)
    }

    /// An argument that says by what it mentions over which table it is (rule 1).
    fn argument(&mut self, kind: Kind, depth: usize) -> Option<String> {
        let outside = std::mem::replace(&mut self.bare, false);
        let written = self.argument_with_names(kind, depth);
        self.bare = outside;
        written
    }

    fn argument_with_names(&mut self, kind: Kind, depth: usize) -> Option<String> {
        if kind == Kind::Bool {
            let of = *self.chance.pick(&[Kind::Text, Kind::Int, Kind::Decimal, Kind::Instant]);
            let own = self.some_mention(|mention| mention.of == Whose::Own && mention.kind == of)?;
            let value = self.value_of(&own.table, &own.column).unwrap_or_else(|| self.literal(of));
            return Some(format!("{} {} {value}", own.text, self.comparison(of)));
        }
        let own = self.some_mention(|mention| mention.of == Whose::Own && mention.kind == kind)?;
        if depth == 0 || self.chance.percent(60) {
            return Some(own.text);
        }
        let hole = format!("{{{}}}", format!("{kind:?}").to_lowercase());
        let fitting: Vec<_> =
            SCALARS.iter().filter(|(_, gives, template)| *gives == kind && template.contains(&hole)).collect();
        if fitting.is_empty() {
            return Some(own.text);
        }
        let (name, _, template) = **self.chance.pick(&fitting);
        self.mix.calls(name);
        Some(self.filled(template, 0, Some((kind, own.text))))
    }

    /// A condition that holds for all rows that have a value there.
    fn wide(&mut self) -> String {
        let own = self.some_mention(|mention| mention.of == Whose::Own);
        own.map_or("TRUE".to_owned(), |own| format!("{} IS NOT NULL", own.text))
    }

    /// A condition that some rows of one history meet and others do not.
    fn of_some_rows(&mut self) -> String {
        let kinds = [Kind::Text, Kind::Int, Kind::Decimal];
        let own = self.some_mention(|mention| mention.of == Whose::Own && kinds.contains(&mention.kind));
        let value = own.as_ref().and_then(|own| self.value_of(&own.table, &own.column));
        match own.zip(value) {
            Some((own, value)) => format!("{} {} {value}", own.text, self.comparison(own.kind)),
            None => self.condition(0),
        }
    }

    /// `has_sequence(…)`.
    fn sequence(&mut self, depth: usize) -> Option<String> {
        if self.aggregates_left == 0 || self.sight.depth() >= ROWS_AT_MOST {
            return None;
        }
        let ranges: Vec<Range> = self.sight.ranges().into_iter().filter(|range| !range.must_be_named).collect();
        if ranges.is_empty() {
            return None;
        }
        let range = self.chance.pick(&ranges).clone();
        self.aggregates_left -= 1;
        let outside = self.sight.clone();
        self.sight = outside.inside(&range, None);
        let steps = 2 + usize::from(self.chance.percent(25));
        let mut arguments = vec![range.text.clone()];
        for _ in 0..steps {
            // Half of the conditions hold for many rows, so that the span and the order decide.
            let is_wide = self.chance.percent(50);
            arguments.push(if is_wide { self.wide() } else { self.condition(usize::from(depth > 1)) });
        }
        if self.chance.percent(70) {
            arguments.push(format!("within => {}", self.hole("calendar").unwrap_or_default()));
        }
        let filter =
            if self.chance.percent(50) { format!(" FILTER (WHERE {})", self.of_some_rows()) } else { String::new() };
        self.sight = outside;
        self.note("has_sequence", &range);
        Some(format!("has_sequence({}){filter}", arguments.join(", ")))
    }

    /// A name that no row in sight has; rows beside one another often share theirs.
    fn new_name(&mut self) -> String {
        let free: Vec<&str> = ["a", "b", "c", "d", "e"].into_iter().filter(|name| !self.sight.has_name(name)).collect();
        (*self.chance.pick(&free[..2])).to_owned()
    }
}
