//! The bucket of a text, as plain SQL: what muster computes as a number, any other engine sums up digit by digit.
//!
//! A resolved query has it as one call of [`hidden::BUCKET`], which muster's own session has as a function.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Query, VisitMut, VisitorMut,
};

use crate::resolved::hidden;
use crate::sql;

/// How many hexadecimal digits 8 bytes have.
pub(crate) const DIGITS: u32 = 16;
/// More buckets than this, and the sum over the digits could leave 64 bits.
pub(crate) const MOST_BUCKETS: u64 = 1 << 55;

/// The first 8 bytes of the digest of a text, the highest first, modulo `buckets`; NULL where the text is.
pub(crate) fn bucket(text: Expr, buckets: u64) -> Expr {
    sql::call(hidden::BUCKET, [text, sql::number(signed(buckets))])
}

/// Puts sums over digits in the place of all such calls.
pub(crate) fn spell_out(query: &mut Query) {
    // The visitor never breaks off.
    let _finished: ControlFlow<()> = query.visit(&mut Spelling);
}

struct Spelling;

impl VisitorMut for Spelling {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some((text, buckets)) = called(expr) {
            *expr = remainder(&sql::call("sha256", [text]), buckets);
        }
        ControlFlow::Continue(())
    }
}

/// The text and the number of buckets of a call.
fn called(expr: &Expr) -> Option<(Expr, u64)> {
    let Expr::Function(call) = expr else { return None };
    let FunctionArguments::List(list) = &call.args else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(text)), FunctionArg::Unnamed(FunctionArgExpr::Expr(buckets))] =
        list.args.as_slice()
    else {
        return None;
    };
    let is_it = call.name.to_string().trim_matches('"') == hidden::BUCKET;
    is_it.then(|| Some((text.clone(), buckets.to_string().parse().ok()?)))?
}

/// The remainder of the number and `buckets`: each digit counts with the remainder of its own weight.
fn remainder(digest: &Expr, buckets: u64) -> Expr {
    let weights = (1..=DIGITS).map(|place| (place, remainder_of_power(DIGITS - place, buckets)));
    let terms = weights.filter(|(_, weight)| *weight > 0).map(|(place, weight)| {
        let digit = sql::call("substr", [digest.clone(), sql::number(place.into()), sql::number(1)]);
        // Of 0 the place among the others is 0.
        let value = sql::call("strpos", [sql::text("123456789abcdef"), digit]);
        sql::binary(value, BinaryOperator::Multiply, sql::number(weight))
    });
    match terms.reduce(|sum, term| sql::binary(sum, BinaryOperator::Plus, term)) {
        Some(sum) => sql::nested(sql::binary(sql::nested(sum), BinaryOperator::Modulo, sql::number(signed(buckets)))),
        None => sql::cases([(Expr::IsNotNull(Box::new(digest.clone())), sql::number(0))]),
    }
}

/// 16 to the power of `place`, modulo `buckets`.
fn remainder_of_power(place: u32, buckets: u64) -> i64 {
    let remainder = (1u128 << (4 * place)) % u128::from(buckets);
    i64::try_from(remainder).expect("a remainder is below the buckets, which are below 2⁵⁵")
}

fn signed(buckets: u64) -> i64 {
    i64::try_from(buckets).expect("there are at most 2⁵⁵ buckets")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2⁶⁴ − 1 has only the digit f, and is 15 modulo 100, 0 modulo 5 and 2²⁴ − 1 modulo 2²⁴.
    #[test]
    fn the_weights_of_the_digits_give_the_remainder() {
        for (buckets, expected) in [(100, 15), (5, 0), (1 << 24, (1 << 24) - 1), (MOST_BUCKETS, (1 << 55) - 1)] {
            let sum: i64 = (0..DIGITS).map(|place| 15 * remainder_of_power(place, buckets)).sum();
            assert_eq!(sum % signed(buckets), expected, "{buckets}");
        }
    }
}
