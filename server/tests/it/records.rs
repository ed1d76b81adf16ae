//! Looking through a topic's records: the page's card without JavaScript, the stream of a search, the files, and the HTTP API.

use crate::common::{Instance, PATIENCE, get, in_time, is_real, kind, page_with, relays::Relays};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use wire::{BrowseCursor, Direction};

async fn get_json(instance: &Instance, path: &str) -> (u16, Value) {
    let (status, body) = get(instance, path).await;
    (status, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}")))
}

/// Produces values of their numbers, by turns to both partitions, a millisecond or more apart.
async fn fill(instance: &Instance, count: i32) {
    for number in 0..count {
        let message = json!({"partition": number % 2, "key_encoding": "text", "key": format!("k{}", number % 7), "value": format!("value {number}")});
        let url = instance.url(&format!("/api/v1/topics/{}/records", instance.topic));
        let response = reqwest::Client::new().post(url).json(&message).send().await.unwrap();
        assert_eq!(response.status(), 201, "{}", response.text().await.unwrap());
    }
}

/// The page once it shows all that it asked for: a page that Kafka answers late gets it by the stream, or lacks partitions.
async fn complete(instance: &Instance, path: &str) -> String {
    for _ in 0..100 {
        let (status, html) = get(instance, path).await;
        assert!(status == 200 || status == 503, "{html}");
        let is_part = html.contains("id=\"stream\"") || html.contains("These partitions are not here:");
        if status == 200 && !is_part {
            return html;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} is never complete");
}

/// The places of a page's rows, in their order.
fn places(html: &str) -> Vec<String> {
    let places = html.split("data-place=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    places.collect()
}

/// Where a link leads to whose text this is.
fn link(html: &str, text: &str) -> Option<String> {
    let before = html
        .split("</a>")
        .find(|part| part.contains(&format!("</svg>{text}")) || part.ends_with(&format!(">{text}")))?;
    let link = before.rsplit("<a ").next()?;
    let href = link.split("href=\"").nth(1)?.split('"').next()?;
    Some(href.replace("&amp;", "&"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_looked_through_page_by_page_without_javascript() {
    let instance = Instance::start().await;
    fill(&instance, 120).await;
    let topic = &instance.topic;
    let first = complete(&instance, &format!("/topics/{topic}")).await;
    let newest = places(&first);
    assert_eq!((newest.len(), newest[0].as_str()), (50, format!("{topic}[1]@59").as_str()), "the newest first");
    assert!(first.contains("50 messages, read in") && first.contains("Browsing never commits offsets."), "{first}");

    let older = complete(&instance, &link(&first, "Older").unwrap()).await;
    let oldest = complete(&instance, &link(&older, "Older").unwrap()).await;
    let all: Vec<_> = [&first, &older, &oldest].into_iter().flat_map(|page| places(page)).collect();
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (120, 120));
    assert_eq!(link(&oldest, "Older"), None);
    let back = complete(&instance, &link(&oldest, "Newer").unwrap()).await;
    assert_eq!(places(&back), places(&older), "the page between, in the same order");

    // From the oldest, they stand the other way round.
    let from_oldest = complete(&instance, &format!("/topics/{topic}?from=oldest&limit=500")).await;
    assert_eq!(places(&from_oldest), all.iter().rev().cloned().collect::<Vec<_>>());

    let one = complete(&instance, &format!("/topics/{topic}?partition=1&from=offset&offset=55")).await;
    assert_eq!(places(&one), (55..60).map(|offset| format!("{topic}[1]@{offset}")).collect::<Vec<_>>());
    assert!(one.contains(&format!("href=\"/topics/{topic}?partition=1#messages\"")), "the partitions lead here");
    let beyond = complete(&instance, &format!("/topics/{topic}?partition=1&offset=99&limit=100")).await;
    assert!(beyond.contains("the log ends before offset 60") && places(&beyond).last().unwrap().ends_with("[1]@59"));
    let future = complete(&instance, &format!("/topics/{topic}?time=2999-01-01")).await;
    assert!(future.contains("No message is as young as that.") && places(&future).len() == 50, "{future}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_opens_beside_the_list_and_what_is_wrong_stands_at_the_form() {
    let instance = Instance::start().await;
    let topic = &instance.topic;
    let empty = complete(&instance, &format!("/topics/{topic}")).await;
    assert!(
        empty.contains("The topic is empty") && empty.contains(&format!("href=\"/produce?to={topic}\"")),
        "{empty}"
    );
    fill(&instance, 10).await;
    let list = complete(&instance, &format!("/topics/{topic}?limit=100")).await;
    let href = |place: &str| format!("href=\"/topics/{topic}?limit=100&amp;open={place}#row-{place}\"");
    assert!(list.contains(&href("0-2")) && places(&list).len() == 10, "{list}");
    let own = format!("href=\"/topics/{topic}/0/2\"");
    let shown = ["id=\"open\"", "aria-current=\"true\"", &own, "value 4", "aria-label=\"Older message\""];
    let open = page_with(&instance, &format!("/topics/{topic}?limit=100&open=0-2"), &shown).await;
    // From a record to the next one either way, by links.
    for (place, name) in [("1-2", "Newer message"), ("1-1", "Older message")] {
        let link = format!("{} aria-label=\"{name}\"", href(place));
        assert!(open.contains(&link), "{link}: {open}");
    }
    let newest = page_with(&instance, &format!("/topics/{topic}?open=1-4"), &["Older message", "value 9"]).await;
    assert!(!newest.contains("Newer message"), "it is the first: {newest}");
    let turned = format!("/topics/{topic}?from=oldest&open=0-0");
    let turned = page_with(&instance, &turned, &["Newer message", "value 0"]).await;
    assert!(!turned.contains("Older message") && turned.contains("open=1-0#row-1-0\" aria-label"), "{turned}");
    page_with(&instance, &format!("/topics/{topic}?open=0-99"), &["id=\"open\"", "not written yet"]).await;

    // What was searched for is not searched for again: a find has its own page, in another tab.
    let finds = complete(&instance, &format!("/topics/{topic}?filter=value")).await;
    assert!(finds.contains(&format!("{own} target=\"_blank\" rel=\"noopener\"")), "{finds}");
    assert!(!finds.contains("open=0-2") && finds.contains("(opens in a new tab)"), "{finds}");

    let wrong = "from=offset&offset=x&until=soon&partition=7&filter=json:x";
    let (status, html) = in_time(&instance, &format!("/topics/{topic}?{wrong}")).await;
    assert_eq!(status, 200);
    for shown in ["A whole number from 0 on.", "A time, like", "a JSON path begins with $", "value=\"json:x\""] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    let (_, html) = in_time(&instance, &format!("/topics/{topic}?partition=7")).await;
    assert!(html.contains("id=\"seek-error\"><svg"), "{html}");
    let nothing = complete(&instance, &format!("/topics/{topic}?filter=nowhere")).await;
    assert!(nothing.contains("No match. Messages looked at: 10") && places(&nothing).is_empty(), "{nothing}");
    assert!(!nothing.contains(" style="), "within the usual policy");
    instance.stop().await;
}

/// The events of a stream until it ends, each as its id and the element that it is for, with its HTML.
async fn events(instance: &Instance, path: &str, last: Option<&str>) -> Vec<(String, String, String)> {
    let mut request = reqwest::Client::new().get(instance.url(path));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = tokio::time::timeout(PATIENCE, request.send()).await.unwrap().unwrap();
    assert_eq!(response.status(), 200);
    let text = tokio::time::timeout(PATIENCE, response.text()).await.expect("it ends by itself").unwrap();
    let events = text.split("\n\n").filter_map(|event| {
        let field = |name: &str| {
            event.lines().filter_map(|line| line.strip_prefix(name)).map(str::trim_start).collect::<Vec<_>>()
        };
        let data = field("data:");
        let (element, html) = data.split_first()?;
        Some((field("id:").concat(), (*element).to_owned(), html.join("\n")))
    });
    events.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_pushes_what_it_finds_and_goes_on_where_a_connection_broke() {
    let instance = Instance::start().await;
    fill(&instance, 90).await;
    let path = format!("/topics/{}/live?filter=key=k3", instance.topic);
    let told = events(&instance, &path, None).await;
    let rows = |told: &[(String, String, String)]| -> Vec<(String, String)> {
        let rows = told.iter().filter(|(_, element, _)| element.starts_with("found-"));
        rows.map(|(_, element, html)| (element.clone(), places(html).concat())).collect()
    };
    let found = rows(&told);
    assert_eq!(found.len(), 13, "3, 10, … 87");
    assert_eq!(found[0], ("found-0".into(), format!("{}[1]@43", instance.topic)));
    let (id, element, html) = told.last().unwrap();
    assert_eq!((id.as_str(), element.as_str()), ("done", "records-pager"));
    assert!(html.contains("13 messages") && html.contains("Scanned 90 of 90"), "{html}");
    let sign = told.iter().rev().find(|(_, element, _)| element == "search-sign").unwrap();
    assert_eq!(sign.2, "", "no stream is left to come back to");

    // Who lost the connection after five were found has the rest, in the places that are left.
    let page =
        get_json(&instance, &format!("/api/v1/topics/{}/records?filter=key%3Dk3&limit=5", instance.topic)).await.1;
    let rest = events(&instance, &path, Some(&format!("5.0.0.{}", page["older"].as_str().unwrap()))).await;
    assert_eq!(rows(&rest), found[5..]);
    for over in ["done", "50.0.0."] {
        let request = reqwest::Client::new().get(instance.url(&path)).header("last-event-id", over);
        assert_eq!(request.send().await.unwrap().status(), 204, "the browser stays away then");
    }
    instance.stop().await;
}

/// What a stream tells last of an element.
fn last_of<'a>(told: &'a [(String, String, String)], element: &str) -> &'a str {
    let found = told.iter().rev().find(|(_, of, _)| of == element);
    &found.unwrap_or_else(|| panic!("nothing for {element}: {told:?}")).2
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_by_the_stream_says_what_is_not_there() {
    let instance = Instance::start().await;
    fill(&instance, 20).await;
    let live = format!("/topics/{}/live", instance.topic);
    let failing = format!("{live}?filter=where:value.total%3E1");
    let told = events(&instance, &failing, None).await;
    assert!(last_of(&told, "records-notes").contains("expression failed: 20."), "{told:?}");
    assert!(last_of(&told, "no-records").contains("Messages looked at: 20"), "{told:?}");
    // With what was counted before the connection broke.
    let told = events(&instance, &failing, Some("0.1000.7.")).await;
    assert!(last_of(&told, "records-notes").contains("expression failed: 27."), "{told:?}");
    assert!(last_of(&told, "no-records").contains("Messages looked at: 1,020"), "{told:?}");

    let told = events(&instance, &format!("{live}?time=2999-01-01"), None).await;
    let notice = last_of(&told, "records-notice");
    assert!(notice.contains("No message is as young as that.") && notice.contains("These are the last"), "{notice}");
    assert_eq!(told.iter().filter(|(_, element, _)| element.starts_with("found-")).count(), 20);

    // Partition 1 could not be read where this began: neither is it left out in silence, nor read from its beginning.
    let cursor = BrowseCursor { direction: Direction::Newer, passed: 0, positions: vec![(0, 6)], unread: vec![1] };
    let told = events(&instance, &format!("{live}?filter=value&so=3.6.0&on={cursor}"), None).await;
    assert!(last_of(&told, "records-notes").contains("1 (they could not be read where this began"), "{told:?}");
    let records = format!("/api/v1/topics/{}/records", instance.topic);
    let (_, page) = get_json(&instance, &format!("{records}?at={cursor}")).await;
    assert_eq!(page["unread"], json!([{"partition": 1, "reason": "since_the_beginning"}]));
    let offsets: Vec<_> = page["records"].as_array().unwrap().iter().map(|record| record["offset"].clone()).collect();
    assert_eq!(offsets, ["6", "7", "8", "9"]);
    let onward: BrowseCursor = page["newer"].as_str().unwrap().parse().unwrap();
    assert_eq!((onward.positions, onward.unread), (vec![(0, 10)], vec![1]), "and so on the page after it");
    page_with(&instance, &format!("/topics/{}?at={cursor}", instance.topic), &["These partitions are not here:"]).await;
    let (status, problem) = get_json(&instance, &format!("{records}?format=ndjson&at={cursor}")).await;
    assert_eq!((status, kind(&problem)), (502, "partitions-unread"), "{problem}");

    // Of a page on which nothing could be read there is nothing to go on from: it begins anew.
    let nowhere = BrowseCursor { positions: Vec::new(), unread: vec![0, 1], ..cursor };
    let (_, page) = get_json(&instance, &format!("{records}?at={nowhere}")).await;
    assert_eq!((page["records"].as_array().unwrap().len(), &page["unread"]), (20, &json!([])), "{page}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_without_records_is_empty_and_holds_not_what_lies_before_it() {
    let instance = Instance::start().await;
    fill(&instance, 4).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    fill(&instance, 4).await;
    let (page, files) = (format!("/topics/{}", instance.topic), format!("/topics/{}/records", instance.topic));
    let base = format!("/api/v1{files}");
    for query in ["time=2999-01-01", "time=2999-01-01&filter=value", "offset=99", "from=time&time=-0s"] {
        assert_eq!(get(&instance, &format!("{files}/jsonl?{query}")).await, (200, String::new()), "{query}");
        assert_eq!(get(&instance, &format!("{base}?format=ndjson&{query}")).await, (200, String::new()), "{query}");
        let (_, table) = get(&instance, &format!("{files}/csv?{query}")).await;
        assert_eq!(table.lines().count(), 1, "{query}: {table}");
    }
    // A file is in the log's order, also of a range that a page shows from its newest.
    for query in ["", "until=-1h"] {
        let (_, lines) = get(&instance, &format!("{files}/jsonl?{query}")).await;
        let offsets: Vec<_> = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect();
        let of = |partition: u64| offsets.iter().filter(move |record| record["partition"] == partition);
        for partition in 0..2 {
            let offsets: Vec<_> = of(partition).map(|record| record["offset"].as_str().unwrap()).collect();
            assert_eq!(offsets, ["0", "1", "2", "3"], "{query}: {lines}");
        }
    }
    // A page shows the last ones instead, and says so; but not what a search did not ask for.
    let (_, last) = get_json(&instance, &format!("{base}?offset=99")).await;
    assert_eq!((last["records"].as_array().unwrap().len(), &last["notice"]), (8, &json!({"not_yet": {"end": "4"}})));
    let (_, search) = get_json(&instance, &format!("{base}?time=2999-01-01&filter=value")).await;
    assert_eq!(
        (&search["records"], &search["notice"], &search["of"]),
        (&json!([]), &json!("time_beyond_end"), &json!("0"))
    );
    let html = complete(&instance, &format!("{page}?time=2999-01-01&filter=value")).await;
    assert!(html.contains("No message is as young as that.") && !html.contains("These are the last"), "{html}");

    // Between two times where nothing was written, but later something was.
    let (_, all) = get_json(&instance, &format!("{base}?from=oldest")).await;
    let at = |index: usize| all["records"][index]["timestamp"]["created"].as_str().unwrap().parse::<i64>().unwrap();
    for from in [format!("time={}", at(3) + 1), "offset=3".into()] {
        let range = format!("{from}&until={}", at(4));
        let (_, found) = get_json(&instance, &format!("{base}?{range}")).await;
        assert_eq!((&found["records"], &found["notice"]), (&json!([]), &Value::Null), "{range}: {found}");
        assert!(found["older"].is_string(), "what lies before it is a link: {found}");
        let html = complete(&instance, &format!("{page}?{range}")).await;
        assert!(html.contains("No message here"), "{html}");
        assert!(!html.contains("as young as that") && !html.contains("not written yet"), "{html}");
        assert_eq!(get(&instance, &format!("{files}/jsonl?{range}")).await.1, "", "{range}");
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_javascript_a_search_goes_on_by_its_link() {
    let instance = Instance::start().await;
    // Each of them takes most of a millisecond to decide on, and one fits.
    let list = |number| format!("[{}{}]\n", if number == 3 { 2 } else { 1 }, ",1".repeat(79));
    let lines: String = (0..1_000).map(list).collect();
    let url =
        instance.url(&format!("/api/v1/topics/{}/records/bulk?format=lines&key=none&partition=0", instance.topic));
    let request = reqwest::Client::new().post(url).header("content-type", "application/octet-stream").body(lines);
    assert_eq!(request.send().await.unwrap().status(), 201);
    let costly = format!("where:value.exists(x, x == 2 {})", "|| x == 3 ".repeat(60));
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("filter", &costly).finish();
    let page = format!("/topics/{}?{query}", instance.topic);
    let (_, mut html) = in_time(&instance, &page).await;
    assert!(html.contains("id=\"stream\""), "300 ms are not enough: {html}");
    let (mut found, mut clicks) = (places(&html), 0);
    while html.contains("id=\"stream\"") {
        assert!(clicks < 100, "it does not get on: {html}");
        clicks += 1;
        let mut links = html.split("href=\"").filter_map(|rest| rest.split('"').next());
        let on =
            links.find(|link| link.contains("patient=1")).expect("a link that takes its time").replace("&amp;", "&");
        html = in_time(&instance, &on).await.1;
        found.extend(places(&html));
    }
    assert!(clicks > 0 && html.contains("Scanned 1,000 of 1,000"), "{html}");
    assert_eq!(found, [format!("{}[0]@3", instance.topic)]);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_page_with_cursors_and_read_whole_ranges_as_lines_and_tables() {
    let instance = Instance::start().await;
    fill(&instance, 60).await;
    let base = format!("/api/v1/topics/{}/records", instance.topic);
    let (status, mut page) = get_json(&instance, &format!("{base}?from=oldest&limit=25")).await;
    assert_eq!(status, 200, "{page}");
    let mut values = Vec::new();
    for _ in 0..3 {
        assert!(page["is_complete"] == true && page["direction"] == "newer", "{page}");
        let records = page["records"].as_array().unwrap().clone();
        values.extend(records.iter().map(|record| record["value"]["text"].as_str().unwrap().to_owned()));
        page = get_json(&instance, &format!("{base}?limit=25&at={}", page["newer"].as_str().unwrap())).await.1;
    }
    assert_eq!(values, (0..60).map(|number| format!("value {number}")).collect::<Vec<_>>());
    assert_eq!((&page["at_end"], &page["scanned"], &page["of"]), (&json!(true), &json!("60"), &json!("60")));
    assert_eq!(page["partitions"][1], json!({"partition": 1, "first": "0", "end": "30"}));

    // Between two times.
    let (_, page) = get_json(&instance, &format!("{base}?from=oldest&limit=500")).await;
    let at = |index: usize| page["records"][index]["timestamp"]["created"].as_str().unwrap().to_owned();
    let (_, part) = get_json(&instance, &format!("{base}?time={}&until={}&limit=500", at(20), at(40))).await;
    let expected = page["records"].as_array().unwrap().iter().filter(|record| {
        let created = record["timestamp"]["created"].as_str().unwrap();
        (at(20)..at(40)).contains(&created.to_owned())
    });
    let offsets = |record: &Value| (record["partition"].clone(), record["offset"].clone());
    let part: Vec<_> = part["records"].as_array().unwrap().iter().map(offsets).collect();
    assert_eq!(part, expected.map(offsets).collect::<Vec<_>>());

    let response =
        reqwest::get(instance.url(&format!("{base}?format=ndjson&from=oldest&filter=key%3Dk3"))).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let lines = response.text().await.unwrap();
    let keys: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["key"]["text"].clone()).collect();
    assert_eq!(keys, vec![json!("k3"); 9]);
    for (limit, lines) in [("7", 7), ("501", 60)] {
        let (_, read) = get(&instance, &format!("{base}?format=ndjson&limit={limit}")).await;
        assert_eq!(read.lines().count(), lines, "lines are as many as are asked for, and no page");
    }

    let files = format!("/topics/{}/records", instance.topic);
    let response = reqwest::get(instance.url(&format!("{files}/csv?from=oldest"))).await.unwrap();
    assert!(
        response.headers()["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\"server-test-")
    );
    let table = response.text().await.unwrap();
    assert_eq!((table.lines().count(), table.matches("topic,partition").count()), (61, 1), "the names once");
    let (_, lines) = get(&instance, &format!("{files}/jsonl?filter=value:5&at=nonsense&limit=1")).await;
    assert_eq!(lines.lines().count(), 15, "the whole range, whatever page one was on");
    assert_eq!(get(&instance, &format!("{files}/xml")).await.0, 404);
    assert_eq!(get(&instance, &format!("{files}/csv?offset=x")).await.0, 422);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_looked_through_is_a_problem_that_names_the_field() {
    let instance = Instance::start().await;
    let base = format!("/api/v1/topics/{}/records", instance.topic);
    for (query, field) in [
        ("from=here", "from"),
        ("offset=-1", "offset"),
        ("from=time", "time"),
        ("until=soon", "until"),
        ("partition=2", "partition"),
        ("partition=x", "partition"),
        ("filter=json:x", "filter"),
        ("filter=where:offset+>", "filter"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=0&format=ndjson", "limit"),
        ("limit=x&format=ndjson", "limit"),
        ("at=nowhere", "at"),
    ] {
        let (status, problem) = get_json(&instance, &format!("{base}?{query}")).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!(field)), "{query}: {problem}");
    }
    let (status, problem) = get_json(&instance, &format!("{base}?colour=red")).await;
    assert!(status == 400 && problem["detail"].as_str().unwrap().contains("colour"), "{problem}");
    let (status, problem) = get_json(&instance, "/api/v1/topics/nope/records").await;
    assert_eq!((status, kind(&problem)), (404, "unknown-place"), "{problem}");
    let (_, page) = get_json(&instance, &base).await;
    assert_eq!((&page["records"], &page["older"], &page["at_end"]), (&json!([]), &Value::Null, &json!(true)), "{page}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_would_lack_partitions_is_refused_or_breaks_off() {
    if !is_real() {
        return; // The embedded broker has one listener, and is there or not.
    }
    let instance = Instance::start().await;
    fill(&instance, 2).await;
    let topic = instance.topic.clone();

    // Behind the relays everything can be asked for but where the log of partition 0 begins and ends.
    let (_, found) = get_json(&instance, &format!("/api/v1/topics/{topic}")).await;
    let relays = Relays::start(found["partitions"][0]["leader"].as_u64(), Duration::ZERO).await;
    let mut files = vec![
        format!("/topics/{topic}/records/csv?from=oldest"),
        format!("/api/v1/topics/{topic}/records?format=ndjson&partition=0"),
    ];
    // Which node is asked for the topic itself is told by Kafka at random (KAFKA-17404), once.
    for _ in 0..8 {
        let behind = Instance::begin_with(|config| config.kafka.brokers = Relays::brokers()).await;
        let mut unheard = Vec::new();
        for file in files {
            let (status, problem) = get_json(&behind, &file).await;
            match (status, kind(&problem)) {
                (502, "partitions-unread") => {
                    assert!(problem["detail"].as_str().unwrap().contains(": 0 ("), "{file}: {problem}")
                }
                (504, "kafka-timed-out") => unheard.push(file),
                _ => panic!("{file}: {problem}"),
            }
        }
        behind.stop().await;
        files = unheard;
        if files.is_empty() {
            break;
        }
    }
    assert_eq!(files, [""; 0]);
    drop(relays);

    // More than the connection's buffers hold.
    for _ in 0..80 {
        let url = instance.url(&format!("/api/v1/topics/{topic}/records"));
        let message = json!({"partition": 1, "value": "x".repeat(500_000)});
        assert_eq!(reqwest::Client::new().post(url).json(&message).send().await.unwrap().status(), 201);
    }
    let relays = Relays::start(None, Duration::ZERO).await;
    let behind = Instance::start_with(|config| config.kafka.brokers = Relays::brokers()).await;
    let file = format!("/topics/{topic}/records/jsonl?from=oldest");
    let mut response = reqwest::get(behind.url(&file)).await.unwrap();
    assert_eq!(response.status(), 200);
    let mut read = response.chunk().await.unwrap().unwrap().len();
    drop(relays);
    let end = loop {
        match tokio::time::timeout(PATIENCE, response.chunk()).await.expect("it ends") {
            Ok(Some(chunk)) => read += chunk.len(),
            end => break end,
        }
    };
    assert!(end.is_err() && read < 40_000_000, "a part of {read} bytes looks like the whole");
    behind.stop().await;
    instance.stop().await;
}
