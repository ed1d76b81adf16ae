//! Numbers for people. English and both kinds of Chinese group digits the same way, so this needs no locale.

/// `1,204`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of bytes: `247 B`, `31.5 KiB`, `1.4 MiB`.
pub fn bytes(count: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;
    let tenths = |unit: u64| count / unit * 10 + (count % unit * 10 + unit / 2) / unit;
    let (tenths, unit) = match count {
        0..KIB => return format!("{count} B"),
        KIB..MIB => (tenths(KIB), "KiB"),
        _ => (tenths(MIB), "MiB"),
    };
    match tenths % 10 {
        0 => format!("{} {unit}", grouped(tenths / 10)),
        tenth => format!("{}.{tenth} {unit}", grouped(tenths / 10)),
    }
}

/// Microseconds as milliseconds: whole ones from 10 ms, one decimal below.
pub fn millis(micros: u64) -> String {
    match micros {
        0..100 => "0.1".into(),
        100..9_950 => {
            let tenths = (micros + 50) / 100;
            match tenths % 10 {
                0 => (tenths / 10).to_string(),
                tenth => format!("{}.{tenth}", tenths / 10),
            }
        }
        _ => grouped((micros + 500) / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (10_482, "10,482"), (u64::MAX, "18,446,744,073,709,551,615")]
        {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn bytes_have_a_unit() {
        for (count, text) in
            [(0, "0 B"), (1_023, "1023 B"), (1_024, "1 KiB"), (32_256, "31.5 KiB"), (1_468_006, "1.4 MiB")]
        {
            assert_eq!(bytes(count), text);
        }
        bytes(u64::MAX);
    }

    #[test]
    fn short_times_keep_a_decimal() {
        for (micros, text) in [
            (3, "0.1"),
            (450, "0.5"),
            (4_040, "4"),
            (4_060, "4.1"),
            (9_960, "10"),
            (38_400, "38"),
            (1_204_000, "1,204"),
        ] {
            assert_eq!(millis(micros), text);
        }
    }
}
