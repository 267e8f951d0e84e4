//! `is_email`: whether a text is an address that mail can be sent to, as RFC 5321 writes plain ones.
//!
//! One `@`; before it at most 64 of the characters of an atom, with single dots between them; behind it a domain of two or more
//! labels of letters, digits and hyphens; at most 254 characters together. Quoted names, comments, addresses of hosts by number
//! and letters outside ASCII are none: hardly any of them is meant, and hardly any mail server takes them.

use muster_catalog::ColumnType;
use sqlparser::ast::{BinaryOperator, Expr, Spanned};
use sqlparser::tokenizer::Span;

use super::Resolver;
use super::operator::truth;
use super::scope::Typed;
use crate::error::ErrorKind;
use crate::source::Fault;
use crate::sql;

/// In the part of the syntax that engines share, and from the first character to the last: some match a whole text only.
const ADDRESS: &str = "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+([.][A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\
                       @([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?[.])+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$";
const LONGEST: i64 = 254;
const LONGEST_NAME: i64 = 64;

impl Resolver<'_> {
    /// `is_email(text)`; NULL for NULL.
    pub(super) fn email(&mut self, function: &str, arguments: &[&Expr], span: Span) -> Option<Result<Typed, Fault>> {
        (function == "is_email").then(|| self.is_email(arguments, span))
    }

    fn is_email(&mut self, arguments: &[&Expr], span: Span) -> Result<Typed, Fault> {
        let [argument] = arguments else {
            let message = format!("`is_email` takes one text, and {} are given", arguments.len());
            return Err(Fault::new(ErrorKind::NotAllowed, span, message));
        };
        let typed = self.expression(argument)?;
        if !matches!(typed.holds, None | Some(ColumnType::Text | ColumnType::Id)) {
            let message = format!("`is_email` takes a text, and `{argument}` is none");
            return Err(Fault::new(ErrorKind::NotAllowed, argument.span(), message));
        }
        let text = sql::nested(typed.sql);
        let matches = sql::binary(text.clone(), BinaryOperator::PGRegexMatch, sql::text(ADDRESS));
        let at_most = |length: Expr, most: i64| sql::binary(length, BinaryOperator::LtEq, sql::number(most));
        let short = at_most(sql::call("length", [text.clone()]), LONGEST);
        let short_name = at_most(sql::call("strpos", [text, sql::text("@")]), LONGEST_NAME + 1);
        let both = sql::binary(matches, BinaryOperator::And, short);
        Ok(truth(sql::nested(sql::binary(both, BinaryOperator::And, short_name))))
    }
}
