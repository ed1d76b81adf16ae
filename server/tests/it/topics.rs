//! The topics' pages and their forms, without JavaScript.

use crate::common::{Form, Instance, brokers, get, in_time, is_real, page_with};
use reqwest::{Response, StatusCode};
use std::time::Duration;

/// A client that follows no redirect.
fn browser() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

fn unique(name: &str) -> String {
    format!("{name}-{}", uuid::Uuid::new_v4())
}

/// Posts a form as the page's own.
async fn post(instance: &Instance, path: &str, fields: &[(&str, &str)]) -> Response {
    let request = browser().post(instance.url(path)).header("sec-fetch-site", "same-origin");
    request.form(fields).send().await.unwrap()
}

/// Posts a form that is done, and returns where it leads to.
async fn done(instance: &Instance, path: &str, fields: &[(&str, &str)]) -> String {
    let response = post(instance, path, fields).await;
    let status = response.status();
    let location = response.headers().get("location").map(|location| location.to_str().unwrap().to_owned());
    assert_eq!(status, StatusCode::SEE_OTHER, "{path} {fields:?}: {}", response.text().await.unwrap());
    location.unwrap()
}

/// Posts a form that is refused, and returns the page that comes again.
async fn refused(instance: &Instance, path: &str, fields: &[(&str, &str)], status: u16) -> String {
    let response = post(instance, path, fields).await;
    assert_eq!(response.status(), status, "{path} {fields:?}");
    let html = response.text().await.unwrap();
    assert!(html.contains("data-tone=\"danger\" role=\"alert\""), "why stands above the page: {html}");
    html
}

