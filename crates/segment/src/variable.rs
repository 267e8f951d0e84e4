//! A variable: a named expression over a profile, and what it holds.

use arrow_schema::DataType;
use muster_catalog::{ColumnNames, ColumnType, Timestamp};
use muster_language::{Statement, VariableDefinition, parse};
use muster_state::{SqlError, SqlType, Tx, params};

use crate::definition::digest;
use crate::{Error, Item};

/// A stored variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// What it says of a profile, and what a person should know about it.
    pub definition: VariableDefinition,
    /// What it held when it was defined; its values are cast to that.
    pub holds: ColumnType,
    /// SHA-256 of the expression's canonical text, in hexadecimal.
    pub digest: String,
    /// When it was stored.
    pub defined_at: Timestamp,
}

impl Variable {
    /// What is to be stored of a parsed definition that holds `holds`.
    pub(crate) fn new(definition: VariableDefinition, holds: ColumnType, defined_at: Timestamp) -> Self {
        let digest = digest(&definition.expression());
        Self { definition, holds, digest, defined_at }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    pub(crate) fn item(&self) -> Item {
        Item::Variable(self.name().to_owned())
    }

    /// The column of profiles that it is.
    pub(crate) fn column(&self) -> ColumnNames {
        ColumnNames { name: self.name().to_owned(), column_type: self.holds, role: None }
    }

    /// Stores it in the place of another of its name.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) fn save(&self, tx: &Tx<'_>) -> Result<(), Error> {
        let VariableDefinition { name, comment, .. } = &self.definition;
        let (expression, holds) = (self.definition.expression(), self.holds.to_string());
        tx.execute(
            "INSERT INTO variable_definitions VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (name) DO UPDATE
             SET expression = ?2, comment = ?3, holds = ?4, digest = ?5, defined_at = ?6",
            params![name, expression, comment, holds, self.digest, self.defined_at.micros()],
        )?;
        Ok(())
    }

    /// Removes the variable `name`.
    pub(crate) fn remove(tx: &Tx<'_>, name: &str) -> Result<(), Error> {
        tx.execute("DELETE FROM variable_definitions WHERE name = ?1", [name])?;
        Ok(())
    }
}

/// A variable as it is stored.
#[derive(Debug, PartialEq)]
pub(crate) struct StoredVariable {
    name: String,
    expression: String,
    comment: Option<String>,
    holds: ColumnType,
    digest: String,
    defined_at: i64,
}

impl StoredVariable {
    /// All of them, by name.
    pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<Self>, Error> {
        let sql = "SELECT name, expression, comment, holds, digest, defined_at FROM variable_definitions ORDER BY name";
        let all = tx.all(sql, [], |row| {
            Ok(Self {
                name: row.get(0)?,
                expression: row.get(1)?,
                comment: row.get(2)?,
                holds: row.get(3).and_then(column_type)?,
                digest: row.get(4)?,
                defined_at: row.get(5)?,
            })
        });
        Ok(all?)
    }

    /// What it says.
    ///
    /// # Errors
    /// If its text is of a newer language.
    pub(crate) fn variable(&self) -> Result<Variable, Error> {
        let definition = read(&self.name, &self.expression)?;
        Ok(Variable {
            definition: VariableDefinition { comment: self.comment.clone(), ..definition },
            holds: self.holds,
            digest: self.digest.clone(),
            defined_at: Timestamp::from_micros(self.defined_at),
        })
    }
}

/// A stored text is what [`VariableDefinition::expression`] printed, which reads back as the same expression.
fn read(name: &str, expression: &str) -> Result<VariableDefinition, Error> {
    let quoted = name.replace('"', "\"\"");
    match parse(&format!("CREATE VARIABLE \"{quoted}\" AS {expression}"))? {
        Statement::CreateVariable(definition) => Ok(definition),
        _ => unreachable!("a stored variable is one"),
    }
}

fn column_type(text: String) -> Result<ColumnType, SqlError> {
    text.parse().map_err(|error| SqlError::FromSqlConversionFailure(3, SqlType::Text, Box::new(error)))
}

/// What a column can hold of what the engine computes.
pub(crate) fn held(kind: &DataType) -> Option<ColumnType> {
    Some(match kind {
        DataType::Boolean => ColumnType::Bool,
        DataType::UInt64 => ColumnType::Decimal { precision: 20, scale: 0 },
        _ if kind.is_integer() => ColumnType::Int,
        _ if kind.is_floating() => ColumnType::Float,
        DataType::Decimal128(precision, scale) if *scale >= 0 => {
            ColumnType::Decimal { precision: *precision, scale: *scale }
        }
        DataType::Date32 => ColumnType::Date,
        DataType::Timestamp(..) => ColumnType::Timestamp,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ColumnType::Text,
        DataType::List(member) if member.data_type().is_string() => ColumnType::Set,
        _ => return None,
    })
}
