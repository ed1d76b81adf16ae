//! Changes that name very many partitions, in parts that each fit a message.

use wire::{ChangeKind, Happening, Owned};

/// The most partitions in one [`Owned`]: at most five bytes each.
const PARTITIONS: usize = 4096;
/// The most bytes that the parts of one change take, by an upper bound: with one more [`Owned`] still a message.
const BYTES: usize = 32 * 1024;

/// `kind` in parts, in order. Nearly always one.
pub(crate) fn split(kind: ChangeKind) -> Vec<ChangeKind> {
    match kind {
        ChangeKind::Assigned(owned) => chunks(owned).into_iter().map(ChangeKind::Assigned).collect(),
        ChangeKind::Revoked(owned) => chunks(owned).into_iter().map(ChangeKind::Revoked).collect(),
        ChangeKind::Lost(owned) => chunks(owned).into_iter().map(ChangeKind::Lost).collect(),
        ChangeKind::Happened(happening) => {
            let part = |partitions| ChangeKind::Happened(Happening { partitions, ..happening.clone() });
            chunks(happening.partitions.clone()).into_iter().map(part).collect()
        }
        whole @ (ChangeKind::Missing(_) | ChangeKind::PassedOver(_) | ChangeKind::Sought(_)) => vec![whole],
    }
}

fn chunks(owned: Vec<Owned>) -> Vec<Vec<Owned>> {
    let bound = |owned: &Owned| owned.topic.len() + 5 * owned.partitions.len() + 16;
    if owned.iter().map(bound).sum::<usize>() <= BYTES {
        return vec![owned];
    }
    let mut chunks = vec![Vec::new()];
    let mut bytes = 0;
    for Owned { topic, partitions, of } in owned {
        for part in partitions.chunks(PARTITIONS) {
            if bytes >= BYTES {
                chunks.push(Vec::new());
                bytes = 0;
            }
            let part = Owned { topic: topic.clone(), partitions: part.into(), of };
            bytes += bound(&part);
            if let Some(chunk) = chunks.last_mut() {
                chunk.push(part);
            }
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{Change, Event, codec};

    fn owned(topic: &str, partitions: i32) -> Owned {
        Owned { topic: topic.into(), partitions: (0..partitions).collect(), of: 0 }
    }

    #[test]
    fn a_change_that_fits_stays_whole() {
        let kind = ChangeKind::Assigned(vec![owned("a", 12), owned("b", 3)]);
        assert_eq!(split(kind.clone()), [kind]);
    }

    #[test]
    fn a_change_that_does_not_fit_is_told_in_parts_that_do() {
        let parts = split(ChangeKind::Revoked(vec![owned(&"a".repeat(249), 100_000), owned("b", 100_000)]));
        let mut partitions = 0;
        for kind in parts {
            let ChangeKind::Revoked(owned) = &kind else { panic!("{kind:?}") };
            partitions += owned.iter().map(|owned| owned.partitions.len()).sum::<usize>();
            let mut bytes = Vec::new();
            codec::encode_event(&Event::Change(Change { epoch: u64::MAX, seq: u64::MAX, at: 0, kind }), &mut bytes);
            assert!(bytes.len() <= wire::MAX_EVENT_MESSAGE, "{}", bytes.len());
        }
        assert_eq!(partitions, 200_000);
    }
}
