//! Verdict expressions (CEL) and summaries (minijinja): compiled when the catalog is read, evaluated over data alone.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::common::ast::{EntryExpr, Expr, IdedEntryExpr};
use cel::{Context, ExecutionError, IdedExpr, Program};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an expression may name. Anything else is refused when the catalog is read.
pub const NAMES: &[&str] = &["answer", "params", "target", "duration_ms"];

/// The values an expression or a summary sees.
#[derive(Debug, Clone, Serialize)]
pub struct Scope<'a> {
    pub answer: &'a Value,
    pub params: &'a Value,
    /// Facts of the target, with its `name`, `kind` and `environment`.
    pub target: &'a Value,
    pub duration_ms: u64,
}

/// A CEL expression with its text.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Expression {
    text: String,
    program: Arc<Program>,
}

impl Expression {
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Evaluates to true or false; anything else is an error with words for people.
    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, String> {
        match self.evaluate(scope)? {
            cel::Value::Bool(holds) => Ok(holds),
            other => Err(format!(
                "`{}` gave a {}, not true or false",
                self.text,
                other.type_of()
            )),
        }
    }

    /// Evaluates to JSON, keys sorted: maps have no order in CEL, and a table must not change from one time to the next.
    pub fn value(&self, scope: &Scope<'_>) -> Result<Value, String> {
        let value = self.evaluate(scope)?;
        let mut json = value.json().map_err(|_| {
            format!(
                "`{}` gave a {}, which is no plain data",
                self.text,
                value.type_of()
            )
        })?;
        json.sort_all_objects();
        Ok(json)
    }

    fn evaluate(&self, scope: &Scope<'_>) -> Result<cel::Value, String> {
        let mut context = Context::default();
        context.add_variable_from_value("answer", to_cel(scope.answer));
        context.add_variable_from_value("params", to_cel(scope.params));
        context.add_variable_from_value("target", to_cel(scope.target));
        let duration = i64::try_from(scope.duration_ms).unwrap_or(i64::MAX);
        context.add_variable_from_value("duration_ms", cel::Value::Int(duration));
        self.program.execute(&context).map_err(|error| match error {
            ExecutionError::NoSuchKey(key) => format!("the answer has no `{key}`"),
            ExecutionError::IndexOutOfBounds(_) => "the answer is shorter than expected".to_owned(),
            // Other errors may quote whole values; the expression says enough.
            ExecutionError::NoSuchOverload(error) => format!("`{}`: {error}", self.text),
            _ => format!("`{}` does not fit this answer", self.text),
        })
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl TryFrom<String> for Expression {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let program = Program::compile(&text).map_err(|errors| match errors.errors.first() {
            Some(first) => format!(
                "not a CEL expression, at character {}: {}",
                first.pos.1, first.msg
            ),
            None => "not a CEL expression".to_owned(),
        })?;
        let mut names = Vec::new();
        free_names(program.expression(), &mut Vec::new(), &mut names);
        if let Some(stranger) = names.into_iter().find(|name| !NAMES.contains(name)) {
            return Err(format!(
                "`{stranger}` is not known here; an expression sees {}",
                NAMES.join(", ")
            ));
        }
        Ok(Self {
            text,
            program: Arc::new(program),
        })
    }
}

/// Types may be named too (`type(answer) == map`).
const TYPES: &[&str] = &[
    "int",
    "uint",
    "double",
    "bool",
    "string",
    "bytes",
    "list",
    "map",
    "null_type",
    "type",
];

/// Adds the variables of an expression that no macro around them introduced.
fn free_names<'a>(expression: &'a IdedExpr, bound: &mut Vec<&'a str>, found: &mut Vec<&'a str>) {
    match &expression.expr {
        Expr::Unspecified | Expr::Literal(_) => {}
        Expr::Ident(name) => {
            if !bound.contains(&name.as_str()) && !TYPES.contains(&name.as_str()) {
                found.push(name);
            }
        }
        Expr::Call(call) => {
            for part in call.target.iter().map(|target| &**target).chain(&call.args) {
                free_names(part, bound, found);
            }
        }
        Expr::Comprehension(loop_) => {
            free_names(&loop_.iter_range, bound, found);
            free_names(&loop_.accu_init, bound, found);
            let outer = bound.len();
            bound.extend([loop_.iter_var.as_str(), loop_.accu_var.as_str()]);
            bound.extend(loop_.iter_var2.as_deref());
            for part in [&loop_.loop_cond, &loop_.loop_step, &loop_.result] {
                free_names(part, bound, found);
            }
            bound.truncate(outer);
        }
        Expr::List(list) => list
            .elements
            .iter()
            .for_each(|part| free_names(part, bound, found)),
        Expr::Map(map) => entry_names(&map.entries, bound, found),
        Expr::Struct(made) => entry_names(&made.entries, bound, found),
        Expr::Select(select) => free_names(&select.operand, bound, found),
    }
}

fn entry_names<'a>(entries: &'a [IdedEntryExpr], bound: &mut Vec<&'a str>, found: &mut Vec<&'a str>) {
    for entry in entries {
        match &entry.expr {
            EntryExpr::StructField(field) => free_names(&field.value, bound, found),
            EntryExpr::MapEntry(entry) => {
                free_names(&entry.key, bound, found);
                free_names(&entry.value, bound, found);
            }
        }
    }
}

impl From<Expression> for String {
    fn from(expression: Expression) -> Self {
        expression.text
    }
}

impl JsonSchema for Expression {
    fn schema_name() -> Cow<'static, str> {
        "Expression".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A CEL expression over answer, params, target and duration_ms."
        })
    }
}

/// JSON to CEL by hand: a whole number is always an `int`, so that `answer.n - 1 > 0` works whatever the sign.
fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(it) => cel::Value::Bool(*it),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => cel::Value::Int(whole),
            (None, Some(float)) => cel::Value::Float(float),
            (None, None) => cel::Value::Null,
        },
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Array(items) => cel::Value::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Object(entries) => {
            let map: HashMap<String, cel::Value> = entries
                .iter()
                .map(|(key, value)| (key.clone(), to_cel(value)))
                .collect();
            map.into()
        }
    }
}

/// A minijinja template with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template(String);

/// Strict: a misspelt value is an error that is shown, not a gap in a sentence.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
});

impl Template {
    /// Fills the template in, as one line.
    pub fn line(&self, values: impl Serialize) -> Result<String, String> {
        let text = ENVIRONMENT.render_str(&self.0, Serde(values)).map_err(|error| {
            error
                .detail()
                .map_or_else(|| error.kind().to_string(), str::to_owned)
        })?;
        Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match ENVIRONMENT.template_from_str(&text) {
            Ok(_) => Ok(Self(text)),
            Err(error) => {
                let detail = error
                    .detail()
                    .map_or_else(|| error.kind().to_string(), str::to_owned);
                Err(format!("not a template: {detail}"))
            }
        }
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.0
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A minijinja template over answer, params, target and duration_ms."
        })
    }
}
