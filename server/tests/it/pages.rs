//! The page as the server renders it, and its form without JavaScript.

use crate::common::{Form, Instance};
use std::time::Duration;

/// A client that follows no redirect.
fn browser() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_comes_with_the_newest_rows_and_the_usual_headers() {
    let instance = Instance::start().await;
    let receipt = instance.send("rendered <b>by</b> the server").await;
    let place = format!("{}[{}]@{}", receipt.topic, receipt.partition, receipt.offset);
    let mut html = String::new();
    for _ in 0..100 {
        let response = reqwest::get(instance.url("/")).await.unwrap();
        assert_eq!(response.status(), 200);
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("'nonce-") && policy.contains("'strict-dynamic'"), "{policy}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        html = response.text().await.unwrap();
        if html.contains(&place) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(html.contains(&format!("data-place=\"{place}\"")));
    assert!(!html.contains("<b>by</b>"), "a message is text, never markup");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_leads_to_the_receipt_or_back_with_what_was_typed() {
    let instance = Instance::start().await;
    let post = |value: &str| {
        let fields = [
            ("topic", instance.topic.as_str()),
            ("key_encoding", "auto"),
            ("value_encoding", "text"),
            ("value", value),
        ];
        browser().post(instance.url("/produce")).header("sec-fetch-site", "same-origin").form(&fields).send()
    };
    let done = post("hello").await.unwrap();
    assert_eq!(done.status(), 303);
    let location = done.headers()["location"].to_str().unwrap();
    assert!(location.starts_with(&format!("/produce?topic={}&partition=", instance.topic)), "{location}");
    let receipt = reqwest::get(instance.url(location)).await.unwrap().text().await.unwrap();
    assert!(receipt.contains(&format!("{}[", instance.topic)));

    let refused = browser()
        .post(instance.url("/produce"))
        .header("sec-fetch-site", "same-origin")
        .form(&[("topic", "a b"), ("value", "what I typed")])
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 422);
    let html = refused.text().await.unwrap();
    assert!(html.contains("what I typed") && html.contains("aria-invalid=\"true\""));
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_has_a_page_and_an_offset_without_one_says_why() {
    let instance = Instance::start().await;
    let receipt = instance.send("a permalink").await;
    let page =
        |offset: i64| reqwest::get(instance.url(&format!("/topics/{}/{}/{offset}", receipt.topic, receipt.partition)));
    let found = page(receipt.offset).await.unwrap();
    assert_eq!(found.status(), 200);
    assert!(found.text().await.unwrap().contains("a permalink"));
    assert_eq!(page(receipt.offset + 1).await.unwrap().status(), 404);
    assert_eq!(reqwest::get(instance.url("/topics/no-such-topic/0/0")).await.unwrap().status(), 404);
    assert_eq!(reqwest::get(instance.url("/no-such-page")).await.unwrap().status(), 404);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hashed_files_are_for_ever_and_those_of_another_build_are_not_remembered() {
    let instance = Instance::start().await;
    let caching = |path: &'static str| {
        let url = instance.url(path);
        async move {
            let response = reqwest::get(url).await.unwrap();
            (response.status().as_u16(), response.headers()["cache-control"].to_str().unwrap().to_owned())
        }
    };
    assert_eq!(caching("/pkg/ottla.0123.js").await, (200, "public, max-age=31536000, immutable".into()));
    assert_eq!(caching("/pkg/ottla.9999.js").await, (404, "no-store".into()));
    assert_eq!(caching("/favicon.svg").await, (200, "no-cache".into()));
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn theme_and_language_are_remembered_without_javascript() {
    let instance = Instance::start().await;
    let chosen =
        browser().get(instance.url("/preferences?theme=dark&lang=zh-Hant&back=/produce")).send().await.unwrap();
    assert_eq!((chosen.status().as_u16(), chosen.headers()["location"].to_str().unwrap()), (303, "/produce"));
    let cookies: Vec<_> = chosen.headers().get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
    let sent = cookies.iter().map(|c| c.split(';').next().unwrap()).collect::<Vec<_>>().join("; ");
    let html =
        browser().get(instance.url("/produce")).header("cookie", sent).send().await.unwrap().text().await.unwrap();
    assert!(html.contains("lang=\"zh-Hant\"") && html.contains("data-theme=\"dark\""));
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_comes_back_is_in_the_language_and_the_theme_of_who_posted_it() {
    let instance = Instance::start().await;
    let post = browser().post(instance.url("/produce")).header("sec-fetch-site", "same-origin");
    let refused = post.header("cookie", "lang=zh-Hans; theme=dark").form(&[("topic", "a b")]).send().await.unwrap();
    assert_eq!(refused.status(), 422);
    let html = refused.text().await.unwrap();
    assert!(html.contains("lang=\"zh-Hans\"") && html.contains("data-theme=\"dark\""), "{html}");
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_not_there_is_a_404_in_the_frame_and_the_others_can_be_chosen() {
    let instance = Instance::start().await;
    let cookie = ("cookie", "lang=zh-Hant");
    let asked = browser().get(instance.url("/?feed=replay-0badcafe")).header(cookie.0, cookie.1);
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), 404);
    let html = answer.text().await.unwrap();
    assert!(html.contains("沒有名為 replay-0badcafe 的訊息流"), "in the reader's language: {html}");
    assert!(html.contains("<h1") && html.contains("<main") && html.contains("<nav"), "{html}");
    assert!(html.contains("href=\"/?feed=default\""), "{html}");
    assert!(!html.contains("error running server function"), "{html}");
    // A name is text, never markup.
    let html = reqwest::get(instance.url("/?feed=%3Cb%3Ex")).await.unwrap().text().await.unwrap();
    assert!(html.contains("&lt;b&gt;x") && !html.contains("<b>x"), "{html}");
    assert_eq!(reqwest::get(instance.url("/?feed=default")).await.unwrap().status(), 200);
    instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_language_leads_back_with_the_query_and_a_filter_needs_no_script() {
    let instance = Instance::start().await;
    let page = async |path: &str| reqwest::get(instance.url(path)).await.unwrap().text().await.unwrap();
    let html = page("/?feed=default&filter=json%3A%24.total%3Ex").await;
    let input = |html: &str, name: &str| {
        let place = html.find(&format!("name=\"{name}\"")).unwrap();
        let (from, to) = (html[..place].rfind('<').unwrap(), place + html[place..].find('>').unwrap());
        html[from..to].to_owned()
    };
    let back = input(&html, "back");
    assert!(back.contains("value=\"/?feed=default&amp;filter=json%3A%24.total%3Ex\""), "{back}");
    assert!(input(&page("/topics?q=a&page=1").await, "back").contains("value=\"/topics?q=a&amp;page=1\""));
    // The box is a form, and what is wrong with the filter stands at it.
    let filter = input(&html, "filter");
    assert!(filter.contains("value=\"json:$.total&gt;x\"") && filter.contains("aria-invalid=\"true\""), "{filter}");
    assert!(html.contains("compare with a number"), "{html}");
    assert!(input(&html, "feed").contains("type=\"hidden\""));
    instance.stop().await;
}
