//! From JSON arguments to Cedar values, without loss or not at all, and only what policies read.
//!
//! Arguments come from an agent and may be hostile: what is converted is bounded in depth, number
//! and text, and what does not fit is refused by name instead of being left out, since leaving it
//! out would let it slip past a forbid.

use crate::reads::Wanted;
use crate::schema::{Fields, Shape};
use cedar_policy::RestrictedExpression;
use serde_json::{Map, Number, Value};
use std::fmt;

/// How deep values may go that policies read.
pub(crate) const DEPTH_MAX: usize = 16;
/// How many values policies may read in one request.
pub(crate) const VALUES_MAX: usize = 10_000;
/// How many bytes of text policies may read in one request.
pub(crate) const TEXT_MAX: usize = 262_144;

/// An argument that a policy reads cannot be expressed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("argument `{place}` {why}, and a policy reads it")]
pub(crate) struct ValueError {
    place: String,
    why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Deep,
    Decimals,
    Large,
    Long,
    Many,
}

/// What policies read of the arguments, as a record. `fields` says how the tool types them.
pub(crate) fn arguments(
    arguments: Option<&Map<String, Value>>,
    wanted: &Wanted,
    fields: &Fields,
) -> Result<RestrictedExpression, ValueError> {
    let mut budget = Budget {
        values_left: VALUES_MAX,
        text_left: TEXT_MAX,
        path: Vec::new(),
    };
    let nothing = Map::new();
    budget.object(arguments.unwrap_or(&nothing), wanted, Some(fields))
}

struct Budget<'a> {
    values_left: usize,
    text_left: usize,
    path: Vec<&'a str>,
}

impl<'a> Budget<'a> {
    fn object(
        &mut self,
        object: &'a Map<String, Value>,
        wanted: &Wanted,
        fields: Option<&Fields>,
    ) -> Result<RestrictedExpression, ValueError> {
        let mut pairs = Vec::new();
        let mut take = |name: &'a str, value: &'a Value, wanted: &Wanted| {
            let shape = fields
                .and_then(|fields| fields.get(name))
                .map(|field| &field.shape);
            self.path.push(name);
            if let Some(value) = self.value(value, wanted, shape)? {
                pairs.push((name.to_owned(), value));
            }
            self.path.pop();
            Ok(())
        };
        match wanted {
            Wanted::Nothing | Wanted::Presence => {}
            Wanted::Fields(wanted) => {
                for (name, wanted) in wanted {
                    if let Some((name, value)) = object.get_key_value(name) {
                        take(name, value, wanted)?;
                    }
                }
            }
            Wanted::All => {
                for (name, value) in object {
                    take(name, value, &Wanted::All)?;
                }
            }
        }
        // INVARIANT: names of a JSON object are distinct, so this never fails.
        RestrictedExpression::new_record(pairs).map_err(|_| self.refuse(Why::Many))
    }

    fn value(
        &mut self,
        value: &'a Value,
        wanted: &Wanted,
        shape: Option<&Shape>,
    ) -> Result<Option<RestrictedExpression>, ValueError> {
        if value.is_null() || *wanted == Wanted::Nothing {
            return Ok(None);
        }
        if *wanted == Wanted::Presence {
            return Ok(Some(RestrictedExpression::new_bool(true)));
        }
        self.values_left = match self.values_left.checked_sub(1) {
            Some(left) => left,
            None => return Err(self.refuse(Why::Many)),
        };
        if self.path.len() > DEPTH_MAX {
            return Err(self.refuse(Why::Deep));
        }
        Ok(Some(match value {
            Value::Null => return Ok(None),
            Value::Bool(flag) => RestrictedExpression::new_bool(*flag),
            Value::Number(number) => self.number(number, shape)?,
            Value::String(text) => {
                self.spend(text.len())?;
                RestrictedExpression::new_string(text.clone())
            }
            Value::Array(items) => self.set(items, shape)?,
            Value::Object(object) => {
                let fields = match shape {
                    Some(Shape::Record(fields)) => Some(fields),
                    _ => None,
                };
                self.object(object, wanted, fields)?
            }
        }))
    }

    fn set(
        &mut self,
        items: &'a [Value],
        shape: Option<&Shape>,
    ) -> Result<RestrictedExpression, ValueError> {
        let element = match shape {
            Some(Shape::Set(element)) => Some(&**element),
            _ => None,
        };
        let mut values = Vec::new();
        self.path.push("*");
        for item in items {
            if let Some(value) = self.value(item, &Wanted::All, element)? {
                values.push(value);
            }
        }
        self.path.pop();
        Ok(RestrictedExpression::new_set(values))
    }

