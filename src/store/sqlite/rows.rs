//! Rows on their way into a statement.

use sqlx::Arguments;
use sqlx::sqlite::SqliteArguments;

use super::statements::{LARGEST, SIZES, Statement};

/// One value of a row.
pub enum Value {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<u64> for Value {
    /// Ids and sequences; the limits keep them in range.
    fn from(number: u64) -> Self {
        Self::Number(number.cast_signed())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Number(yes.into())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Rows for one statement.
pub struct Rows {
    statement: &'static Statement,
    count: usize,
    values: Vec<Value>,
}

impl Rows {
    pub fn of(statement: &'static Statement) -> Self {
        Self {
            statement,
            count: 0,
            values: Vec::new(),
        }
    }

    pub fn push<const N: usize>(&mut self, row: [Value; N]) {
        debug_assert_eq!(N, self.statement.columns);
        self.count += 1;
        self.values.extend(row);
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn len(&self) -> usize {
        self.count
    }

    /// Moves up to [`LARGEST`] rows into a statement at the end of `text`.
    pub fn take(&mut self, text: &mut String, arguments: &mut SqliteArguments) -> Result<(), sqlx::Error> {
        let rows = self.count.min(LARGEST);
        let size = SIZES.into_iter().find(|size| *size >= rows).unwrap_or(LARGEST);
        self.statement.write(size, text);
        let missing = (size - rows) * self.statement.columns;
        let values = self.values.drain(..rows * self.statement.columns);
        for value in values.chain(std::iter::repeat_with(|| Value::Null).take(missing)) {
            match value {
                Value::Null => arguments.add(None::<i64>),
                Value::Number(number) => arguments.add(number),
                Value::Text(text) => arguments.add(text),
                Value::Bytes(bytes) => arguments.add(bytes),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        self.count -= rows;
        Ok(())
    }
}
