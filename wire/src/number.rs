//! 64-bit integers: plain in postcard, strings in JSON, since JavaScript's numbers are exact up to 2^53 only.

/// `#[serde(with = "number::text")]` for one integer.
pub(crate) mod text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
    use std::{fmt::Display, str::FromStr};

    pub fn serialize<T: Serialize + Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(value) } else { value.serialize(to) }
    }

    pub fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: Deserialize<'de> + FromStr,
        D: Deserializer<'de>,
    {
        if from.is_human_readable() {
            let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
            text.parse().map_err(|_| D::Error::custom(format!("not a 64-bit integer in a string: {text:?}")))
        } else {
            T::deserialize(from)
        }
    }
}

/// `#[serde(with = "number::optional")]` for an integer or null.
pub(crate) mod optional {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::{fmt::Display, str::FromStr};

    #[derive(Serialize, Deserialize)]
    #[serde(transparent, bound(serialize = "T: Serialize + Display", deserialize = "T: Deserialize<'de> + FromStr"))]
    struct Text<T>(#[serde(with = "super::text")] T);

    pub fn serialize<T: Serialize + Display + Copy, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(Text).serialize(to)
    }

    pub fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
    where
        T: Deserialize<'de> + FromStr,
        D: Deserializer<'de>,
    {
        Ok(Option::<Text<T>>::deserialize(from)?.map(|text| text.0))
    }
}