    fn number(
        &self,
        number: &Number,
        shape: Option<&Shape>,
    ) -> Result<RestrictedExpression, ValueError> {
        if shape == Some(&Shape::Decimal) {
            return self.decimal(&number.to_string());
        }
        if let Some(whole) = number.as_i64() {
            return Ok(RestrictedExpression::new_long(whole));
        }
        match number.as_f64() {
            _ if number.is_u64() => Err(self.refuse(Why::Large)),
            // JSON Schema calls 5.0 an integer.
            Some(float) if shape == Some(&Shape::Whole) && float.fract() == 0.0 => {
                match format!("{float:.0}").parse() {
                    Ok(whole) => Ok(RestrictedExpression::new_long(whole)),
                    Err(_) => Err(self.refuse(Why::Large)),
                }
            }
            Some(float) => self.decimal(&format!("{float}")),
            None => Err(self.refuse(Why::Large)),
        }
    }

    /// A decimal of four places within 64 bits, exactly.
    fn decimal(&self, written: &str) -> Result<RestrictedExpression, ValueError> {
        // JSON writes large and small numbers with an exponent; plain digits are what counts here.
        let plain = match written.contains(['e', 'E']) {
            true => match written.parse::<f64>() {
                Ok(float) => format!("{float}"),
                Err(_) => return Err(self.refuse(Why::Large)),
            },
            false => written.to_owned(),
        };
        let (whole, places) = plain.split_once('.').unwrap_or((&plain, "0"));
        if places.len() > 4 {
            return Err(self.refuse(Why::Decimals));
        }
        let digits: i64 = format!("{whole}{places:0<4}")
            .parse()
            .map_err(|_| self.refuse(Why::Large))?;
        debug_assert!(digits.checked_abs().is_some() || whole.starts_with('-'));
        Ok(RestrictedExpression::new_decimal(format!(
            "{whole}.{places}"
        )))
    }

    fn spend(&mut self, bytes: usize) -> Result<(), ValueError> {
        match self.text_left.checked_sub(bytes) {
            Some(left) => {
                self.text_left = left;
                Ok(())
            }
            None => Err(self.refuse(Why::Long)),
        }
    }

