//! P values down to any size.

use std::f64::consts::LN_10;
use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// A p value below this number is shown as `< 1e-300`. The smallest f64 is near, and no sample supports such a number.
const SHOWN_FROM: f64 = 1e-300;
/// The smallest p value that is written as a decimal.
const DECIMAL_FROM: f64 = 1e-4;

/// A p value, held as a logarithm so that it never underflows to zero.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct PValue {
    ln: f64,
}

impl PValue {
    /// From the natural logarithm of p.
    #[must_use]
    pub fn from_ln(ln: f64) -> Self {
        Self { ln: ln.min(0.0) }
    }

    /// The p value; 0 where f64 cannot hold it.
    #[must_use]
    pub fn value(self) -> f64 {
        self.ln.exp()
    }

    /// Decimal logarithm.
    #[must_use]
    pub fn log10(self) -> f64 {
        self.ln / LN_10
    }

    /// Returns true if p < 0.05, the level of the study.
    #[must_use]
    pub fn is_significant(self) -> bool {
        self.value() < 0.05
    }
}

impl fmt::Display for PValue {
    /// `0.271305`, `5.344368e-111` or `< 1e-300`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let p = self.value();
        let text = if p < SHOWN_FROM {
            "< 1e-300".to_owned()
        } else if p < DECIMAL_FROM {
            format!("{p:.6e}")
        } else {
            format!("{p:.6}")
        };
        formatter.pad(&text)
    }
}

impl Serialize for PValue {
    /// Serializes p as `{"value": 5.344368e-111, "log10": -110.27, "text": "5.344368e-111"}`. `value` is null for p
    /// below 1e-300.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.value();
        let mut fields = serializer.serialize_struct("PValue", 3)?;
        fields.serialize_field("value", &(value >= SHOWN_FROM).then_some(value))?;
        fields.serialize_field("log10", &self.log10())?;
        fields.serialize_field("text", &self.to_string())?;
        fields.end()
    }
}
