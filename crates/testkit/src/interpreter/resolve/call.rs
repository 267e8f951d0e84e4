//! The call of a function, taken apart.

use sqlparser::ast::{
    self, DuplicateTreatment, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArguments, Ident,
    ObjectNamePart,
};

use super::same_name;
use crate::interpreter::error::{Error, Kind, Result};

/// A call as it is written.
pub(super) struct Call<'a> {
    pub whole: &'a ast::Function,
    /// Its name in small letters.
    pub function: String,
    /// The name of the first argument: `x` of `x => orders`.
    pub name: Option<&'a Ident>,
    /// The arguments in order, without `within`.
    pub arguments: Vec<&'a ast::Expr>,
    /// `count(*)`.
    pub is_star: bool,
    /// `within => …`.
    pub within: Option<&'a ast::Expr>,
    pub is_distinct: bool,
    pub filter: Option<&'a ast::Expr>,
}

impl<'a> Call<'a> {
    pub fn read(whole: &'a ast::Function) -> Result<Self> {
        let mut call = Self {
            whole,
            function: function_name(whole)?,
            name: None,
            arguments: Vec::new(),
            is_star: false,
            within: None,
            is_distinct: false,
            filter: whole.filter.as_deref(),
        };
        check_plain(whole)?;
        match &whole.args {
            FunctionArguments::None => {}
            FunctionArguments::Subquery(_) => return Err(Error::unsupported(whole, "a subquery as an argument")),
            FunctionArguments::List(list) => {
                if !list.clauses.is_empty() {
                    return Err(Error::unsupported(whole, "clauses among arguments"));
                }
                call.is_distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
                for argument in &list.args {
                    call.take(argument)?;
                }
            }
        }
        Ok(call)
    }

    /// Only the first argument has a name, and `within` of a sequence.
    fn take(&mut self, argument: &'a FunctionArg) -> Result<()> {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => self.is_star = true,
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => self.arguments.push(expr),
            FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(expr),
                operator: FunctionArgOperator::RightArrow,
            } => {
                if self.function == "has_sequence" && same_name(name, "within") && self.within.is_none() {
                    self.within = Some(expr);
                } else if self.arguments.is_empty() && !self.is_star {
                    self.name = Some(name);
                    self.arguments.push(expr);
                } else {
                    return Err(self.wrong(&format!("no argument `{name}`")));
                }
            }
            _ => return Err(Error::unsupported(self.whole, "this kind of argument")),
        }
        Ok(())
    }

    /// That the arguments are others than the function takes.
    pub fn wrong(&self, expected: &str) -> Error {
        Error::at(Kind::Arguments, self.whole, format!("`{}` takes {expected}", self.function))
    }
}

pub(super) fn function_name(function: &ast::Function) -> Result<String> {
    match function.name.0.as_slice() {
        [ObjectNamePart::Identifier(name)] => Ok(name.value.to_ascii_lowercase()),
        _ => Err(Error::unsupported(function, format!("`{}`", function.name))),
    }
}

fn check_plain(function: &ast::Function) -> Result<()> {
    let is_plain = function.parameters == FunctionArguments::None
        && function.null_treatment.is_none()
        && function.within_group.is_empty()
        && !function.uses_odbc_syntax;
    if is_plain { Ok(()) } else { Err(Error::unsupported(function, "this way to call a function")) }
}
