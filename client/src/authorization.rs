//! What a client shows to whoever asks who it is: a proxy before the instance. The instance itself asks nobody.

use reqwest::header::HeaderValue;
use std::str::FromStr;

/// The whole value of an `Authorization` header (RFC 9110, section 11.6.2): `Basic …`, `Bearer …`. Its `Debug` does not show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization(HeaderValue);

/// Not a header's value. What was given is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a header's value: `Basic …` or `Bearer …`, in one line")]
pub struct NoAuthorization;

impl Authorization {
    /// The header's value.
    pub(crate) fn value(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl FromStr for Authorization {
    type Err = NoAuthorization;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // What is read from a file mostly ends in a line feed that is not part of it.
        let text = text.trim();
        let mut value = HeaderValue::from_str(text).map_err(|_| NoAuthorization)?;
        value.set_sensitive(true);
        if text.is_empty() { Err(NoAuthorization) } else { Ok(Self(value)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_header_and_is_shown_nowhere() {
        let given: Authorization = "Bearer abc\n".parse().expect("a header");
        assert_eq!(given.value(), "Bearer abc");
        assert!(!format!("{given:?}").contains("abc"), "{given:?}");
        for bad in ["", " ", "a\nb", "a\0"] {
            assert_eq!(bad.parse::<Authorization>(), Err(NoAuthorization), "{bad:?}");
        }
    }
}