    fn refuse(&self, why: Why) -> ValueError {
        const SHOWN: usize = 4;
        const NAME_SHOWN: usize = 64;
        let names: Vec<String> = self
            .path
            .iter()
            .take(SHOWN)
            .map(|name| name.chars().take(NAME_SHOWN).collect())
            .collect();
        ValueError {
            place: names.join("."),
            why,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Deep => write!(f, "is nested deeper than {DEPTH_MAX}"),
            Why::Decimals => f.write_str("has more than four decimal places"),
            Why::Large => f.write_str("is a number too large to compare"),
            Why::Long => write!(f, "is longer than {TEXT_MAX} bytes"),
            Why::Many => write!(f, "has more than {VALUES_MAX} values"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Field;
    use serde_json::json;

    fn convert(json: &Value, wanted: &Wanted, fields: &Fields) -> Result<String, String> {
        let object = json.as_object().expect("an object");
        arguments(Some(object), wanted, fields)
            .map(|value| value.as_ref().to_string())
            .map_err(|error| error.to_string())
    }
    fn all(value: Value) -> Result<String, String> {
        convert(&json!({"a": value}), &Wanted::All, &Fields::new())
    }
    fn typed(value: Value, shape: Shape) -> Result<String, String> {
        let field = Field {
            shape,
            required: true,
        };
        convert(
            &json!({"a": value}),
            &Wanted::All,
            &Fields::from([("a".to_owned(), field)]),
        )
    }

    #[test]
    fn converts_without_loss() {
        for (value, expected) in [
            (json!("x\"y"), r#"{a: "x\"y"}"#),
            (json!(true), r#"{a: true}"#),
            (json!(-7), r#"{a: (-7)}"#),
            (json!(i64::MAX), r#"{a: 9223372036854775807}"#),
            (json!(null), "{}"),
            (json!(1.5), r#"{a: decimal("1.5")}"#),
            (json!(-0.25), r#"{a: decimal("-0.25")}"#),
            (json!(["x", null, "y"]), r#"{a: ["x", "y"]}"#),
            (json!({"b": {"c": 1}}), r#"{a: {b: {c: 1}}}"#),
        ] {
            assert_eq!(all(value.clone()).as_deref(), Ok(expected), "{value}");
        }
    }

    #[test]
    fn the_schema_of_the_tool_decides_what_a_number_is() {
        for (value, shape, expected) in [
            (json!(5), Shape::Decimal, r#"{a: decimal("5.0")}"#),
            (json!(5.25), Shape::Decimal, r#"{a: decimal("5.25")}"#),
            (json!(5.0), Shape::Decimal, r#"{a: decimal("5.0")}"#),
            (json!(1e3), Shape::Decimal, r#"{a: decimal("1000.0")}"#),
            (json!(5.0), Shape::Whole, r#"{a: 5}"#),
            (
                json!([5, 0.5]),
                Shape::Set(Box::new(Shape::Decimal)),
                r#"{a: [decimal("5.0"), decimal("0.5")]}"#,
            ),
        ] {
            assert_eq!(
                typed(value.clone(), shape).as_deref(),
                Ok(expected),
                "{value}"
            );
        }
    }

    #[test]
    fn refuses_what_would_lose_something() {
        let decimals = "argument `a` has more than four decimal places, and a policy reads it";
        let large = "argument `a` is a number too large to compare, and a policy reads it";
        for (value, shape, expected) in [
            (json!(0.00001), None, decimals),
            (json!(1.23456), Some(Shape::Decimal), decimals),
            (json!(1e-300), Some(Shape::Decimal), decimals),
            (json!(1e300), Some(Shape::Decimal), large),
            (json!(1e300), Some(Shape::Whole), large),
            (json!(922_337_203_685_478_i64), Some(Shape::Decimal), large),
            (json!(u64::MAX), None, large),
            (json!(u64::MAX), Some(Shape::Whole), large),
        ] {
            let answer = match shape {
                Some(shape) => typed(value.clone(), shape),
                None => all(value.clone()),
            };
            assert_eq!(answer, Err(expected.to_owned()), "{value}");
        }
    }

    #[test]
    fn looks_at_nothing_that_no_policy_reads() {
        let hostile = json!({"a": 1, "b": 0.000001, "c": "x".repeat(TEXT_MAX + 1), "d": {"e": 1, "f": 1e300}});
        let fields = |names: &[(&str, Wanted)]| {
            Wanted::Fields(
                names
                    .iter()
                    .map(|(n, w)| ((*n).to_owned(), w.clone()))
                    .collect(),
            )
        };
        for (wanted, expected) in [
            (Wanted::Nothing, Ok("{}")),
            (Wanted::Presence, Ok("{}")),
            (
                fields(&[("a", Wanted::All), ("z", Wanted::All)]),
                Ok(r#"{a: 1}"#),
            ),
            (fields(&[("c", Wanted::Presence)]), Ok(r#"{c: true}"#)),
            (
                fields(&[("d", fields(&[("e", Wanted::All)]))]),
                Ok(r#"{d: {e: 1}}"#),
            ),
            (
                fields(&[("d", Wanted::All)]),
                Err("argument `d.f` is a number too large to compare, and a policy reads it"),
            ),
        ] {
            let answer = convert(&hostile, &wanted, &Fields::new());
            assert_eq!(answer, expected.map(str::to_owned).map_err(str::to_owned));
        }
    }

    #[test]
    fn hostile_arguments_are_bounded() {
        let mut deep = json!(1);
        for _ in 0..DEPTH_MAX {
            deep = json!({"x": deep});
        }
        let wide = Value::Array(vec![json!(1); VALUES_MAX]);
        let long = json!(["x".repeat(TEXT_MAX / 2), "y".repeat(TEXT_MAX / 2), "z"]);
        for (value, expected) in [
            (
                deep,
                "argument `a.x.x.x` is nested deeper than 16, and a policy reads it",
            ),
            (
                wide,
                "argument `a.*` has more than 10000 values, and a policy reads it",
            ),
            (
                long,
                "argument `a.*` is longer than 262144 bytes, and a policy reads it",
            ),
        ] {
            assert_eq!(all(value), Err(expected.to_owned()));
        }
        assert!(all(Value::Array(vec![json!(1); VALUES_MAX - 1])).is_ok());
        assert!(all(json!("x".repeat(TEXT_MAX))).is_ok());
    }
}
