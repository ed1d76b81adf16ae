//! The language of filters: what each term asks for, what can't be read and where, and that owned and borrowed records are
//! judged alike.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "common/strategies.rs"]
#[allow(dead_code, reason = "records are all that is judged here")]
mod strategies;
#[path = "common/view.rs"]
mod view;

use proptest::prelude::*;
use view::with_view;
use wire::{Count, Data, Filter, Flags, Gap, Header, Query, QueryError, QueryFault, Record, Timestamp, codec};

const JSON: &str = r#"{
    "status": "Paid", "note": "請於週末配送", "url": "https://x/y", "id": 9007199254740993, "total": 120.50,
    "customer": {"name": "Ann \"A\" \u00d8", "tags": ["new", {"n": null}, [1, 2]]}, "ok": true, "none": null, "big": 1e400,
    "a.b": 1, "": 2
}"#;

fn record(value: &str) -> Record {
    Record {
        seq: 1,
        topic: "orders".into(),
        partition: 2,
        offset: 1043,
        timestamp: Timestamp::None,
        received: 0,
        flags: Flags::FIRST,
        key: Some(Data::whole("cust-9")),
        value: Some(Data::whole(value.to_owned())),
        headers: vec![
            Header { name: "trace-id".into(), value: Some(Data::whole("abc")) },
            Header { name: "empty".into(), value: None },
        ],
        headers_left_out: 0,
    }
}

fn matches(query: &str, value: &str) -> bool {
    Query::read(query).unwrap_or_else(|error| panic!("{query}: {error}")).matches(&record(value))
}

#[test]
fn each_form_of_a_term_matches_what_it_names() {
    for query in [
        "",
        "paid",
        "CUST-9",
        "trace-ID",
        "週末",
        "key:cust",
        "value:paid",
        "header:ABC",
        "header:trace-id=abc",
        "topic:order",
        "topic=orders",
        "partition:2",
        "offset:1043",
        "orders[2]",
        "orders[2]@1043",
        "https://x",
        "paid key:9",
        r#"value:"paid""#,
        r#""週末配送""#,
        "key:",
        "key=",
        "-",
        "json:",
        "where:",
        "  paid  ",
        "partition:2 offset:1043 paid",
        "key=cust-9",
        r#"key="cust-9""#,
        "-refused",
        "-key:paid -partition:1 -orders[2]@1",
        "-json:$.refund paid",
        "-json:$.total>500",
        r#"-"paid cust""#,
        r#""9007199254740993, "#,
        r#"header:"trace-id"=abc"#,
        r#"header:trace-id="abc""#,
    ] {
        assert!(matches(query, JSON), "{query}");
    }
}

#[test]
fn every_term_must_match() {
    for query in [
        "refused",
        "key:paid",
        "value:cust-9",
        "header:paid",
        "header:trace-id=ab",
        "header:trace=abc",
        "header:empty=",
        "topic:x",
        "topic=order",
        "partition:1",
        "offset:104",
        "orders[1]",
        "orders[2]@1044",
        "paid key:8",
        r#""paid cust""#,
        "partition:x",
        r#""key:cust""#,
        "key=cust",
        "key=CUST-9",
        r#"key="""#,
        "value=paid",
        "-paid",
        "paid -key:cust",
        "-partition:2",
        "-json:$.total",
    ] {
        assert!(!matches(query, JSON), "{query}");
    }
}

