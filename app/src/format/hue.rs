//! The colour of an instance: one of six, the same on every page and in every tab.

/// How many hues the design has.
const HUES: u32 = 6;

/// The hue of an instance, 1 to 6. Names that end in a number take it, so that `ottla-1`, `ottla-2`, `ottla-3` differ from
/// each other; other names take a hash.
pub fn of(instance: &str) -> u32 {
    let stem = instance.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = match instance[stem.len()..].parse::<u32>() {
        Ok(number) => number,
        Err(_) => hash(instance),
    };
    number.wrapping_sub(1) % HUES + 1
}

/// FNV-1a: short, and the same everywhere, unlike the standard library's hasher.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_differ_and_the_seventh_begins_again() {
        let hues: Vec<_> = (1..=7).map(|n| of(&format!("ottla-{n}"))).collect();
        assert_eq!(hues, [1, 2, 3, 4, 5, 6, 1]);
    }

    #[test]
    fn every_name_has_a_hue() {
        for name in ["", "0", "host", "host-99999999999999999999", "話題"] {
            assert!((1..=6).contains(&of(name)), "{name}");
            assert_eq!(of(name), of(name));
        }
    }
}
