//! The text format before OpenMetrics (Prometheus's "Exposition formats", version 0.0.4): its parsers know no type `info`, no unit and no
//! end, and a counter has there the name that its samples have. The samples are the same.

/// A text in OpenMetrics' format, in this one.
pub(super) fn of(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    // What helps stands before the type, by which its name changes.
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(said) = line.strip_prefix("# HELP ") {
            help = said.split_once(' ').map(|(_, help)| help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|typed| typed.split_once(' ')) {
            let (suffix, kind) = match kind {
                "counter" => ("_total", kind),
                "info" => ("_info", "gauge"),
                _ => ("", kind),
            };
            if let Some(help) = help.take() {
                text.extend(["# HELP ", name, suffix, " ", help, "\n"]);
            }
            text.extend(["# TYPE ", name, suffix, " ", kind, "\n"]);
        } else if !line.starts_with("# ") {
            text.extend([line, "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_the_names_of_their_samples_and_types_that_are_known() {
        let open_metrics = "# HELP build This program.\n# TYPE build info\nbuild_info{version=\"1\"} 1\n\
            # HELP sent_bytes Bytes.\n# TYPE sent_bytes counter\n# UNIT sent_bytes bytes\nsent_bytes_total 3\n\
            # HELP tabs Tabs.\n# TYPE tabs gauge\ntabs 2\n# EOF\n";
        let expected = "# HELP build_info This program.\n# TYPE build_info gauge\nbuild_info{version=\"1\"} 1\n\
            # HELP sent_bytes_total Bytes.\n# TYPE sent_bytes_total counter\nsent_bytes_total 3\n\
            # HELP tabs Tabs.\n# TYPE tabs gauge\ntabs 2\n";
        assert_eq!(of(open_metrics), expected);
    }
}
