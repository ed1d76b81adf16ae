//! The reset of a group's offsets as a form has it: what was typed, what it means, what came of it.

use wire::{ResetError, ResetInput, ResetTo, SeekResult};

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetForm {
    /// `earliest`, `latest`, `time`, `offset` or `shift`.
    pub to: String,
    /// The time, the offset, or by how much.
    pub value: String,
    /// The topic.
    pub topic: String,
    /// `0-5, 7`; empty: all.
    pub partitions: String,
}

/// A reset that was posted. The server puts it into the context when it renders the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResetOutcome {
    /// It was done, or not, per partition.
    Done(Vec<SeekResult>),
    /// Nothing was done.
    Failed(ResetError),
    /// The tick was missing, or what was posted is no reset.
    Unsure,
}

/// What of it can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetMistake {
    /// It is no time.
    Time,
    /// It is no offset: a whole number from 0 on.
    Offset,
    /// It is no number of messages.
    Shift,
    /// They are no partitions.
    Partitions,
    /// The form has no such place.
    To,
}

impl ResetForm {
    /// What it means for `group`.
    ///
    /// # Errors
    /// The first field that breaks its rule.
    pub fn read(&self, group: &str) -> Result<ResetInput, ResetMistake> {
        // People type the minus that books print.
        let value = self.value.trim().replace('−', "-");
        let to = match self.to.as_str() {
            "earliest" => ResetTo::Earliest,
            "latest" => ResetTo::Latest,
            "time" => ResetTo::Time(engine::moment(&value).ok_or(ResetMistake::Time)?),
            "offset" => {
                let offset = value.parse().ok().filter(|offset| *offset >= 0);
                ResetTo::Offset(offset.ok_or(ResetMistake::Offset)?)
            }
            "shift" => ResetTo::Shift(value.parse().map_err(|_| ResetMistake::Shift)?),
            _ => return Err(ResetMistake::To),
        };
        let partitions = partitions(&self.partitions).ok_or(ResetMistake::Partitions)?;
        Ok(ResetInput { group: group.into(), topic: self.topic.clone(), partitions, to })
    }
}

/// `0-2, 7` is 0, 1, 2 and 7.
fn partitions(text: &str) -> Option<Vec<i32>> {
    /// More than any topic has.
    const MOST: i32 = 100_000;
    let mut all = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.trim().parse::<i32>().ok()?, last.trim().parse::<i32>().ok()?);
        if !(0 <= first && first <= last && last < MOST) {
            return None;
        }
        all.extend(first..=last);
    }
    all.sort_unstable();
    all.dedup();
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(to: &str, value: &str, partitions: &str) -> Result<ResetInput, ResetMistake> {
        let [to, value, topic, partitions] = [to, value, "t", partitions].map(str::to_owned);
        ResetForm { to, value, topic, partitions }.read("g")
    }

    #[test]
    fn places_are_read_as_people_write_them() {
        let to = |to, value| form(to, value, "").map(|input| input.to);
        assert_eq!(to("earliest", ""), Ok(ResetTo::Earliest));
        assert_eq!(to("offset", " 12 "), Ok(ResetTo::Offset(12)));
        assert_eq!(to("offset", "-1"), Err(ResetMistake::Offset));
        assert_eq!(to("shift", "-10"), Ok(ResetTo::Shift(-10)));
        assert_eq!(to("shift", "−10"), Ok(ResetTo::Shift(-10)));
        assert_eq!(to("shift", ""), Err(ResetMistake::Shift));
        assert_eq!(to("time", "1970-01-01T00:00:01.5Z"), Ok(ResetTo::Time(1_500)));
        assert_eq!(to("time", "1970-01-01 08:00:00+08:00"), Ok(ResetTo::Time(0)));
        assert_eq!(to("time", "1970-01-02T00:00"), Ok(ResetTo::Time(86_400_000)));
        assert_eq!(to("time", "yesterday"), Err(ResetMistake::Time));
        assert_eq!(to("sideways", ""), Err(ResetMistake::To));
    }

    #[test]
    fn partitions_are_numbers_and_ranges() {
        let partitions = |text| form("latest", "", text).map(|input| input.partitions);
        assert_eq!(partitions(""), Ok(vec![]));
        assert_eq!(partitions("0-2, 7,1"), Ok(vec![0, 1, 2, 7]));
        for wrong in ["a", "2-0", "-1", "0-999999999"] {
            assert_eq!(partitions(wrong), Err(ResetMistake::Partitions), "{wrong}");
        }
    }
}
