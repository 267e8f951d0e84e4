//! Small constructors of SQL syntax, so that the resolver reads as what it builds.

use std::convert::Infallible;
use std::fmt::Display;
use std::ops::ControlFlow;

use muster_catalog::{Names, TableNames, Timestamp};
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    AccessExpr, BinaryOperator, CaseWhen, CastKind, Cte, DataType, ExactNumberInfo, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentList, FunctionArguments, GroupByExpr, Ident, ObjectName, ObjectNamePart,
    OrderByExpr, OrderByOptions, Query, Select, SelectFlavor, SelectItem, SetExpr, Subscript, TableAlias,
    TableAliasColumnDef, TableFactor, TableWithJoins, TimezoneInfo, TypedString, UnaryOperator, Value, ValueWithSpan,
    VisitMut, VisitorMut, WindowSpec, WindowType,
};

/// A quoted name.
pub(crate) fn name(text: &str) -> Ident {
    Ident::with_quote('"', if is_misprinted(text, '"') { doubled(text, '"') } else { text.to_owned() })
}

/// Whether the printer of syntax would take a quote in `text` for one that is doubled already.
///
/// It does so of two quotes in a row and of one behind a backslash, as if the text had been kept as it was written. Then
/// what is printed is another text, and may end too early.
pub(crate) fn is_misprinted(text: &str, quote: char) -> bool {
    text.contains(&format!("{quote}{quote}")) || text.contains(&format!("\\{quote}"))
}

/// The text as it stands between quotes, which the printer of syntax leaves as it is.
fn doubled(text: &str, quote: char) -> String {
    text.replace(quote, &format!("{quote}{quote}"))
}

/// Syntax as it was parsed, as text that reads as the same syntax.
pub(crate) fn written<T: Clone + Display + VisitMut>(syntax: &T) -> String {
    struct Doubling;
    impl VisitorMut for Doubling {
        type Break = Infallible;

        fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<Infallible> {
            if let Value::SingleQuotedString(text) = &mut value.value {
                *text = doubled(text, '\'');
            }
            ControlFlow::Continue(())
        }

        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Infallible> {
            if let Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } = expr {
                **inner = behind_minus(std::mem::replace(inner, null()));
            }
            ControlFlow::Continue(())
        }
    }
    let mut syntax = syntax.clone();
    let ControlFlow::Continue(()) = syntax.visit(&mut Doubling);
    syntax.to_string()
}

/// `"alias"."column"`.
pub(crate) fn column(alias: &str, column: &str) -> Expr {
    Expr::CompoundIdentifier(vec![name(alias), name(column)])
}

/// `'text'`.
pub(crate) fn text(text: &str) -> Expr {
    Expr::value(text_value(text))
}

/// `'text'` in syntax that is still to be resolved: as the parser would give it.
pub(crate) fn unresolved_text(text: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(text.to_owned()))
}

/// `'text'`, where syntax has a value and no expression.
pub(crate) fn text_value(text: &str) -> Value {
    Value::SingleQuotedString(doubled(text, '\''))
}

/// A whole number.
pub(crate) fn number(number: i64) -> Expr {
    let digits = Expr::value(Value::Number(number.unsigned_abs().to_string(), false));
    if number < 0 { Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(digits) } } else { digits }
}

/// `FALSE`.
pub(crate) fn falsehood() -> Expr {
    Expr::value(Value::Boolean(false))
}

/// What a minus stands before: in brackets where it begins with one too, since two of them begin a comment.
pub(crate) fn behind_minus(expr: Expr) -> Expr {
    if expr.to_string().starts_with('-') { nested(expr) } else { expr }
}

/// `TRUE`.
pub(crate) fn truth() -> Expr {
    Expr::value(Value::Boolean(true))
}

/// `NULL`.
pub(crate) fn null() -> Expr {
    Expr::value(Value::Null)
}

/// `CASE WHEN condition THEN result … END`.
pub(crate) fn cases(cases: impl IntoIterator<Item = (Expr, Expr)>) -> Expr {
    let cases = cases.into_iter().map(|(condition, result)| CaseWhen { condition, result });
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: cases.collect(),
        else_result: None,
    }
}

/// `left op right`.
pub(crate) fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

/// `expr * 1.0`.
pub(crate) fn times_one(expr: Expr) -> Expr {
    binary(nested(expr), BinaryOperator::Multiply, Expr::value(Value::Number("1.0".to_owned(), false)))
}

/// `list[place]`.
pub(crate) fn member(list: Expr, place: i64) -> Expr {
    let subscript = Subscript::Index { index: number(place) };
    Expr::CompoundFieldAccess { root: Box::new(list), access_chain: vec![AccessExpr::Subscript(subscript)] }
}

/// `expr ASC`, as it stands in ORDER BY.
pub(crate) fn ascending(expr: Expr) -> OrderByExpr {
    OrderByExpr { expr, options: OrderByOptions { asc: None, nulls_first: None }, with_fill: None }
}

/// `row_number() OVER (PARTITION BY within ORDER BY order)`, the order turned round where it is `last`.
pub(crate) fn row_number(within: Vec<Expr>, order: Vec<Expr>, last: bool) -> Expr {
    let turned = |expr: Expr| OrderByExpr {
        options: OrderByOptions { asc: last.then_some(false), nulls_first: None },
        ..ascending(expr)
    };
    let spec = WindowSpec {
        window_name: None,
        partition_by: within,
        order_by: order.into_iter().map(turned).collect(),
        window_frame: None,
    };
    Expr::Function(Function { over: Some(WindowType::WindowSpec(spec)), ..bare_call("row_number", Vec::new()) })
}

