//! Times for people and for `<time datetime>`.

use wire::Millis;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `14:32:07.418`, `offset` minutes east of UTC.
pub fn of_day(at: Millis, offset: i32) -> String {
    let at = shifted(at, offset).rem_euclid(DAY);
    format!("{:02}:{:02}:{:02}.{:03}", at / HOUR, at / MINUTE % 60, at / SECOND % 60, at % SECOND)
}

/// `2026-11-20 14:32:07.402 +08:00`, `offset` minutes east of UTC.
pub fn full(at: Millis, offset: i32) -> String {
    let (sign, minutes) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
    let zone = format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60);
    format!("{} {} {zone}", date(at, offset), of_day(at, offset))
}

/// `2026-11-20T06:32:07.402Z` (RFC 3339), for machines.
pub fn rfc3339(at: Millis) -> String {
    format!("{}T{}Z", date(at, 0), of_day(at, 0))
}

fn shifted(at: Millis, offset: i32) -> i64 {
    at.saturating_add(i64::from(offset) * MINUTE)
}

/// The proleptic Gregorian date. Days are counted from 0000-03-01, so that the leap day is a year's last
/// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
fn date(at: Millis, offset: i32) -> String {
    const DAYS_BEFORE_1970: i64 = 719_468;
    const DAYS_IN_400_YEARS: i64 = 146_097;
    let days = shifted(at, offset).div_euclid(DAY) + DAYS_BEFORE_1970;
    let era = days.div_euclid(DAYS_IN_400_YEARS);
    let day_of_era = days.rem_euclid(DAYS_IN_400_YEARS);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_day_has_milliseconds() {
        assert_eq!(of_day(1_795_185_127_418, 0), "14:32:07.418");
        assert_eq!(of_day(1_795_185_127_418, -14 * 60 - 33), "23:59:07.418");
        assert_eq!(of_day(-1, 0), "23:59:59.999");
    }

    #[test]
    fn dates_are_right_around_leap_days_and_the_epoch() {
        for (at, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_709_164_799_999, "2024-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(rfc3339(at), text);
        }
    }

    #[test]
    fn the_full_time_names_the_zone() {
        assert_eq!(full(0, 8 * 60), "1970-01-01 08:00:00.000 +08:00");
        assert_eq!(full(0, -(3 * 60 + 30)), "1969-12-31 20:30:00.000 -03:30");
    }

    #[test]
    fn no_time_makes_it_panic() {
        for at in [i64::MIN, i64::MAX] {
            full(at, 840);
            full(at, -840);
        }
    }
}
