//! What the language means, where the engine on its own would mean something else: done to every plan before it is analysed.

use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;

use crate::{doubles, growth, rounding};

/// The plan as the language means it.
pub(crate) fn meant(plan: LogicalPlan) -> Result<LogicalPlan> {
    doubles::among_doubles(plan).and_then(rounding::with_places).and_then(growth::bounded)
}