/// `NOT (expr)`.
pub(crate) fn not(expr: Expr) -> Expr {
    Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(nested(expr)) }
}

/// `left AND right`, or `right` alone.
pub(crate) fn conjunction(left: Option<Expr>, right: Expr) -> Expr {
    match left {
        Some(left) => binary(left, BinaryOperator::And, right),
        None => right,
    }
}

/// The parts of a conjunction.
pub(crate) fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    match condition {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            let mut parts = conjuncts(left);
            parts.extend(conjuncts(right));
            parts
        }
        other => vec![other],
    }
}

/// The table that a SELECT takes its rows from, and what it calls them; `None` where it is not one table of the catalog.
pub(crate) fn grain<'n>(select: &Select, names: &'n Names) -> Option<(&'n TableNames, String)> {
    let [tables] = select.from.as_slice() else { return None };
    let TableFactor::Table { name, alias, .. } = &tables.relation else { return None };
    let table = names.table(&name.0.last()?.as_ident()?.value)?;
    let alias = alias.as_ref().map_or_else(|| table.name.clone(), |alias| alias.name.value.clone());
    Some((table, alias))
}

/// `(expr)`.
pub(crate) fn nested(expr: Expr) -> Expr {
    Expr::Nested(Box::new(expr))
}

/// The instant at which a date begins in the session's time zone; no value where there is none.
pub(crate) fn local_midnight(date: Expr) -> Expr {
    let clock = DataType::Timestamp(None, TimezoneInfo::None);
    let instant = DataType::Timestamp(None, TimezoneInfo::Tz);
    Expr::Cast {
        kind: CastKind::TryCast,
        expr: Box::new(cast(date, clock)),
        data_type: instant,
        array: false,
        format: None,
    }
}

/// `CAST(expr AS data_type)`.
pub(crate) fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(expr), data_type, array: false, format: None }
}

/// `CAST(expr AS BIGINT)`.
pub(crate) fn whole(expr: Expr) -> Expr {
    cast(expr, DataType::BigInt(None))
}

/// `CAST(expr AS DOUBLE)`.
pub(crate) fn double(expr: Expr) -> Expr {
    cast(expr, DataType::Double(ExactNumberInfo::None))
}

/// `data_type 'value'`.
pub(crate) fn typed_text(data_type: DataType, value: &str) -> Expr {
    let value = text_value(value).into();
    Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false })
}

/// `TIMESTAMPTZ '2025-06-30T10:00:00Z'`: the form that every engine reads as the same instant.
pub(crate) fn instant(instant: Timestamp) -> Expr {
    typed_text(DataType::Timestamp(None, TimezoneInfo::Tz), &instant.to_string())
}

/// `function(arguments)`, by its plain name.
pub(crate) fn call(function: &str, arguments: impl IntoIterator<Item = Expr>) -> Expr {
    let arguments = arguments.into_iter().map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)));
    Expr::Function(bare_call(function, arguments.collect()))
}

/// A call without DISTINCT, FILTER or OVER.
pub(crate) fn bare_call(function: &str, args: Vec<FunctionArg>) -> Function {
    let list = FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() };
    Function {
        name: ObjectName(vec![ObjectNamePart::Identifier(Ident::new(function))]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    }
}

/// `expr AS "alias"`.
pub(crate) fn aliased(expr: Expr, alias: &str) -> SelectItem {
    SelectItem::ExprWithAlias { expr, alias: name(alias) }
}

/// `"name" AS (query)`.
pub(crate) fn cte(name: &str, query: Query) -> Cte {
    cte_of(cte_name(name), query)
}

/// The same, where the alias may name the columns too.
pub(crate) fn cte_of(alias: TableAlias, query: Query) -> Cte {
    let closing_paren_token = AttachedToken::empty();
    Cte { alias, query: Box::new(query), from: None, materialized: None, closing_paren_token }
}

/// The name that an alias gives to a column.
pub(crate) fn column_name(column: &str) -> TableAliasColumnDef {
    TableAliasColumnDef { name: name(column), data_type: None }
}

/// `count(*)`.
pub(crate) fn count_rows() -> Expr {
    Expr::Function(bare_call("count", vec![FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]))
}

/// `"name"` in front of a CTE's `AS (…)`.
pub(crate) fn cte_name(name: &str) -> TableAlias {
    TableAlias { explicit: false, ..alias(name) }
}

/// `AS "alias"`.
pub(crate) fn alias(alias: &str) -> TableAlias {
    TableAlias { explicit: true, name: name(alias), columns: Vec::new(), at: None }
}

/// A table or CTE by its name alone.
pub(crate) fn table(table: &str, alias: Option<TableAlias>) -> TableFactor {
    TableFactor::Table {
        name: ObjectName::from(name(table)),
        alias,
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    }
}

/// `(query) AS "alias"`.
pub(crate) fn derived(query: Query, alias: TableAlias) -> TableFactor {
    TableFactor::Derived { lateral: false, subquery: Box::new(query), alias: Some(alias), sample: None }
}

/// `SELECT projection FROM from WHERE selection`.
pub(crate) fn select(projection: Vec<SelectItem>, from: Vec<TableWithJoins>, selection: Option<Expr>) -> Select {
    Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection,
        exclude: None,
        into: None,
        from,
        lateral_views: Vec::new(),
        prewhere: None,
        selection,
        connect_by: Vec::new(),
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    }
}

/// A query that is only its body.
pub(crate) fn query(body: SetExpr) -> Query {
    Query {
        with: None,
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

/// A query that is only a SELECT.
pub(crate) fn select_query(select: Select) -> Query {
    query(SetExpr::Select(Box::new(select)))
}