/// What of a page is text, with one space where tags are.
fn text(html: &str) -> String {
    let parts = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    parts.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// A page until its text says something: what it says of Kafka is known within a deadline, or at the next look.
async fn page_saying(instance: &Instance, path: &str, wanted: &[&str]) -> String {
    let mut html = String::new();
    for _ in 0..100 {
        html = get(instance, path).await.1;
        let said = text(&html);
        if wanted.iter().all(|wanted| said.contains(wanted)) {
            return html;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{wanted:?} in {}", text(&html));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_searched_sorted_and_leads_to_the_topics() {
    let instance = Instance::start().await;
    let topic = &instance.topic;
    for _ in 0..3 {
        instance.send("x").await;
    }
    let row = format!("{topic} 2 {} 3 ", brokers());
    let html = page_saying(&instance, &format!("/topics?q={}", topic.to_uppercase()), &[&row, "in sync Produce"]).await;
    assert!(html.contains(&format!("href=\"/topics/{topic}\"")), "{html}");
    // A second look tells how fast it grows.
    instance.send("x").await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let grown = format!("{topic} 2 {} 4 0.", brokers());
    page_saying(&instance, &format!("/topics?q={topic}"), &[&grown, " msg/s in sync Produce"]).await;
    assert!(html.contains(&format!("value=\"{}\"", topic.to_uppercase())), "what was searched for stands there");
    assert!(html.contains("href=\"/topics\" aria-current=\"page\""), "the navigation knows where one is");

    let (status, html) = in_time(&instance, "/topics?q=no+such+topic+%3Cb%3E").await;
    assert!(status == 200 && html.contains("no such topic &lt;b&gt;") && !html.contains("<tbody"), "{html}");
    let (status, html) = in_time(&instance, "/topics?sort=nonsense&page=999999&desc=1").await;
    assert!(status == 200 && html.contains("<tbody"), "the last page then: {html}");
    // What is Kafka's own by its name is shown where it is asked for.
    let own = unique("__own");
    done(&instance, "/topics", &[("name", &own)]).await;
    let link = format!("href=\"/topics/{own}\"");
    let html = page_with(&instance, &format!("/topics?internal=1&q={}", &own[..12]), &[&link]).await;
    assert!(!html.contains(&format!("href=\"/topics/{topic}\"")), "the search holds there too: {html}");
    let (status, html) = in_time(&instance, &format!("/topics?q={}", &own[..12])).await;
    assert!(status == 200 && !html.contains(&link) && !html.contains("<tbody"), "{html}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_made_like_another_one_and_its_form_has_lines_for_as_many_settings_as_are_wanted() {
    let instance = Instance::start().await;
    let name = unique("original");
    let fields =
        [("name", name.as_str()), ("partitions", "3"), ("config_name", "segment.ms"), ("config_value", "7200000")];
    done(&instance, "/topics", &fields).await;
    let like = format!("/topics?create=1&amp;like={name}");
    page_with(&instance, &format!("/topics/{name}"), &[&format!("href=\"{like}\"")]).await;
    let mut wanted = vec![format!("Filled in as {name} is"), "name=\"partitions\" value=\"3\"".to_owned()];
    if is_real() {
        wanted.extend(["name=\"config_name\" value=\"segment.ms\"".to_owned(), "value=\"7200000\"".to_owned()]);
    }
    let wanted: Vec<_> = wanted.iter().map(String::as_str).collect();
    let html = page_with(&instance, &like.replace("&amp;", "&"), &wanted).await;
    assert!(html.contains(&format!("name=\"replication\" value=\"{}\"", brokers())), "{html}");
    assert!(html.contains("name=\"name\" value=\"\""), "the name is another one: {html}");
    let (status, html) = in_time(&instance, "/topics?create=1&like=no-such-topic").await;
    assert!(status == 200 && html.contains("The form is not filled in as no-such-topic is."), "{html}");

    let other = unique("other");
    let mut fields = vec![("name", other.as_str()), ("more", "1")];
    fields.extend(["a", "b", "c", "d"].map(|setting| ("config_name", setting)));
    let response = post(&instance, "/topics", &fields).await;
    assert_eq!(response.status(), 200);
    let html = response.text().await.unwrap();
    assert_eq!(html.matches("name=\"config_name\"").count(), 5, "one line more: {html}");
    assert!(
        html.contains(&format!("value=\"{other}\"")) && html.contains("name=\"config_name\" value=\"d\""),
        "{html}"
    );
    assert!(!html.contains("aria-invalid=\"true\""), "nothing is said of what is not done yet: {html}");
    assert_eq!(in_time(&instance, &format!("/topics/{other}")).await.0, 404, "nothing was made");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_made_with_a_plain_form_and_shown() {
    let instance = Instance::start().await;
    let (status, html) = get(&instance, "/topics?create=1").await;
    assert!(status == 200 && html.contains("action=\"/topics\"") && html.contains("method=\"post\""), "{html}");
    let name = unique("made.here");
    let fields =
        [("name", name.as_str()), ("partitions", "3"), ("config_name", "retention.ms"), ("config_value", "86400000")];
    assert_eq!(done(&instance, "/topics", &fields).await, format!("/topics/{name}?done=created"));
    let (status, html) = in_time(&instance, &format!("/topics/{name}?done=created")).await;
    assert_eq!(status, 200, "it is there at once");
    let shown = text(&html);
    assert!(shown.contains("The topic was created.") && shown.contains("Partitions 3"), "{shown}");
    if is_real() {
        let told = "retention.ms 86400000 1 d 0 h default 604800000 (7 d 0 h) set on topic";
        page_saying(&instance, &format!("/topics/{name}"), &[told]).await;
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_can_not_be_made_comes_back_with_what_was_typed() {
    let instance = Instance::start().await;
    let html =
        refused(&instance, "/topics", &[("name", "a b"), ("partitions", "many"), ("replication", "0")], 422).await;
    for shown in [
        "value=\"a b\"",
        "value=\"many\"",
        "value=\"0\"",
        "1 to 249 letters",
        "A whole number is wanted.",
        "1 to 32767.",
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    assert_eq!(html.matches("aria-invalid=\"true\"").count(), 3, "{html}");
    let html = refused(&instance, "/topics", &[("name", &instance.topic)], 409).await;
    assert!(html.contains("There is a topic of this name."), "{html}");
    let colliding = instance.topic.replacen("server-test", "server.test", 1);
    done(&instance, "/topics", &[("name", &format!("{colliding}.x"))]).await;
    let html = refused(&instance, "/topics", &[("name", &format!("{colliding}_x"))], 422).await;
    assert!(html.contains(&format!("It collides with {colliding}.x")), "{html}");
    if is_real() {
        let name = unique("never");
        let html = refused(&instance, "/topics", &[("name", &name), ("replication", "9")], 422).await;
        assert!(html.contains("1 to 3: the cluster has so many brokers."), "{html}");
        let fields = [("name", name.as_str()), ("config_name", "retention.ms"), ("config_value", "a week")];
        let html = refused(&instance, "/topics", &fields, 422).await;
        assert!(
            html.contains("Not a number of type LONG") && html.contains("value=\"a week\""),
            "in Kafka's words: {html}"
        );
        assert_eq!(in_time(&instance, &format!("/topics/{name}")).await.0, 404, "nothing was made");
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topics_page_shows_its_partitions_and_who_reads_it() {
    let instance = Instance::start().await;
    let topic = &instance.topic;
    for _ in 0..4 {
        instance.send("x").await;
    }
    let path = format!("/topics/{topic}");
    let html = page_saying(&instance, &path, &["Messages 4", "this instance"]).await;
    assert!(html.contains(&format!("href=\"/groups/{topic}\"")), "{html}");
    let shown = text(&html);
    assert_eq!(html.matches(&format!("{0} of {0}", brokers())).count(), 2, "a row for each partition: {shown}");
    assert!(
        html.contains("href=\"/?feed=default\"") && html.contains(&format!("href=\"/produce?to={topic}\"")),
        "{html}"
    );
    assert!(!html.contains(" style="), "within the usual policy");
    for name in ["no-such-topic", "a%20b", "%2E%2E%2Fx"] {
        let (status, html) = in_time(&instance, &format!("/topics/{name}")).await;
        assert!(status == 404 && html.contains("does not exist"), "{name}: {html}");
    }
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_is_edited_in_its_place_and_goes_back_to_its_default() {
    if !is_real() {
        return;
    }
    let instance = Instance::start().await;
    let path = format!("/topics/{}", instance.topic);
    let config = format!("{path}/config");
    let (_, html) = in_time(&instance, &format!("{path}?edit=retention.ms")).await;
    assert!(html.contains(&format!("action=\"{config}\"")) && html.contains("value=\"604800000\""), "{html}");
    let set = [("setting", "retention.ms"), ("value", "60000")];
    assert_eq!(done(&instance, &config, &set).await, format!("{path}?done=config#config"));
    let overridden = "retention.ms 60000 1 min default 604800000 (7 d 0 h) set on topic";
    page_saying(&instance, &path, &[overridden]).await;
    let config_of = format!("/api/v1{path}/config");
    let (_, json) = get(&instance, &config_of).await;
    let told: serde_json::Value = serde_json::from_str(&json).unwrap();
    let told = told.as_array().unwrap().iter().find(|entry| entry["name"] == "retention.ms").unwrap();
    assert_eq!((&told["value"], &told["default"]), (&"60000".into(), &"604800000".into()), "{told}");

    let html = refused(&instance, &config, &[("setting", "retention.ms"), ("value", "<long>")], 422).await;
    assert!(html.contains("Not a number of type LONG") && html.contains("value=\"&lt;long&gt;\""), "{html}");
    let html = refused(&instance, &config, &[("setting", "no.such.setting"), ("value", "1")], 422).await;
    assert!(
        html.contains("Unknown topic config name: no.such.setting") && html.contains("value=\"no.such.setting\""),
        "{html}"
    );
    refused(&instance, &config, &[("setting", " "), ("value", "1")], 422).await;

    done(&instance, &config, &[("setting", "retention.ms"), ("value", "1"), ("default", "1")]).await;
    let html = page_with(&instance, &path, &["<span class=\"mono\">604800000</span>"]).await;
    assert!(!html.contains("set on topic"), "{html}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_only_compacted_can_not_be_emptied_and_says_why() {
    if !is_real() {
        return; // The embedded broker empties any.
    }
    let instance = Instance::start().await;
    let name = unique("compacted");
    let made = [("name", name.as_str()), ("config_name", "cleanup.policy"), ("config_value", "compact")];
    done(&instance, "/topics", &made).await;
    let html = refused(&instance, &format!("/topics/{name}/empty"), &[("confirm", &name)], 409).await;
    assert!(html.contains("only of topics whose cleanup.policy has delete"), "{html}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_destroys_needs_the_name_typed_again() {
    let instance = Instance::start().await;
    let name = unique("doomed");
    done(&instance, "/topics", &[("name", &name), ("partitions", "2")]).await;
    let path = format!("/topics/{name}");
    let send = instance.url(&format!("/api/kafka/send?topic={name}"));
    for _ in 0..3 {
        assert_eq!(crate::common::post_json(&send, "x").await.status(), 200);
    }
    for (action, wrong) in [("empty", ""), ("delete", "doomed"), ("delete", "")] {
        let html = refused(&instance, &format!("{path}/{action}"), &[("confirm", wrong)], 422).await;
        assert!(html.contains(&format!("id=\"change-{action}\" open")), "{html}");
        assert!(
            html.contains(&format!("Type the topic&#39;s name: {name}."))
                || html.contains(&format!("Type the topic's name: {name}.")),
            "{html}"
        );
    }
    page_with(&instance, &path, &[">Messages</dt><dd>3<"]).await;

    assert_eq!(done(&instance, &format!("{path}/empty"), &[("confirm", &name)]).await, format!("{path}?done=empty"));
    let html = page_with(&instance, &format!("{path}?done=empty"), &[">Messages</dt><dd>0<"]).await;
    assert!(html.contains("All messages were deleted."), "{html}");

    assert_eq!(
        done(&instance, &format!("{path}/delete"), &[("confirm", &name)]).await,
        format!("/topics?deleted={name}")
    );
    // Each broker hears of it in its own time.
    let mut left = 100;
    while get(&instance, &path).await.0 != 404 {
        left -= 1;
        assert!(left > 0, "the topic is still there");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let html = loop {
        let (_, html) = get(&instance, &format!("/topics?deleted={name}")).await;
        if !html.contains(&format!("href=\"{path}\"")) {
            break html;
        }
        left -= 1;
        assert!(left > 0, "{html}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(html.contains(&format!("The topic {name} was deleted.")), "{html}");
    assert_eq!(post(&instance, &format!("{path}/delete"), &[("confirm", &name)]).await.status(), 404, "once");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_added_with_the_name_typed_again() {
    if !is_real() {
        return;
    }
    let instance = Instance::start().await;
    let path = format!("/topics/{}", instance.topic);
    let add = format!("{path}/partitions");
    let html = refused(&instance, &add, &[("partitions", "2"), ("confirm", "")], 422).await;
    assert!(
        html.contains("More than 2: partitions are never removed.") && html.contains("2 fields need a correction."),
        "{html}"
    );
    assert!(html.contains("id=\"change-partitions\" open"), "{html}");
    refused(&instance, &add, &[("partitions", "x"), ("confirm", &instance.topic)], 422).await;
    let fields = [("partitions", "4"), ("confirm", instance.topic.as_str())];
    assert_eq!(done(&instance, &add, &fields).await, format!("{path}?done=partitions"));
    page_with(&instance, &path, &[">Partitions</dt><dd>4<"]).await;
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kafkas_own_topics_and_other_sites_change_nothing() {
    let instance = Instance::start().await;
    let internal = "__consumer_offsets";
    for action in ["delete", "empty"] {
        let response = post(&instance, &format!("/topics/{internal}/{action}"), &[("confirm", internal)]).await;
        assert_eq!(response.status(), 422, "{action}");
    }
    let foreign = browser()
        .post(instance.url(&format!("/topics/{}/delete", instance.topic)))
        .header("sec-fetch-site", "cross-site")
        .form(&[("confirm", &instance.topic)])
        .send();
    assert_eq!(foreign.await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(in_time(&instance, &format!("/topics/{}", instance.topic)).await.0, 200);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_of_a_cluster_that_does_not_answer_are_a_503_that_says_what_to_do() {
    // Nobody listens at this address.
    let instance = Instance::begin_with(|config| config.kafka.brokers = "127.0.0.1:9".into()).await;
    // Its start is no part of what a page takes.
    get(&instance, "/healthz").await;
    for path in ["/topics", "/topics?q=orders", "/topics/orders"] {
        let began = std::time::Instant::now();
        let (status, _) = get(&instance, path).await;
        // A program would wait for 5 s.
        assert!(began.elapsed() < Duration::from_millis(4_500), "{path}: {:?}", began.elapsed());
        assert_eq!(status, 503, "{path}");
        page_saying(&instance, path, &["Kafka does not answer", "Try again"]).await;
    }
    instance.stop().await;
}
