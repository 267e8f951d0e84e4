//! An expression, cut where its parts are about fewer rows: `products.category = 'Sofas'` is asked once per category, and the
//! answers are carried to the lines.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use arrow_array::ArrayRef;
use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, NotExpr};

use super::days::{Days, dates};
use super::packed::{is_of_comparisons, junction};
use super::plan::{DomainId, Field, LEVEL, Scope, Source, Step, TUPLE};

/// An expression and the rows that it is computed for.
#[derive(Debug)]
pub(super) struct Placed {
    /// Its number in the query: what is known of one block is known by it.
    pub(super) number: usize,
    /// Whose value it is.
    pub(super) domain: DomainId,
    /// Computes it from the inputs.
    pub(super) expr: Arc<dyn PhysicalExpr>,
    /// What it is computed from.
    pub(super) inputs: Vec<Input>,
    /// The inputs, in Arrow's words.
    pub(super) schema: SchemaRef,
    /// Whether the rows of its domain are the same in every block.
    pub(super) is_everywhere: bool,
    /// Whether it costs little to compute for every row: a stored truth, a stored value compared with a constant, or something
    /// about days, or rows, that are the same in all blocks.
    pub(super) is_cheap: bool,
    /// Its values, where they are the same in every block.
    pub(super) everywhere: OnceLock<ArrayRef>,
    /// Its values for each day, where it is about one column of dates with many rows.
    pub(super) days: OnceLock<Option<Days>>,
}

/// What an expression is computed from.
#[derive(Debug)]
pub(super) enum Input {
    /// A field of the same domain.
    Field(usize),
    /// An expression about fewer rows, carried here.
    Carried(Placed),
}

/// Numbers for the expressions of a query.
#[derive(Debug, Default)]
pub(crate) struct Numbers(usize);

impl Numbers {
    pub(super) fn next(&mut self) -> usize {
        self.0 += 1;
        self.0
    }
}

/// Cuts an expression over the fields of `scope`.
pub(super) fn place(scope: &Scope, expr: &Arc<dyn PhysicalExpr>, numbers: &mut Numbers) -> Result<Placed> {
    let domain = home(scope, expr)?.unwrap_or(LEVEL);
    place_at(scope, domain, expr, numbers)
}

fn place_at(scope: &Scope, domain: DomainId, expr: &Arc<dyn PhysicalExpr>, numbers: &mut Numbers) -> Result<Placed> {
    let mut cutting = Cutting { scope, domain, numbers, inputs: Vec::new(), fields: Vec::new() };
    let expr = Arc::clone(expr).transform_down(|part| cutting.cut(part))?.data;
    let Cutting { inputs, fields, .. } = cutting;
    let (number, schema) = (numbers.next(), Arc::new(Schema::new(fields)));
    let is_everywhere = scope.domains[domain].rows.are_everywhere();
    let is_of_days = dates(scope, &inputs).is_some();
    let is_of_stored = is_simple(expr.as_ref()) && inputs.iter().all(|input| is_stored(scope, input));
    let is_cheap = (is_everywhere && !is_of_one_text(scope, domain)) || is_of_days || is_of_stored;
    let (everywhere, days) = (OnceLock::new(), OnceLock::new());
    Ok(Placed { number, domain, expr, inputs, schema, is_everywhere, is_cheap, everywhere, days })
}

/// Whether it takes a look at a history of each row to reach a domain.
fn is_of_one_text(scope: &Scope, mut domain: DomainId) -> bool {
    while domain != TUPLE {
        if matches!(scope.domains[domain].step, Step::OneText { .. }) {
            return true;
        }
        domain = scope.domains[domain].from;
    }
    false
}

fn is_simple(expr: &dyn PhysicalExpr) -> bool {
    is_of_comparisons(expr) || is_logical(expr)
}

/// Whether it is a column, or AND, OR and NOT of columns.
fn is_logical(expr: &dyn PhysicalExpr) -> bool {
    expr.downcast_ref::<Column>().is_some()
        || expr.downcast_ref::<NotExpr>().is_some_and(|negated| is_logical(negated.arg().as_ref()))
        || junction(expr).is_some_and(|(_, left, right)| is_logical(left) && is_logical(right))
}

fn is_stored(scope: &Scope, input: &Input) -> bool {
    matches!(input, Input::Field(field) if !matches!(scope.fields[*field].source, Source::Reduced { .. }))
}

struct Cutting<'s> {
    scope: &'s Scope,
    domain: DomainId,
    numbers: &'s mut Numbers,
    inputs: Vec<Input>,
    fields: Vec<ArrowField>,
}

impl Cutting<'_> {
    fn cut(&mut self, part: Arc<dyn PhysicalExpr>) -> Result<Transformed<Arc<dyn PhysicalExpr>>> {
        let Some(home) = home(self.scope, &part)? else {
            return Ok(Transformed::new(part, false, TreeNodeRecursion::Jump));
        };
        let own = part.downcast_ref::<Column>().filter(|_| home == self.domain).map(Column::index);
        let (input, data_type) = match own {
            Some(field) => (Input::Field(field), self.scope.fields[field].data_type.clone()),
            None if home == self.domain => return Ok(Transformed::no(part)),
            None => {
                let data_type = part.data_type(&self.scope.schema)?;
                (Input::Carried(place_at(self.scope, home, &part, self.numbers)?), data_type)
            }
        };
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new("", self.input(input, data_type)));
        Ok(Transformed::new(column, true, TreeNodeRecursion::Jump))
    }

    fn input(&mut self, input: Input, data_type: DataType) -> usize {
        let known = self
            .inputs
            .iter()
            .position(|known| matches!((known, &input), (Input::Field(known), Input::Field(field)) if known == field));
        known.unwrap_or_else(|| {
            self.inputs.push(input);
            self.fields.push(ArrowField::new("", data_type, true));
            self.inputs.len() - 1
        })
    }
}

/// The domain furthest from the tuple from which everything that the expression names can be seen; `None` of a constant.
fn home(scope: &Scope, expr: &Arc<dyn PhysicalExpr>) -> Result<Option<DomainId>> {
    let mut named = BTreeSet::new();
    expr.apply(|part| {
        if let Some(column) = part.downcast_ref::<Column>() {
            named.insert(column.index());
        }
        Ok::<_, DataFusionError>(TreeNodeRecursion::Continue)
    })?;
    let domains = named.into_iter().map(|field| field_of(scope, field).domain);
    Ok(domains.reduce(|one, other| meeting(scope, one, other)))
}

fn field_of(scope: &Scope, field: usize) -> &Field {
    &scope.fields[field]
}

/// The domain furthest from the tuple from which both are reached.
fn meeting(scope: &Scope, one: DomainId, other: DomainId) -> DomainId {
    let way = |mut domain: DomainId| {
        let mut way = vec![domain];
        while domain != TUPLE {
            domain = scope.domains[domain].from;
            way.push(domain);
        }
        way
    };
    let others = way(other);
    way(one).into_iter().find(|domain| others.contains(domain)).unwrap_or(TUPLE)
}
