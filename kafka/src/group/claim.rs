//! What a member writes beside a committed offset (its metadata), so that the next owner knows whether everything that was
//! consumed is committed. Kafka keeps the two together, and takes them from the partition's owner only: nothing can come
//! between them. Pure.
//!
//! *Held*: the member that committed this consumes on; what it consumed since is unknown to others. *Released*: it gave the
//! partition back, and consumed nothing beyond. Before its first hand-off a member commits that it holds the partition, where
//! it stands. What a former owner may have consumed in silence stays suspect until someone got past it, through any number
//! of owners: `feed/tests/custody.rs` shows why.

use std::ops::Range;

/// The first word of the metadata.
const WORD: &str = "ottla";

/// A claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Whether the member goes on.
    pub is_held: bool,
    /// Below it someone may have consumed in silence.
    pub suspect_below: i64,
}

impl Claim {
    /// That of a group which nobody consumed with.
    pub const NOBODY: Self = Self { is_held: false, suspect_below: 0 };

    /// As it stands in the metadata, for people with Kafka's own tools to read too.
    pub fn metadata(self, offset: i64) -> String {
        let word = if self.is_held { "held" } else { "released" };
        match self.suspect_below {
            below if below > offset => format!("{WORD} {word} suspect-below={below}"),
            _ => format!("{WORD} {word}"),
        }
    }

    /// None: someone else committed this.
    pub fn parse(metadata: &str) -> Option<Self> {
        let mut words = metadata.split(' ');
        if words.next() != Some(WORD) {
            return None;
        }
        let is_held = match words.next()? {
            "held" => true,
            "released" => false,
            _ => return None,
        };
        let below = words.find_map(|word| word.strip_prefix("suspect-below="));
        Some(Self { is_held, suspect_below: below.map_or(Some(0), |below| below.parse().ok())? })
    }

    /// Whether the log's end must be known to bound the suspects.
    pub fn is_clean(found: Option<Self>) -> bool {
        found.is_some_and(|claim| !claim.is_held)
    }

    /// What the owners before may have consumed in silence, where `found` stands beside the committed `offset`, an owner leaves
    /// at most `bound` uncommitted, and the log ends at `end` (none: not known).
    pub fn suspects(found: Option<Self>, offset: i64, end: Option<i64>, bound: u64) -> Range<i64> {
        let inherited = found.map_or(0, |claim| claim.suspect_below);
        let silent = if Self::is_clean(found) {
            0
        } else {
            let most = offset.saturating_add(i64::try_from(bound).unwrap_or(i64::MAX));
            end.map_or(most, |end| end.min(most))
        };
        offset..silent.max(inherited).max(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const fn claim(is_held: bool, suspect_below: i64) -> Claim {
        Claim { is_held, suspect_below }
    }

    #[rstest]
    #[case(claim(true, 0), "ottla held")]
    #[case(claim(false, 0), "ottla released")]
    #[case(claim(true, 120), "ottla held suspect-below=120")]
    #[case(claim(false, 120), "ottla released suspect-below=120")]
    fn metadata_are_read_as_they_were_written(#[case] claim: Claim, #[case] metadata: &str) {
        assert_eq!(claim.metadata(100), metadata);
        assert_eq!(Claim::parse(metadata), Some(claim));
    }

    #[test]
    fn suspects_that_were_passed_are_not_written() {
        assert_eq!(claim(true, 100).metadata(100), "ottla held");
    }

    #[rstest]
    #[case("")]
    #[case("ottla")]
    #[case("ottla was here")]
    #[case("ottla held suspect-below=many")]
    #[case("ottler held")]
    fn what_others_wrote_is_no_claim(#[case] metadata: &str) {
        assert_eq!(Claim::parse(metadata), None);
    }

    #[rstest]
    #[case::clean(Some(claim(false, 0)), Some(500), 100..100)]
    #[case::killed(Some(claim(true, 0)), Some(500), 100..110)]
    #[case::killed_near_the_end(Some(claim(true, 0)), Some(103), 100..103)]
    #[case::end_unknown(Some(claim(true, 0)), None, 100..110)]
    #[case::log_is_shorter(Some(claim(true, 0)), Some(50), 100..100)]
    #[case::not_ours(None, Some(500), 100..110)]
    #[case::inherited(Some(claim(false, 104)), Some(500), 100..104)]
    #[case::inherited_and_killed(Some(claim(true, 130)), Some(105), 100..130)]
    fn suspects(#[case] found: Option<Claim>, #[case] end: Option<i64>, #[case] expected: Range<i64>) {
        assert_eq!(Claim::suspects(found, 100, end, 10), expected);
    }
}