#[test]
fn what_is_copied_out_of_a_message_is_found_with_its_quotes() {
    for query in [
        r#""status": "Paid""#,
        r#""ok": true"#,
        r#""ok": true partition:2"#,
        r#"{"name":"#,
        r#"{"name": "Ann"#,
        r#""name""#,
        r#"["new","#,
        r#"value:"ok":"#,
        r#"-"status":"Paid""#,
        r#""id": 9007199254740993, "total": 120.50,"#,
    ] {
        assert!(matches(query, JSON), "{query}");
    }
    // The name of a member and its value are one term.
    let message = r#"{"id": 6, "at": "5"}"#;
    assert!(matches(r#""id": 6"#, message) && matches(r#"{"id": 6, partition:2"#, message));
    assert!(!matches(r#""id": 5"#, message) && !matches(r#""id": 6 partition:1"#, message));
    for query in [r#""status":"Paid""#, r#""ok": false"#, r#""ok": true partition:1"#, r#"-"ok":"#] {
        assert!(!matches(query, JSON), "{query}");
    }
}

#[test]
fn an_exact_match_is_the_whole() {
    assert!(matches("value=ok", "ok"));
    assert!(matches(r#"value="""#, ""));
    assert!(matches(r#"value="a b""#, "a b"));
    assert!(!matches("value=ok", "ok "));
    let mut cut = record("ok");
    cut.value = Some(Data { size: 9, ..Data::whole("ok") });
    assert!(!Query::read("value=ok").unwrap().matches(&cut), "its end is not known");
}

#[test]
fn a_json_condition_follows_its_path() {
    for query in [
        "json:$",
        "json:$.total",
        "json:$.customer.tags",
        r#"json:$["status"]="Paid""#,
        r#"json:$["a.b"]=1"#,
        r#"json:$[""]=2"#,
        r#"json:$.customer.name="Ann \"A\" Ø""#,
        r#"json:$.customer.name="Ann \u0022A\u0022 \u00D8""#,
        "json:$.customer.tags[0]=\"new\"",
        "json:$.customer.tags[1].n=null",
        "json:$.customer.tags[2][1]=2",
        "json:$.customer.tags[*]=\"new\"",
        "json:$.customer.tags[*][*]=2",
        "json:$.*=true",
        "json:$.note=\"請於週末配送\"",
        "json:$.none=null",
        "json:$.ok=true",
        "json:$.ok!=false",
        "json:$.customer!=1",
        "json:$.total > 120",
        "json:$.total>=120.5 json:$.total<=12050e-2 json:$.total<121",
        "json:$.id=9007199254740993 json:$.id>9007199254740992 json:$.id<9007199254740994",
        "json:$.id==9007199254740993.0",
        "json:$.big>1e399 json:$.big=10e399 json:$.big<1e99999999999999999999",
        "json:$.status>\"Paic\" json:$.status<\"paid\"",
    ] {
        assert!(matches(query, JSON), "{query}");
    }
    for query in [
        "json:$.nothing",
        "json:$.total.x",
        "json:$.customer.tags[3]",
        "json:$.customer[0]",
        "json:$.tags",
        "json:$.id=9007199254740992",
        "json:$.id!=9007199254740993",
        "json:$.total=\"120.50\"",
        "json:$.status>1",
        "json:$.nothing!=1",
        "json:$.ok>false",
        "json:$.customer=1",
    ] {
        assert!(!matches(query, JSON), "{query}");
    }
}

#[test]
fn numbers_compare_by_their_digits() {
    for (one, sign, other) in [
        ("0", "=", "-0.000e9"),
        ("-1", "<", "0"),
        ("-2", "<", "-1"),
        ("18446744073709551615", ">", "18446744073709551614"),
        ("0.1", "=", "1e-1"),
        ("100", "=", "1e2"),
        ("0.30000000000000000001", ">", "0.3"),
        ("1E+2", ">", "99.9"),
    ] {
        assert!(matches(&format!("json:${sign}{other}"), one), "{one}{sign}{other}");
    }
    for no_number in ["01", "1.", ".5", "+1", "0x1", "1e", "--1", "NaN"] {
        assert!(!matches("json:$", no_number), "{no_number}");
    }
}

#[test]
fn what_is_no_json_or_cut_short_matches_no_condition_that_it_does_not_show() {
    for value in ["", "hello", "{", "[", r#"{"a"}"#, r#"{"a" 1}"#, r#"{"a":}"#, "{]", "\"", r#"{"a":"#, r#"["\"#, "}"] {
        assert!(!matches("json:$.a", value), "{value}");
        assert!(!matches("json:$.a=1", value), "{value}");
        assert!(!matches("json:$[0]", value), "{value}");
    }
    let cut = |value: &str| {
        let mut record = record(value);
        record.value = Some(Data { size: 99_999, ..Data::whole(value.to_owned()) });
        record
    };
    let judge = |query: &str, value: &str| Query::read(query).unwrap().matches(&cut(value));
    assert!(judge("json:$.a=1", r#"{"a":1,"b":"#));
    assert!(!judge("json:$.a=1", r#"{"a":1"#), "it may be 12");
    assert!(judge("json:$.a", r#"{"a":"long"#), "it is there");
    assert!(!judge("json:$.a=\"long\"", r#"{"a":"long"#));
}

#[test]
fn what_can_not_be_read_says_where_and_why() {
    for (text, at, fault) in [
        ("json:total>1", 5, QueryFault::Path),
        ("paid json:x", 10, QueryFault::Path),
        ("json:$total", 6, QueryFault::Step),
        ("json:$.", 7, QueryFault::Step),
        ("json:$..a", 7, QueryFault::Step),
        ("json:$[x]", 7, QueryFault::Step),
        ("json:$[0", 8, QueryFault::Step),
        ("json:$[\"a]", 7, QueryFault::Step),
        ("週 json:$[-1]", 11, QueryFault::Step),
        ("json:$.a>", 9, QueryFault::Literal),
        ("json:$.a=paid", 9, QueryFault::Literal),
        ("json:$.a=\"paid", 9, QueryFault::Literal),
        ("json:$.a=\"paid\"x", 9, QueryFault::Literal),
        ("json:$.a>1x key:y", 9, QueryFault::Literal),
        ("json:$.a={}", 9, QueryFault::Literal),
        ("json:$.a> 01", 10, QueryFault::Literal),
    ] {
        assert_eq!(Query::read(text), Err(QueryError { at, fault }), "{text}");
    }
    let deep = format!("json:${}", ".a".repeat(17));
    assert_eq!(Query::read(&deep).unwrap_err().fault, QueryFault::TooLong);
    let long = Filter { text: "x".repeat(Filter::MAX_TEXT + 1), ..Filter::default() };
    assert_eq!(long.query().unwrap_err().fault, QueryFault::TooLong);
}

#[test]
fn an_expression_takes_the_rest_of_the_text_and_is_left_to_the_server() {
    let query = Query::read("key:cust  where: value.total > 1 && key != \"\" ").unwrap();
    let expression = query.expression().unwrap();
    assert_eq!((expression.at, expression.text.as_str()), (17, "value.total > 1 && key != \"\""));
    assert!(!query.is_empty());
    assert!(query.matches(&record("not looked at")));
    assert!(!Query::read("key:x where:true").unwrap().matches(&record("")));
    assert!(Query::read("\"where:\" x").unwrap().expression().is_none());
}

#[test]
fn a_gap_stays_while_it_may_hide_a_match() {
    let gap = Gap { topic: "t".into(), partition: 1, first: 5, last: 9, count: Count::Exact(5), now_with: None };
    let one = Gap { first: 7, last: 7, ..gap.clone() };
    for (query, expected, of_one) in [
        ("text", true, true),
        ("-text", true, true),
        ("json:$.a where:false", true, true),
        ("offset:7", true, true),
        ("-offset:7", true, false),
        ("offset:4", false, false),
        ("-offset:4", true, true),
        ("t[1]", true, true),
        ("-t[1]", false, false),
        ("t[2]", false, false),
        ("-t[2]", true, true),
        ("topic:T", true, true),
        ("topic=T", false, false),
        ("-topic:t", false, false),
        ("t[1]@6", true, false),
        ("partition:1 offset:3", false, false),
    ] {
        let query_read = Query::read(query).unwrap();
        assert_eq!((query_read.may_be_in(&gap), query_read.may_be_in(&one)), (expected, of_one), "{query}");
    }
}

/// Texts that are mostly made of what the language is made of.
fn query_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "json:$",
        "json:",
        ".a",
        "[0]",
        "[*]",
        "[\"a\"]",
        "*",
        ">",
        "<=",
        "!=",
        "=",
        "12",
        "-0.5e3",
        "\"x\"",
        "true",
        "null",
        "\"",
        "\\",
        " ",
        "-",
        "key:",
        "key=",
        "value:",
        "header:",
        "topic:",
        "t[1]",
        "@3",
        "partition:",
        "offset:",
        "where:",
        "a",
        "é",
        "{",
        "}",
        ",",
        ":",
    ]);
    prop_oneof![
        4 => prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
}

fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|it| it.to_string()),
        any::<i64>().prop_map(|it| it.to_string()),
        "[a-c\"\\\\é]{0,3}".prop_map(|it| serde_json::to_string(&it).unwrap()),
    ];
    leaf.prop_recursive(4, 20, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", ")));
        let member = ("[ab]", inner).prop_map(|(name, value)| format!("\"{name}\" : {value}"));
        prop_oneof![list, prop::collection::vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(",")))]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_and_judging_never_panic(text in query_text(), value in prop_oneof![json_text(), query_text()], record in strategies::record(), cut in 0usize..40) {
        if let Ok(query) = Query::read(&text) {
            query.matches(&record);
            let bytes = value.as_bytes();
            let head = &bytes[..cut.min(bytes.len())];
            let data = Data { size: bytes.len() as u64, ..Data::whole(head.to_vec()) };
            query.matches(&Record { value: Some(data), ..record });
        } else {
            let error = Query::read(&text).unwrap_err();
            prop_assert!(error.at as usize <= text.len() && text.is_char_boundary(error.at as usize));
        }
    }

    #[test]
    fn owned_and_borrowed_records_are_judged_alike(text in query_text(), record in strategies::record(), value in json_text()) {
        let record = Record { value: Some(Data::whole(value)), ..record };
        let bytes = with_view(&record, |view| {
            let mut bytes = Vec::new();
            codec::encode_record(view, &mut bytes);
            bytes
        });
        let read = codec::decode_record_ref(&bytes).unwrap();
        prop_assert_eq!(read.view().to_owned(), record.clone());
        if let Ok(query) = Query::read(&text) {
            prop_assert_eq!(query.matches(&record), query.matches(&read.view()));
            prop_assert_eq!(query.matches(&record), with_view(&record, |view| query.matches(view)));
        }
    }

    #[test]
    fn a_path_finds_what_a_parser_finds(value in json_text(), name in "[ab]", index in 0usize..3) {
        let parsed: serde_json::Value = serde_json::from_str(&value).unwrap();
        // Of two members of a name the parser knows the last; without them both say the same.
        let is_unambiguous = value.matches(&format!("\"{name}\" :")).count() < 2;
        let (member, element) = (format!("json:$.{name}"), format!("json:$[{index}]"));
        if is_unambiguous {
            prop_assert_eq!(matches(&member, &value), parsed.get(&name).is_some());
        }
        prop_assert_eq!(matches(&element, &value), parsed.get(index).is_some());
        if let Some(number) = parsed.get(index).and_then(serde_json::Value::as_i64) {
            let (equal, unequal) = (format!("json:$[{index}]={number}"), format!("json:$[{index}]!={number}"));
            prop_assert!(matches(&equal, &value) && !matches(&unequal, &value));
            let smaller = i128::from(number) - 1;
            let query = format!("json:$[{index}]>{smaller}");
            prop_assert!(matches(&query, &value));
        }
        if let Some(text) = parsed.get(index).and_then(serde_json::Value::as_str) {
            let literal = serde_json::to_string(text).unwrap();
            let query = format!("json:$[{index}]={literal}");
            prop_assert!(matches(&query, &value));
        }
    }
}
